// My apps: a student launches, resumes and ends sessions.
import { expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { card, expectConnected, expectEnded, launch, newTab, resume, sessionIn } from '../support/portal.ts';

const APP = SIMULATED.application;

test.use({ setup: { name: 'my-apps', simulated: true } });

test('a student launches a session in a new tab, resumes it, and ends it', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const page = await open('student', '/');
  await expect(page.getByRole('heading', { name: 'My apps', level: 1 })).toBeVisible();
  for (const application of ['Calculator', APP, 'Terminal', 'Text Editor']) await expect(card(page, application)).toBeVisible();
  await expect(card(page, APP).getByRole('link', { name: 'Resume' })).toHaveCount(0);

  const tab = await launch(page, APP);
  await expectConnected(tab);
  await expect(tab).toHaveTitle(APP);
  const session = sessionIn(tab);
  await tab.close();

  await page.bringToFront();
  await expect(card(page, APP)).toContainText('Active');
  const again = await resume(page, APP);
  await expectConnected(again);
  expect(sessionIn(again)).toBe(session);

  await page.bringToFront();
  await card(page, APP).getByRole('button', { name: 'End session' }).click();
  const dialog = page.getByRole('dialog', { name: `End your session of ${APP}?` });
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  expect((await server.session(session)).status).toBe('active');

  await card(page, APP).getByRole('button', { name: 'End session' }).click();
  await dialog.getByRole('button', { name: 'End session' }).click();
  await expect(dialog).toBeHidden();
  await expect(card(page, APP)).toContainText('Not running');
  await expectEnded(again, session, 'You ended this session.');
  expect(await server.session(session)).toMatchObject({ status: 'expired', ended_by: 'student', end_reason: 'user' });
});

test('a second launch opens the same session', async ({ server, open }) => {
  const page = await open(await server.person('twice', 'user'), '/');
  // The page does not learn of the session, as in a browser that has slept. Otherwise it would offer “Resume”.
  await page.route('**/api/ui/my_applications*', () => {});
  const first = await launch(page, APP);
  await expectConnected(first);
  await first.close();
  const second = await launch(page, APP);
  await expectConnected(second);
  expect((await server.list('?q=user:twice')).total).toBe(1);
});

test('a second tab takes the session over; the first says so and can take it back', async ({ server, open }) => {
  const page = await open(await server.person('tabs', 'user'), '/');
  const first = await launch(page, APP);
  await expectConnected(first);
  const second = await resume(page, APP);
  await expectConnected(second);
  await expect(first.getByText('now open in another tab')).toBeVisible();
  expect((await server.session(sessionIn(first))).connected).toBe(true);

  await first.getByRole('button', { name: 'Use it here' }).click();
  await expect(first.getByText('now open in another tab')).toBeHidden();
  await expectConnected(first);
  await expect(second.getByText('now open in another tab')).toBeVisible();
  expect((await server.session(sessionIn(first))).connected).toBe(true);
});

test('a refused launch gives the reason', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/409 \(Conflict\)/);
  const page = await open(await server.person('refused', 'user'), '/');
  await server.cli(['application', 'close', 'Calculator']);
  const tab = await newTab(page, card(page, 'Calculator').getByRole('button', { name: 'Launch' }));
  await expect(tab.getByRole('heading', { name: 'Couldn’t launch' })).toBeVisible();
  await expect(tab.getByRole('main')).toContainText(/closed/i);
  await expect(card(page, 'Calculator'), 'a closed application is not offered').toHaveCount(0);
  await server.cli(['application', 'open', 'Calculator']);

  await server.cli(['environment', 'close', 'This host']);
  const other = await newTab(page, card(page, 'Terminal').getByRole('button', { name: 'Launch' }));
  await expect(other.getByRole('main')).toContainText(/closed/i);
  await expect(card(page, 'Terminal')).toContainText('Closed to launches');
  await server.cli(['environment', 'open', 'This host']);
  expect((await server.list('?q=user:refused')).total).toBe(0);
});

test('My apps shows without a reload that an administrator expired the session', async ({ server, open }) => {
  const page = await open(await server.person('watching', 'user'), '/');
  const session = await server.launchAs('watching');
  await expect(card(page, APP)).toContainText('Active');
  await server.expire(session.id);
  await expect(card(page, APP)).toContainText('Not running');
});

test('another user’s session looks like an unknown one', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/404 \(Not Found\)/);
  const session = await server.launchAs(await server.person('owner', 'user'));
  const page = await open('student', `/sessions/${session.id}`);
  await expect(page.getByRole('heading', { name: 'There is no such session' })).toBeVisible();
  expect((await server.call('student', 'GET', `/api/v1/sessions/${session.id}`)).status).toBe(404);
  const end = await server.call('student', 'POST', `/sessions/${session.id}/end`, { form: {} });
  expect(end.status).toBe(404);
  expect((await server.session(session.id)).status).toBe('active');
});

test('a card has one primary action: Launch, then Resume', async ({ server, open }) => {
  const page = await open(await server.person('primary', 'user'), '/');
  await expect(card(page, APP).getByRole('button')).toHaveText(['Launch']);
  await expectConnected(await launch(page, APP));
  await expect(card(page, APP).getByRole('link')).toHaveText(['Resume']);
  await expect(card(page, APP).getByRole('button')).toHaveText(['End session']);
});

test('a card shows the failure of the last launch, until the next launch', async ({ server, open }) => {
  await server.cli(['application', 'add', 'Ghost', '--', 'no-such-program']);
  const user = await server.person('unlucky', 'user');
  await server.launchAs(user, 'Ghost');
  const page = await open(user, '/');
  await expect(card(page, 'Ghost')).toContainText(/^.*Failed .+: .*no-such-program/s);
  await expect(card(page, APP)).toContainText('Not running');
});

test('while the server is away My apps says so, and Launch opens no broken tab', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  const page = await open(await server.person('cut-off', 'user'), '/');
  await page.route('**/api/ui/**', (route) => route.abort());
  await expect(page.getByRole('alert')).toContainText('Can’t reach the server.');
  await expect(card(page, APP).getByRole('button', { name: 'Launch' })).toHaveAttribute('aria-disabled', 'true');
  await card(page, APP).getByRole('button', { name: 'Launch' }).focus();
  await page.keyboard.press('Enter');
  expect(page.context().pages()).toHaveLength(1);
  await page.unroute('**/api/ui/**');
  await expect(page.getByRole('alert')).toBeHidden();
});

test('the focus stays on the page after End session', async ({ server, open }) => {
  const user = await server.person('focused', 'user');
  await server.launchAs(user, APP);
  const page = await open(user, '/');
  await card(page, APP).getByRole('button', { name: 'End session' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
  await expect(page.getByRole('status').filter({ hasText: `Your session of ${APP} has ended.` })).toBeVisible();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).not.toBe('BODY');
});
