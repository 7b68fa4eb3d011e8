// Environments: an administrator reads their state and closes them to launches.
import { expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { card, newTab } from '../support/portal.ts';
import { cell, ENVIRONMENTS, expectCell, rowNamed } from '../support/catalogue.ts';
import { searchBox } from '../support/sessions.ts';

const { environment: ENVIRONMENT, application: APP } = SIMULATED;
const HEADERS = ['Environment', 'Kind', 'State', 'Launches', 'Last sweep', 'Result', 'Live sessions'];
const WITHOUT_JAVASCRIPT = { javaScriptEnabled: false };

test.use({ setup: { name: 'environments', simulated: true } });

test('an administrator reads the state of each environment', async ({ server, open }) => {
  await server.launchAs('student');
  const page = await open('admin', '/admin');
  await page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: 'Environments' }).click();
  await expect(page).toHaveURL(ENVIRONMENTS);
  await expect(page.getByRole('heading', { name: 'Environments', level: 1 })).toBeVisible();
  const table = page.getByRole('table', { name: 'Environments' });
  await expect(table.getByRole('columnheader')).toHaveText(HEADERS);
  const row = rowNamed(page, 'Environments', ENVIRONMENT);
  await expectCell(row, 'Kind', 'simulated');
  await expectCell(row, 'State', 'Answering');
  await expectCell(row, 'Launches', 'Open');
  await expectCell(row, 'Last sweep', /\d\d:\d\d\s+\d+ (s|min) ago$/);
  await expectCell(row, 'Result', /^\d+ sessions? found$/);
  await expectCell(row, 'Live sessions', '1');
  await expect(page.getByText('Live sessions keep running.')).toBeVisible();

  await row.getByRole('link', { name: `1 live session of ${ENVIRONMENT}` }).click();
  await expect(searchBox(page)).toHaveValue(`env:"${ENVIRONMENT}"`);
  await expect(page.getByText(/^1 of \d+ session/)).toBeVisible();
});

test('an administrator closes an environment: launches are refused with the reason, live sessions go on, and it can be reopened', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/409 \(Conflict\)/);
  const session = await server.launchAs(await server.person('inside', 'user'));
  const student = await open(await server.person('outside', 'user'), '/');
  const page = await open('admin', ENVIRONMENTS);
  const row = rowNamed(page, 'Environments', ENVIRONMENT);
  const close = page.getByRole('button', { name: `Close to launches: ${ENVIRONMENT}` });
  await close.click();
  const question = page.getByRole('dialog', { name: `Close ${ENVIRONMENT} to launches` });
  await expect(question).toContainText(/Nobody can launch its (\d+ )?applications? until you open it again\. (Its live session keeps|Its \d+ live sessions keep) running\./);
  await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await question.getByRole('button', { name: 'Close to launches' }).click();
  await expectCell(row, 'Launches', 'Closed');
  await expect(page.getByRole('status')).toContainText([`${ENVIRONMENT} is closed to launches.`]);
  const reopen = page.getByRole('button', { name: `Open to launches: ${ENVIRONMENT}` });
  await expect(reopen, 'the button keeps the focus').toBeFocused();

  const tab = await newTab(student, card(student, APP).getByRole('button', { name: 'Launch' }));
  await expect(tab.getByRole('main')).toContainText('The environment of this application is closed to launches.');
  expect(await server.session(session.id)).toMatchObject({ status: 'active' });

  await page.bringToFront();
  await page.keyboard.press('Enter');
  await expectCell(row, 'Launches', 'Open');
  await server.launchAs('outside');
  await expectCell(row, 'Live sessions', /^[2-9]$/);
});

test('changes from elsewhere show without a reload and keep the focus', async ({ server, open }) => {
  const page = await open('admin', ENVIRONMENTS);
  const button = page.getByRole('button', { name: 'Close to launches: This host' });
  await button.focus();
  await server.cli(['environment', 'close', 'This host']);
  const row = rowNamed(page, 'Environments', 'This host');
  await expectCell(row, 'Launches', 'Closed');
  await expect(page.getByRole('button', { name: 'Open to launches: This host' })).toBeFocused();
  await server.cli(['environment', 'open', 'This host']);
  await expectCell(row, 'Launches', 'Open');
});

test('an open page reports a lost connection and an ended login', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/401 \(Unauthorized\)|ERR_INTERNET_DISCONNECTED/);
  const page = await open(await server.person('ousted', 'system-admin'), ENVIRONMENTS);
  await page.context().setOffline(true);
  await expect(page.getByRole('alert')).toContainText('Can’t reach the server.');
  await expect(rowNamed(page, 'Environments', ENVIRONMENT), 'the page keeps its rows').toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await server.cli(['user', 'set-password', 'ousted'], 'another fine password\n');
  await expect(page.getByRole('alert')).toContainText('Your login has ended.');
  await expect(page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
});

test('without JavaScript the page is a readable list', async ({ open }) => {
  const page = await open('admin', ENVIRONMENTS, WITHOUT_JAVASCRIPT);
  const row = rowNamed(page, 'Environments', 'This host');
  expect(await cell(row, 'Last sweep')).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC .+ ago$/);
  expect(await cell(row, 'Kind')).toMatch(/^local Limits per session: /);
  await expect(page.getByText('You need JavaScript to change anything here.')).toBeVisible();
  await expect(page.getByRole('button', { name: /launches/ })).toHaveCount(0);
});

test('the page marks an environment that this server can’t reach', async ({ startServer }) => {
  const setup = { name: 'environments-unreachable', simulated: true };
  const server = await startServer(setup);
  await server.kill();
  setup.simulated = false;
  await server.launch();
  const answer = await server.call('admin', 'GET', ENVIRONMENTS, { headers: { accept: 'text/html' } });
  expect(answer.text).toContain('Not reachable from this server');
  const { items } = (await server.call('admin', 'GET', '/api/v1/environments')).json as {
    items: { kind: string; state: string }[];
  };
  expect(items.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual(['local answering', 'simulated not_reachable']);
});

test('the API closes and opens environments under the same rules', async ({ server }) => {
  const list = async () =>
    ((await server.call('admin', 'GET', '/api/v1/environments')).json as { items: { id: string; name: string; open: boolean }[] }).items;
  const host = (await list()).find(({ name }) => name === 'This host');
  for (const [verb, isOpen] of [
    ['close', false],
    ['close', false],
    ['open', true],
  ] as const) {
    const answer = await server.call('admin', 'POST', `/api/v1/environments/${host?.id}/${verb}`);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id: host?.id, open: isOpen });
    expect((await list()).find(({ id }) => id === host?.id)?.open).toBe(isOpen);
  }
});
