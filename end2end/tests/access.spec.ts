// The end of access: blocked and removed users, closed environments and applications, and sessions that an environment
// fails to close.
import type { Page } from '@playwright/test';
import { expect, test, waitForHydration } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { card, expectConnected, expectEnded, launch, newTab, sessionIn, signIn } from '../support/portal.ts';
import { askToExpire, expectRow, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'access', simulated: true, movableClock: true } });

const ENVIRONMENTS = '/admin/cloud-delivery/environments';

async function openSession(page: Page, application = SIMULATED.application): Promise<Page> {
  const tab = await launch(page, application);
  await expectConnected(tab);
  return tab;
}

test('a user who is blocked at the command line loses the tab and the login and reads the reason', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)|401 \(Unauthorized\)|404 \(Not Found\)/);
  await server.person('rowdy', 'user');
  const portal = await open('rowdy', '/');
  const tab = await openSession(portal);
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'rowdy', Connected: 'Yes' });
  expect(await server.cli(['user', 'block', 'rowdy'])).toContain('rowdy is blocked now');
  await expectRow(page, { Username: 'rowdy', Status: 'Expired', Connected: 'No', Action: /^Expired .+ by admin \(command line\)/ });
  // The login has ended as well, so the tab asks to sign in.
  await expect(tab.getByLabel('Username')).toBeVisible();
  await signIn(tab, 'rowdy', server.password('rowdy'));
  await expect(tab.getByRole('alert')).toHaveText('This account is blocked. Ask a System Admin to unblock it.');
  expect(await server.cli(['user', 'list'])).toMatch(/rowdy\tuser\t.+\tblocked/);

  await server.cli(['user', 'unblock', 'rowdy']);
  await signIn(tab, 'rowdy', server.password('rowdy'));
  await expectEnded(tab, sessionIn(tab), 'Your account was blocked.');
});

test('a user who is removed by the API loses the open tab; the rows keep the username', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/401 \(Unauthorized\)/);
  await server.person('gone', 'user');
  const tab = await openSession(await open('gone', '/'));
  const page = await open('admin', SESSIONS);
  expect((await server.call('admin', 'DELETE', '/api/v1/users/gone')).status).toBe(204);
  await expectRow(page, { Username: 'gone', Status: 'Expired', Connected: 'No' });
  await expect(tab.getByLabel('Username')).toBeVisible();
  expect((await server.call('admin', 'DELETE', '/api/v1/users/gone')).status).toBe(404);
  expect((await server.call('admin', 'DELETE', '/api/v1/users/admin')).json).toMatchObject({ code: 'last_system_admin' });
});

test('an administrator closes an environment and its sessions after a confirmation that can be cancelled', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  await server.person('tenant', 'user');
  const tab = await openSession(await open('tenant', '/'));
  const page = await open('admin', ENVIRONMENTS);
  const end = page.getByRole('button', { name: `Close and end sessions: ${SIMULATED.environment}` });
  await end.click();
  const question = page.getByRole('dialog', { name: `Close ${SIMULATED.environment} and end its sessions` });
  await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await expect(question).toContainText(/and its (live session ends|\d+ live sessions end) at once/);
  await page.keyboard.press('Escape');
  await expect(question).toBeHidden();
  expect((await server.session(sessionIn(tab))).status).toBe('active');

  await end.click();
  await question.getByRole('button', { name: /^End \d+ live sessions?$/ }).click();
  await expectEnded(tab, sessionIn(tab), 'The environment that this session ran in was closed.');
  await expect(page.getByRole('status')).toContainText([`${SIMULATED.environment} is closed to launches. Its sessions have ended.`]);
  await expect(end).toBeHidden();
  await page.getByRole('button', { name: `Open to launches: ${SIMULATED.environment}` }).click();
  await expect(page.getByRole('button', { name: `Close to launches: ${SIMULATED.environment}` })).toBeVisible();
});

test('closing an application at the command line ends its sessions', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  await server.person('reader', 'user');
  await server.addApplication('Reader');
  const tab = await openSession(await open('reader', '/'), 'Reader');
  await server.cli(['application', 'close', 'Reader', '--end-sessions']);
  await expectEnded(tab, sessionIn(tab), 'This application was withdrawn.');
});

test('an administrator expires a session and blocks its relaunch for 15 minutes', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)|409 \(Conflict\)/);
  await server.person('again', 'user');
  const portal = await open('again', '/');
  const tab = await openSession(portal);
  const page = await open('admin', `${SESSIONS}?q=user:again`);
  const dialog = await askToExpire(page, 'again', SIMULATED.environment);
  await dialog.getByRole('checkbox', { name: 'Block relaunch for 15 minutes' }).check();
  await dialog.getByRole('button', { name: 'Expire session' }).click();
  await expectEnded(tab, sessionIn(tab), 'An administrator ended this session.');
  await expectRow(page, { Username: 'again', Status: 'Expired' });

  await portal.goto('/');
  const refused = await newTab(portal, card(portal, SIMULATED.application).getByRole('button', { name: 'Launch' }));
  await expect(refused.getByRole('main')).toContainText(/An administrator ended your session\. You can launch this application again after .+\./);
  server.moveClock(15 * 60 + 5);
  await portal.goto('/');
  await openSession(portal);
  server.moveClock(0);
});

test('a session that its environment never closes becomes overdue, an administrator gives up its cleanup, and it is purged', async ({ startServer, openOn, consoleErrors }) => {
  // The login ends long before the row is purged.
  consoleErrors.allow(/401 \(Unauthorized\)/);
  const server = await startServer({ name: 'access-stuck', simulated: true, movableClock: true });
  await server.cli(['application', 'add', 'Stuck', '--environment', SIMULATED.environment, '--', 'desktop', '--never-stops']);
  const { id } = await server.launchAs(await server.person('victim', 'user'), 'Stuck');
  await expect.poll(async () => (await server.session(id)).status).toBe('active');
  await server.expire(id);
  const page = await openOn(server, 'admin', SESSIONS);
  await expectRow(page, { Username: 'victim', Status: 'Expired', Action: /Closing…$/ });
  server.moveClock(120);
  await page.goto(SESSIONS);
  await waitForHydration(page);
  await expectRow(page, { Username: 'victim', Action: /Cleanup overdue$/ });
  await page.getByRole('link', { name: /^Details of session of victim/ }).click();
  await page.getByRole('button', { name: 'Abandon cleanup' }).click();
  await expect(page.getByText('Cleanup was abandoned; something may be left behind.')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Timeline' })).toContainText('Cleanup abandoned by admin');
  await expectRow(page, { Username: 'victim', Action: /Cleanup abandoned$/ });
  server.moveClock(48 * 3600 + 180);
  // The command line needs no login; all logins have ended by then.
  await expect.poll(() => server.cli(['sessions', 'list'])).toBe('');
});

test('an operator verifies the event log at the command line', async ({ server }) => {
  await server.launchAs(await server.person('logged', 'user'));
  expect(await server.cli(['events', 'verify'])).toMatch(/^consistent up to [0-9a-f]{64} \(event \d+\)\nonly a head that was kept elsewhere proves/);
});
