// Applications: an administrator adds, edits and closes the applications that students launch.
import type { Page } from '@playwright/test';
import { waitForHydration, expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { card, expectConnected, launch, newTab } from '../support/portal.ts';
import { APPLICATIONS, ENVIRONMENTS, expectCell, expectRefused, rowNamed } from '../support/catalogue.ts';
import { SESSIONS } from '../support/sessions.ts';

const HEADERS = ['Application', 'Launch text', 'Environment', 'Command', 'Seats', 'Limits', 'Launches', 'Live sessions'];

test.use({ setup: { name: 'applications', simulated: true } });

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });
const save = (page: Page) => page.getByRole('button', { name: /^(Add application|Save changes)$/ });

/** Opens the form of an application with the link in its row. */
async function edit(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: `Edit ${name}`, exact: true }).click();
  await expect(field(page, 'Name')).toHaveValue(name);
}

test('an administrator adds an application, and a student launches it', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/409 \(Conflict\)/);
  const page = await open('admin', APPLICATIONS);
  await expect(page.getByRole('heading', { name: 'Applications', level: 1 })).toBeVisible();
  await expect(page.getByRole('table', { name: 'Applications' }).getByRole('columnheader')).toHaveText(HEADERS);
  await page.getByRole('link', { name: 'New application' }).click();
  await field(page, 'Name').fill('Statistics');
  await field(page, 'Launch text').fill('Start');
  await field(page, 'Environment').selectOption(SIMULATED.environment);
  await field(page, 'Program').fill('jamovi');
  await field(page, 'Arguments').fill('--open\nmy data.csv\n');
  await field(page, 'Seats').fill('1');
  await field(page, 'Never connected: Off').check();
  await field(page, 'Total').fill('90');
  await save(page).click();
  await expect(page).toHaveURL(APPLICATIONS);
  await expect(page.getByText('Statistics has been added.')).toBeVisible();
  const row = rowNamed(page, 'Applications', 'Statistics');
  await expectCell(row, 'Launch text', 'Start');
  await expectCell(row, 'Environment', SIMULATED.environment);
  await expectCell(row, 'Command', 'jamovi --open my data.csv');
  await expectCell(row, 'Seats', '1');
  await expectCell(row, 'Limits', 'Start 5 min · Never connected Off · Idle 30 min · Disconnected 15 min · Total 1 h 30 min');
  await expectCell(row, 'Launches', 'Open');

  const student = await open('student', '/');
  const tab = await newTab(student, card(student, 'Statistics').getByRole('button', { name: 'Start' }));
  await expectConnected(tab);
  await page.bringToFront();
  await expectCell(row, 'Live sessions', '1');
  const other = await open(await server.person('late', 'user'), '/');
  const refused = await newTab(other, card(other, 'Statistics').getByRole('button', { name: 'Start' }));
  await expect(refused.getByRole('main')).toContainText('All seats of this application are taken.');
});

test('an administrator withdraws an application’s permission for user namespaces', async ({ server, open }) => {
  await server.cli(['application', 'add', 'Browser', '--environment', SIMULATED.environment, '--allow-user-namespaces', '--', 'browser']);
  const page = await open('admin', APPLICATIONS);
  const allowed = page.getByLabel(/^Allow user namespaces/);
  await edit(page, 'Browser');
  await expect(allowed).toBeChecked();
  await allowed.uncheck();
  await save(page).click();
  await expect(page.getByText('Browser has been saved.')).toBeVisible();
  await edit(page, 'Browser');
  await expect(allowed).not.toBeChecked();
});

