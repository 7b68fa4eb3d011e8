// A form with unsaved changes: leaving it asks first, and never breaks the application.
import type { Dialog, Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { APPLICATIONS } from '../support/catalogue.ts';

test.use({ setup: { name: 'unsaved', simulated: true } });

/** Answers the next question of the page, and returns its text. */
async function answer(page: Page, accept: boolean, press: () => Promise<unknown>): Promise<string> {
  const asked = page.waitForEvent('dialog').then(async (dialog: Dialog) => {
    const text = dialog.message();
    await (accept ? dialog.accept() : dialog.dismiss());
    return text;
  });
  await press();
  return asked;
}

async function typeIntoForm(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'New application' }).click();
  await page.getByLabel('Name', { exact: true }).pressSequentially('Half an application');
}

test('Back from a form that was typed into asks, keeps the text on Cancel, and leaves a working page', async ({ open }) => {
  const page = await open('admin', APPLICATIONS);
  await typeIntoForm(page);
  expect(await answer(page, false, () => page.evaluate(() => history.back()))).toContain('unsaved changes');
  await expect(page).toHaveURL(/applications\/new$/);
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Half an application');

  await answer(page, true, () => page.evaluate(() => history.back()));
  await expect(page).toHaveURL(APPLICATIONS);
  await expect(page.getByRole('table', { name: 'Applications' })).toBeVisible();
  await page.getByRole('link', { name: 'Environments' }).click();
  await expect(page.getByRole('table', { name: 'Environments' }), 'links still work').toBeVisible();
});

test('a link away from a form that was typed into asks', async ({ open }) => {
  const page = await open('admin', APPLICATIONS);
  await typeIntoForm(page);
  await answer(page, false, () => page.getByRole('link', { name: 'Environments' }).click());
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Half an application');
  await answer(page, true, () => page.getByRole('link', { name: 'Environments' }).click());
  await expect(page.getByRole('table', { name: 'Environments' })).toBeVisible();
});

test('a form that was not typed into is left without a question', async ({ open }) => {
  const page = await open('admin', APPLICATIONS);
  page.on('dialog', (dialog) => {
    throw new Error(`unexpected question: ${dialog.message()}`);
  });
  await page.getByRole('link', { name: 'New application' }).click();
  await expect(page.getByLabel('Name', { exact: true })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('table', { name: 'Applications' })).toBeVisible();
});
