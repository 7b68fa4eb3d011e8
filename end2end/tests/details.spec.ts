// The details of a session, beside the list and with their own address.
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { expectConnected } from '../support/portal.ts';
import { dialog, rowOf, searchBox, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'details', seed: 12, simulated: true, movableClock: true } });

const panel = (page: Page) => page.getByRole('region', { name: 'Session details' });
const timeline = async (page: Page) => (await panel(page).getByRole('list', { name: 'Timeline' }).getByRole('listitem').allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
const link = (page: Page, name: string) => page.getByRole('link', { name: `Details of session of ${name} in ${SIMULATED.environment}` });

test('an administrator opens the details of a row, sees the session change live, and Esc returns the focus', async ({ server, open }) => {
  const session = await server.launchAs(await server.person('watched', 'user'));
  const page = await open('admin', `${SESSIONS}?q=user:watched`, { permissions: ['clipboard-read', 'clipboard-write'] });
  await link(page, 'watched').click();
  await expect(page).toHaveURL(`${SESSIONS}/${session.id}?q=user%3Awatched`);
  await expect(panel(page)).toBeFocused();
  await expect.poll(() => timeline(page)).toEqual([expect.stringMatching(/Launched by watched$/), expect.stringMatching(/Ready in (less than 0\.1|\d+\.\d) s$/)]);
  await expect(panel(page)).toContainText(/Expires .+ unless it’s opened first/);
  const tab = await open('watched', `/sessions/${session.id}`);
  await expectConnected(tab);
  await expect.poll(async () => (await timeline(page)).at(-1)).toMatch(/Connected: a browser tab opened it$/);
  await expect(panel(page)).toContainText(/Ends .+ \(8 h limit\)/);
  await tab.close();
  await expect.poll(async () => (await timeline(page)).at(-1)).toMatch(/Tab closed$/);
  await expect(panel(page)).toContainText(/Expires .+ unless it’s reopened first/);
  for (const [what, value] of [['session ID', session.id], ['environment ID', session.environment_id], ['user ID', session.user_id]] as const) {
    await panel(page).getByRole('button', { name: `Copy ${what}` }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(value);
  }
  await panel(page).getByRole('button', { name: 'Expire this session' }).click();
  await dialog(page).getByLabel(/^Reason/).fill('because of the exam');
  await dialog(page).getByRole('button', { name: 'Expire session' }).click();
  await expect.poll(() => timeline(page)).toEqual([
    expect.stringMatching(/Launched by watched$/),
    expect.stringMatching(/Ready in/),
    expect.stringMatching(/Connected/),
    expect.stringMatching(/Tab closed$/),
    expect.stringMatching(/Expired by admin “because of the exam”$/),
    expect.stringMatching(/Closed and cleaned up by the environment$/),
  ]);
  await expect(panel(page)).toContainText('Closed and cleaned up.');
  await panel(page).focus();
  await page.keyboard.press('Escape');
  await expect(panel(page)).toHaveCount(0);
  await expect(page).toHaveURL(`${SESSIONS}?q=user%3Awatched`);
  await expect(link(page, 'watched')).toBeFocused();
});

test('a click anywhere on the row opens the details; Back closes them and keeps the list', async ({ server, open }) => {
  const session = await server.launchAs(await server.person('pressed', 'user'));
  const page = await open('admin', SESSIONS);
  await rowOf(page, 'pressed').getByText('pressed').click();
  await expect(panel(page)).toContainText(session.id);
  await page.goBack();
  await expect(panel(page)).toHaveCount(0);
  await expect(rowOf(page, 'pressed')).toBeVisible();
  await rowOf(page, 'pressed').getByRole('button', { name: /^Expire/ }).click();
  await expect(dialog(page), 'a button in the row does not open the details').toBeVisible();
  await expect(panel(page)).toHaveCount(0);
  await page.keyboard.press('Escape');
  await server.expire(session.id);
});

test('an administrator searches the list beside the open details', async ({ server, open }) => {
  const session = await server.launchAs(await server.person('beside', 'user'));
  const page = await open('admin', `${SESSIONS}/${session.id}`);
  await expect(panel(page)).toContainText('beside');
  await searchBox(page).fill('user:beside');
  await expect(page.getByText(/^1 of /)).toBeVisible();
  await expect(page).toHaveURL(`${SESSIONS}/${session.id}?q=user%3Abeside`);
  await expect(panel(page)).toBeVisible();
  await page.getByRole('link', { name: 'Close details' }).click();
  await expect(page).toHaveURL(`${SESSIONS}?q=user%3Abeside`);
  await server.expire(session.id);
});

test('a purged session keeps its timeline; an unknown id says that there is no such session', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/404 \(Not Found\)/);
  const session = await server.launchAs(await server.person('gone', 'user'));
  await server.expire(session.id);
  await expect.poll(async () => (await server.session(session.id)).teardown).toBe('confirmed');
  server.moveClock(48 * 3600 + 5);
  // The command line needs no login; all logins have ended by then.
  await expect.poll(() => server.cli(['sessions', 'list', `id:${session.id}`])).not.toContain(session.id);
  server.moveClock(0);
  const page = await open('admin', `${SESSIONS}/${session.id}`);
  await expect(panel(page)).toContainText('Purged.');
  await expect.poll(async () => (await timeline(page)).at(-1)).toMatch(/Removed from the list$/);
  for (const id of [crypto.randomUUID(), 'rubbish']) {
    await page.goto(`${SESSIONS}/${id}`);
    await expect(panel(page)).toContainText('There is no such session');
  }
  expect((await server.call('student', 'GET', `/api/v1/sessions/${session.id}/details`)).status).toBe(403);
});