test('each wrong field shows its error beside it, and the form keeps its input', async ({ open, consoleErrors }) => {
  consoleErrors.allow(/422 \(Unprocessable/, /ERR_INTERNET_DISCONNECTED/);
  const page = await open('admin', `${APPLICATIONS}/new`);
  await expect(field(page, 'Name')).not.toHaveAttribute('aria-invalid');
  await save(page).click();
  await expect(field(page, 'Name'), 'the first invalid field has the focus').toBeFocused();
  await expectRefused(page, 'Name', /This can’t be empty\./);
  await expectRefused(page, 'Environment', /Choose where it runs\./);
  await expectRefused(page, 'Program', /This can’t be empty\./);

  await field(page, 'Name').fill('Calculator');
  await expect(field(page, 'Name'), 'the error disappears as soon as the value is valid').not.toHaveAttribute('aria-invalid');
  await field(page, 'Environment').selectOption('This host');
  await field(page, 'Program').fill('x'.repeat(1001));
  await field(page, 'Seats').fill('0');
  await field(page, 'Start').fill('1.5');
  await save(page).click();
  await expect(field(page, 'Program')).toBeFocused();
  await expectRefused(page, 'Program', /At most 1000 characters; it has 1001\./);
  await expectRefused(page, 'Seats', /A whole number from 1 to 100000/);
  await expectRefused(page, 'Start', /Whole minutes from 1 to 525600/);

  await field(page, 'Program').fill('galculator');
  await field(page, 'Seats').fill('');
  await field(page, 'Start: Off').check();
  await expect(field(page, 'Start')).toBeDisabled();
  await save(page).click();
  await expectRefused(page, 'Name', /Another application has this name\./);
  await expect(field(page, 'Name')).toBeFocused();
  await expect(field(page, 'Program')).toHaveValue('galculator');

  await field(page, 'Name').fill('Second calculator');
  await page.context().setOffline(true);
  await save(page).click();
  await expect(page.getByRole('alert')).toContainText('The server could not be reached.');
  await expect(field(page, 'Name')).toHaveValue('Second calculator');
  await page.context().setOffline(false);
  await save(page).click();
  await expect(rowNamed(page, 'Applications', 'Second calculator')).toBeVisible();
});

test('two administrators edit one application, and the second sees the new values before overwriting them', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/409 \(Conflict\)/);
  await server.cli(['application', 'add', 'Shared', '--environment', SIMULATED.environment, '--', 'desktop']);
  const first = await open('admin', APPLICATIONS);
  const second = await open(await server.person('anton', 'app-admin'), APPLICATIONS);
  await edit(first, 'Shared');
  await edit(second, 'Shared');
  await expect(first.getByText('Changes apply to future launches only.')).toBeVisible();
  await field(first, 'Seats').fill('7');
  await save(first).click();
  await expectCell(rowNamed(first, 'Applications', 'Shared'), 'Seats', '7');

  await field(second, 'Launch text').fill('Go');
  await save(second).click();
  const alert = second.getByRole('alert');
  await expect(alert).toContainText('Somebody else has changed this application.');
  await expect(alert.getByRole('definition')).toHaveText(['7']);
  await expect(field(second, 'Launch text'), 'the form keeps its input').toHaveValue('Go');
  await expectCell(rowNamed(await open('admin', APPLICATIONS), 'Applications', 'Shared'), 'Launch text', 'Launch');

  await alert.getByRole('button', { name: 'Use the new values' }).click();
  await expect(field(second, 'Seats')).toHaveValue('7');
  await expect(field(second, 'Launch text')).toHaveValue('Launch');
  await field(second, 'Launch text').fill('Go');
  await save(second).click();
  await expectCell(rowNamed(second, 'Applications', 'Shared'), 'Seats', '7');
  await expectCell(rowNamed(second, 'Applications', 'Shared'), 'Launch text', 'Go');
});

test('an administrator closes an application: launches are refused with the reason, live sessions go on, and it can be reopened', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/409 \(Conflict\)/);
  const { application: APP } = SIMULATED;
  const session = await server.launchAs(await server.person('inside', 'user'), APP);
  const student = await open(await server.person('outside', 'user'), '/');
  await expect(card(student, APP)).toBeVisible();
  const page = await open('admin', APPLICATIONS);
  const row = rowNamed(page, 'Applications', APP);
  await row.getByRole('button', { name: `Close to launches: ${APP}` }).click();
  await expectCell(row, 'Launches', 'Closed');
  const tab = await newTab(student, card(student, APP).getByRole('button', { name: 'Launch' }));
  await expect(tab.getByRole('main')).toContainText('This application is closed to launches.');
  expect(await server.session(session.id)).toMatchObject({ status: 'active' });
  await page.bringToFront();
  await row.getByRole('button', { name: `Open to launches: ${APP}` }).click();
  await expectCell(row, 'Launches', 'Open');
  await student.bringToFront();
  await expectConnected(await launch(student, APP));
});

