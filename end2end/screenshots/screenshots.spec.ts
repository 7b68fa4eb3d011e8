// Takes the screenshots of the documentation. ../screenshots.config.ts says how to run it.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { card, expectPrompt, launch, typeLine } from '../support/portal.ts';
import { askToExpire, expectRow, navigation, openColumns, SESSIONS } from '../support/sessions.ts';

const IMAGES = new URL('../../docs/images/', import.meta.url);

test.use({ setup: { name: 'screenshots', seed: 340, simulated: true } });

const shot = (page: Page, name: string) => page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, IMAGES)) });

test('screenshots', async ({ server, open }) => {
  await server.cli(['application', 'add', 'Statistics', '--', 'no-such-program']);
  await shot(await open(null, '/login'), 'login');
  for (const name of ['amelie', 'björn', 'chen']) await server.launchAs(await server.person(name, 'user'));
  await server.launchAs('björn', 'Statistics');
  await server.expire((await server.launchAs(await server.person('dana', 'user'))).id, 'Exam in room 3');

  const student = await open('student', '/');
  const tab = await launch(student, 'Terminal');
  await expectPrompt(tab);
  await typeLine(tab, 'python3 -c "print(sum(n*n for n in range(1000)))"; uname -sr; cal 11 2026 2>/dev/null || date');
  await student.bringToFront();
  await expect(card(student, 'Terminal')).toContainText('Active');
  await shot(student, 'my-apps');
  await tab.bringToFront();
  await shot(tab, 'session-tab');
  await tab.getByRole('button', { name: 'Session menu' }).click();
  await expect(tab.getByRole('list', { name: 'Windows' }).getByRole('listitem')).toHaveCount(1);
  await shot(tab, 'session-menu');
  const files = await open('student', '/files');
  await files.getByLabel('Upload files').setInputFiles(
    ['survey.csv', 'report.odt', 'figures.zip'].map((name, at) => ({ name, mimeType: 'text/plain', buffer: Buffer.alloc(40_000 * (at + 1)) })),
  );
  await expect(files.getByRole('status')).toHaveText('3 files uploaded.');
  await files.reload();
  await expect(files.getByRole('link', { name: 'figures.zip' })).toBeVisible();
  await shot(files, 'files');

  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'student', Connected: 'Yes' });
  await expectRow(page, { Username: 'björn', Status: /^Error/ });
  await shot(page, 'sessions');
  // tests/reference-page.spec.ts fails when the page has another navigation than its screenshots.
  writeFileSync(new URL('made-from.json', IMAGES), `${JSON.stringify({ navigation: await navigation(page) })}\n`);
  await askToExpire(page, 'student', 'This host');
  await shot(page, 'expire');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Details of session of dana in Simulated' }).click();
  await expect(page.getByRole('list', { name: 'Timeline' }).getByRole('listitem')).toHaveCount(4);
  await shot(page, 'details');
  await page.getByRole('link', { name: 'Close details' }).click();
  await openColumns(page);
  await shot(page, 'columns');
  await page.keyboard.press('Escape');
  await page.getByRole('checkbox', { name: 'Select all sessions on this page' }).check();
  await page.getByRole('button', { name: 'Expire selected' }).click();
  await expect(page.getByRole('dialog', { name: 'Expire sessions' }).getByRole('button', { name: /^Expire \d+ sessions$/ })).toBeVisible();
  await shot(page, 'expire-many');
  const dark = await open('admin', SESSIONS, { colorScheme: 'dark' });
  await expectRow(dark, { Username: 'student', Connected: 'Yes' });
  await shot(dark, 'sessions-dark');
  const small = await open('admin', SESSIONS, { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2 });
  await expectRow(small, { Username: 'student', Connected: 'Yes' });
  await shot(small, 'sessions-320');
});
