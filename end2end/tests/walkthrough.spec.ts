// The whole product in one test: a student launches a real application, and an administrator watches and ends it.
import { waitForHydration, expect, test } from '../support/test.ts';
import { difference, expectConnected, expectEnded, expectPrompt, launch, picture, resume, sessionIn, settled, signIn, typeLine } from '../support/portal.ts';
import { alive, processesOf, running } from '../support/processes.ts';
import { askToExpire, expectRow, recordCell, SESSIONS } from '../support/sessions.ts';
import { handshake } from '../support/http.ts';

test.use({ setup: { name: 'walkthrough' } });

const HOST = 'This host';
const REASON = 'The licence is needed for an exam.';

test('a student launches Terminal, and an administrator watches and expires the session', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const admin = await open('admin', SESSIONS);
  const statuses = await recordCell(admin, 'student', 'Status');
  const ages = await recordCell(admin, 'student', 'Started ago');
  const student = await open(null, '/');
  await signIn(student, 'student', server.password('student'));
  await waitForHydration(student);

  let tab = await launch(student, 'Terminal');
  await expectPrompt(tab);
  const session = sessionIn(tab);
  await expect.poll(statuses).toEqual(['Pending', 'Active']);
  await expectRow(admin, { Environment: HOST, Username: 'student', Status: 'Active', Connected: 'Yes' });

  const size = await tab.locator('canvas').boundingBox();
  expect([size?.width, size?.height], 'the application fills the tab below the bar of the menu').toEqual([1280, 776]);
  const empty = await picture(tab);
  await typeLine(tab, 'sleep 4242 &');
  await expect.poll(() => running('sleep 4242'), 'the command runs').toBeDefined();
  const sleeper = running('sleep 4242');
  // The second sleep starts after the output of the line, and it keeps the blinking prompt away.
  await typeLine(tab, 'clear; echo the same screen; sleep 4243');
  await expect.poll(() => running('sleep 4243'), 'the second command runs').toBeDefined();
  await expect.poll(async () => (await ages()).length, 'Started ago ticks').toBeGreaterThan(2);
  const seconds = (await ages()).map((age) => Number(/^\d+/.exec(age)?.[0]) * (age.endsWith(' min') ? 60 : 1));
  expect(seconds, 'Started ago only increases').toEqual([...new Set(seconds)].sort((a, b) => a - b));

  const before = await settled(tab);
  expect(difference(before, empty), 'the screen shows the typed text').toBeGreaterThan(30);
  const left = Date.now();
  await tab.close();
  await expectRow(admin, { Username: 'student', Status: 'Active', Connected: 'Yes' });
  await expectRow(admin, { Username: 'student', Status: 'Active', Connected: 'No' });
  expect(Date.now() - left, 'not before the end of the grace period of 2 s').toBeGreaterThan(1900);

  tab = await resume(student, 'Terminal');
  await expectConnected(tab);
  expect(sessionIn(tab)).toBe(session);
  await expect.poll(async () => difference(await picture(tab), before), 'the same screen').toBeLessThan(6);
  expect(running('sleep 4242'), 'the same process').toBe(sleeper);
  await expectRow(admin, { Username: 'student', Connected: 'Yes' });

  const sandbox = processesOf(session).map(({ pid }) => pid);
  expect(sandbox).toContain(sleeper);
  const login = (await student.context().cookies())[0];
  const cookie = `${login?.name}=${login?.value}`;
  const dialog = await askToExpire(admin, 'student', HOST);
  await dialog.getByLabel(/^Reason/).fill(REASON);
  await dialog.getByRole('button', { name: 'Expire session' }).click();
  await expectRow(admin, { Username: 'student', Status: 'Expired', Connected: 'No' });
  await expect.poll(() => [...alive(sandbox), ...processesOf(session)], 'the processes of the session are gone').toEqual([]);

  await expectEnded(tab, session, REASON, 'Administrator (admin)');
  const refused = await handshake(server.url, `/sessions/${session}/stream`, { cookie, origin: server.url });
  expect(refused.status).toBe(410);
  expect((await server.call('student', 'GET', `/sessions/${session}`)).status).toBe(410);
  await expectRow(admin, { Username: 'student', Status: 'Expired', Action: /^Expired .+ by admin “The licence/ });
});
