// What only time does, with a clock that the test moves.
import { expect, test } from '../support/test.ts';
import { expectConnected, expectEnded, resume } from '../support/portal.ts';
import { expectNoRow, expectRow, SESSIONS } from '../support/sessions.ts';

// Days pass in which nobody does anything. That ends logins, and is not what this is about.
const settings = { CLOUD_DELIVERY_LOGIN_IDLE_MINUTES: '6000', CLOUD_DELIVERY_LOGIN_MAX_HOURS: '100' };

test.use({ setup: { name: 'purge', simulated: true, movableClock: true, settings } });

const HOUR = 3600;

/** A server of its own: moving a clock back is no fair test. */
const setup = { name: 'purge-clock', simulated: true, movableClock: true };

test('an Expired row stays for 48 hours to the minute, then disappears from the open page', async ({ startServer, browser, consoleErrors }) => {
  test.setTimeout(120_000);
  const server = await startServer(setup);
  const earlier = await server.launchAs(await server.person('earlier', 'user'));
  await server.expire(earlier.id);
  server.moveClock(120);
  const later = await server.launchAs(await server.person('later', 'user'));
  await server.expire(later.id);
  for (const { id } of [earlier, later]) await expect.poll(async () => (await server.session(id)).teardown).toBe('confirmed');

  // A login lasts 8 hours: this one is made when the first row is 41 hours old.
  server.moveClock(41 * HOUR);
  const context = await browser.newContext({ baseURL: server.url });
  const [name = '', value = ''] = (await server.signIn('admin')).split('=');
  await context.addCookies([{ name, value, url: server.url }]);
  context.on('console', (message) => message.type() === 'error' && consoleErrors.seen.push(message.text()));
  const page = await context.newPage();
  await page.goto(SESSIONS);
  await page.evaluate(() => Object.assign(window, { notReloaded: true }));

  server.moveClock(48 * HOUR - 60);
  await expectRow(page, { Username: 'earlier', Status: 'Expired', 'Started ago': '1 d 23 h' });
  await expectRow(page, { Username: 'later', Status: 'Expired', 'Started ago': '1 d 23 h' });

  // That the earlier one goes shows that the cleaner has been there; the later one was 47:58 or 47:59 old then.
  server.moveClock(48 * HOUR + 30);
  await expectNoRow(page, { Username: 'earlier' }, { timeout: 60_000 });
  await expectRow(page, { Username: 'later', Status: 'Expired' });
  expect((await server.call(null, 'GET', '/healthz')).status).toBe(200);

  server.moveClock(48 * HOUR + 180);
  await expectNoRow(page, { Username: 'later' }, { timeout: 60_000 });
  await expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible();
  expect(await page.evaluate(() => 'notReloaded' in window)).toBe(true);
  await context.close();
});

test('the page warns before “Valid until”, and the tab is disconnected at that time', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  // Nobody touches the tab for hours, and that is not what this is about.
  await server.addApplication('Exam', { start_seconds: 300, idle_seconds: null, total_seconds: 8 * HOUR });
  await server.launchAs('student', 'Exam');
  const tab = await resume(await open('student', '/'), 'Exam');
  await expectConnected(tab);
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'student', Connected: 'Yes', 'Valid until': /^\d{2} \w+( \d{4})?, \d{2}:\d{2} \S+$/ });

  server.moveClock(8 * HOUR - 9 * 60 - 30);
  await expectRow(page, { Username: 'student', Connected: 'Yes', 'Valid until': / in [89] min$/ });
  server.moveClock(8 * HOUR - 60);
  await expectRow(page, { Username: 'student', 'Valid until': / in \d+ s$/ });
  server.moveClock(8 * HOUR + 1);
  await expectRow(page, { Username: 'student', Status: 'Expired', Connected: 'No', Action: /^Expired .+ by system$/ });
  await expectEnded(tab, tab.url().slice(-36), 'This session reached the end of its allowed time.');
});