test('an App Admin sees Applications, but neither Sessions nor Environments', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/403 \(Forbidden\)/);
  await server.launchAs('student');
  const page = await open(await server.person('anton', 'app-admin'), '/admin');
  await expect(page).toHaveURL(APPLICATIONS);
  const links = page.getByRole('navigation', { name: 'Admin' }).getByRole('link');
  await expect(links).toHaveText(['Applications']);
  const row = rowNamed(page, 'Applications', SIMULATED.application);
  await expectCell(row, 'Live sessions', /^[1-9]$/);
  await expect(row.getByRole('link', { name: /live session/ }), 'no link that leads to a refusal').toHaveCount(0);
  for (const path of [SESSIONS, ENVIRONMENTS]) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(403);
    await expect(page.getByText('It needs the role System Admin.')).toBeVisible();
  }
  await page.goto('/');
  await waitForHydration(page);
  await page.getByRole('button', { name: 'anton' }).click();
  await page.getByRole('menuitem', { name: 'Admin' }).click();
  await expect(page).toHaveURL(APPLICATIONS);
  const student = await open('student', APPLICATIONS);
  await expect(student.getByText('It needs the role App Admin.')).toBeVisible();
  await expect(student.getByRole('navigation', { name: 'Admin' })).toHaveCount(0);
});

test('an administrator adds, edits and closes an application with the keyboard alone', async ({ open }) => {
  const page = await open('admin', APPLICATIONS);
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await page.getByRole('link', { name: 'New application' }).focus();
  await press('Enter');
  await expect(page).toHaveURL(`${APPLICATIONS}/new`);
  await field(page, 'Name').focus();
  await page.keyboard.type('Keys');
  // Description, category, icon, picture, launch text.
  await press('Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Tab');
  await page.keyboard.type('This');
  await press('Tab');
  await page.keyboard.type('xterm');
  await press('Enter');
  const row = rowNamed(page, 'Applications', 'Keys');
  await expectCell(row, 'Command', 'xterm');

  await row.getByRole('link', { name: 'Edit Keys' }).focus();
  await press('Enter');
  await expect(field(page, 'Program')).toHaveValue('xterm');
  await field(page, 'Start').focus();
  await press('Tab', 'Space');
  await expect(field(page, 'Start')).toBeDisabled();
  await field(page, 'Seats').focus();
  await press('Enter');
  await expectCell(row, 'Limits', /^Start\sOff/);
  await row.getByRole('button', { name: 'Close to launches: Keys' }).focus();
  await press('Space');
  await expectCell(row, 'Launches', 'Closed');
});

test('without JavaScript the list is readable, and the form is a plain form', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/422 \(Unprocessable Content\)|422 \(Unprocessable Entity\)/);
  await server.addApplication('Plain');
  const page = await open('admin', APPLICATIONS, { javaScriptEnabled: false });
  await expectCell(rowNamed(page, 'Applications', 'Terminal'), 'Command', 'xterm');
  await expect(page.getByRole('button', { name: /launches/ })).toHaveCount(0);
  await page.getByRole('link', { name: 'Edit Plain' }).click();
  await field(page, 'Description').fill('Works without scripts.');
  await page.getByRole('radio', { name: 'Photos' }).check();
  await field(page, 'Arguments').fill('-a\nb c');
  await field(page, 'Idle: Off').check();
  await save(page).click();
  await expect(page).toHaveURL(APPLICATIONS);
  await expectCell(rowNamed(page, 'Applications', 'Plain'), 'Command', 'desktop -a b c');
  await page.getByRole('link', { name: 'Edit Plain' }).click();
  await expect(field(page, 'Description')).toHaveValue('Works without scripts.');
  await expect(page.getByRole('radio', { name: 'Photos' })).toBeChecked();
  await field(page, 'Idle: Off').uncheck();
  await field(page, 'Idle').fill('20');
  await field(page, 'Name').fill('');
  await save(page).click();
  await expect(page.getByRole('main')).toContainText('Name: This can’t be empty.');

  await page.goto(`${APPLICATIONS}/new`);
  await field(page, 'Name').fill('Plain too');
  await field(page, 'Environment').selectOption(SIMULATED.environment);
  await field(page, 'Program').fill('desktop');
  await save(page).click();
  await expectCell(rowNamed(page, 'Applications', 'Plain too'), 'Limits', /Idle\s30\smin/);
});
