// Purging and the end of the allowed time, with a clock that the test moves.
import { expect, test } from '../support/test.ts';
import { expectConnected, expectEnded, resume } from '../support/portal.ts';
import { expectNoRow, expectRow, SESSIONS } from '../support/sessions.ts';

// Idle days would end the logins, which is not the subject here.
const settings = { CLOUD_DELIVERY_LOGIN_IDLE_MINUTES: '6000', CLOUD_DELIVERY_LOGIN_MAX_HOURS: '100' };

test.use({ setup: { name: 'purge', simulated: true, movableClock: true, settings } });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** This test moves the clock forward by days, and a server’s clock must not go back. So it has its own server. */
const setup = { name: 'purge-clock', simulated: true, movableClock: true };

test('an Expired row stays for 48 hours to the minute, then disappears from the open page', async ({ startServer, openOn }) => {
  const server = await startServer(setup);
  const earlier = await server.launchAs(await server.person('earlier', 'user'));
  const ended = async (id: string) => Date.parse((await server.expire(id)).ended_at ?? '');
  const earlierEnd = await ended(earlier.id);
  // Two minutes apart: a run would have to stand still for longer to purge the second row too early.
  server.setClock(earlierEnd + 2 * MINUTE);
  const later = await server.launchAs(await server.person('later', 'user'));
  const laterEnd = await ended(later.id);
  for (const { id } of [earlier, later]) await expect.poll(async () => (await server.session(id)).teardown).toBe('confirmed');

  // A login lasts 8 hours, so this one begins when the first row is 41 hours old.
  server.setClock(earlierEnd + 41 * HOUR);
  await server.renewLogin('admin');
  const page = await openOn(server, 'admin', SESSIONS);
  await page.evaluate(() => Object.assign(window, { notReloaded: true }));

  server.setClock(earlierEnd + 48 * HOUR - MINUTE);
  await expectRow(page, { Username: 'earlier', Status: 'Expired', 'Started ago': '1 d 23 h' });
  await expectRow(page, { Username: 'later', Status: 'Expired', 'Started ago': '1 d 23 h' });

  // The purge of the earlier row shows that the server has looked for old rows. The later one is not old enough yet.
  server.setClock(earlierEnd + 48 * HOUR + SECOND);
  await expectNoRow(page, { Username: 'earlier' });
  await expectRow(page, { Username: 'later', Status: 'Expired' });
  expect((await server.call(null, 'GET', '/healthz')).status).toBe(200);

  server.setClock(laterEnd + 48 * HOUR + SECOND);
  await expectNoRow(page, { Username: 'later' });
  await expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible();
  expect(await page.evaluate(() => 'notReloaded' in window)).toBe(true);
});

test('the page warns before “Valid until”, and the tab is disconnected at that time', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  // Without the limit for idle tabs, which would close the tab earlier.
  await server.addApplication('Exam', { start_seconds: 300, idle_seconds: null, total_seconds: 8 * 3600 });
  const session = await server.launchAs('student', 'Exam');
  const end = Date.parse(session.valid_until);
  const tab = await resume(await open('student', '/'), 'Exam');
  await expectConnected(tab);
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'student', Connected: 'Yes', 'Valid until': /^\d{2} \w+( \d{4})?, \d{2}:\d{2}$/ });

  server.setClock(end - 9 * MINUTE);
  await expectRow(page, { Username: 'student', Connected: 'Yes', 'Valid until': / in [89] min$/ });
  server.setClock(end - MINUTE);
  await expectRow(page, { Username: 'student', 'Valid until': / in \d+ s$/ });
  server.setClock(end + SECOND);
  await expectRow(page, { Username: 'student', Status: 'Expired', Connected: 'No', Action: /^Expired .+ by system$/ });
  await expectEnded(tab, tab.url().slice(-36), 'This session reached the end of its allowed time.');
});
