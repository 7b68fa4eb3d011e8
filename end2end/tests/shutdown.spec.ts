// The server is told to stop, as an update does it, while people work: nothing is lost, and everybody comes back without a click.
import type { Socket } from 'node:net';
import { expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { expectConnected, launch } from '../support/portal.ts';
import { openStream } from '../support/http.ts';
import { expectRow, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'shutdown', simulated: true } });

/** Longest way down that whoever stops the server has to wait for. */
const DOWN_MS = 10_000;

test('after SIGTERM the server asks tabs and pages to reconnect, exits with 0, and they reconnect after a restart', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/, /410 \(Gone\)|503 \(Service/, /WebSocket|Failed when connecting|1012/);
  const tab = await launch(await open('student', '/'), SIMULATED.application);
  await expectConnected(tab);
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'student', Status: 'Active', Connected: 'Yes' });
  await page.evaluate(() => Object.assign(window, { notReloaded: true }));

  const began = Date.now();
  expect(await server.terminate()).toBe(0);
  expect(Date.now() - began).toBeLessThan(DOWN_MS);
  await expect(tab.getByText('The server restarts. The session is opened again in a moment…')).toBeVisible();
  await expect(page.getByRole('alert')).toContainText('You are offline.');

  await server.launch();
  await expect(page.getByRole('alert')).toHaveCount(0, { timeout: 20_000 });
  // What only pretends to run is gone with the server, and nobody is told otherwise.
  await expectRow(page, { Username: 'student', Status: /^Error/, Connected: 'No' });
  await expect(tab.getByRole('heading', { name: `${SIMULATED.application} is not running` })).toBeVisible({ timeout: 20_000 });
  expect(await page.evaluate(() => 'notReloaded' in window)).toBe(true);
});

test('a client that keeps its connections open does not block the shutdown, and acknowledged changes survive it', async ({ startServer }) => {
  const server = await startServer({ name: 'shutdown-held', simulated: true });
  const { id } = await server.launchAs('student');
  const held: (Socket | undefined)[] = [];
  // A tab that never reads, and a request whose body never ends.
  held.push(await openStream(server.url, `/sessions/${id}/stream`, { cookie: await server.cookie('student'), origin: server.url }));
  held[0]?.pause();
  const endless = server.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { body: '{"reason":"', unfinished: true, headers: { 'content-type': 'application/json' } }).catch(() => 'cut');
  const expired = await server.launchAs(await server.person('other', 'user'));
  await server.expire(expired.id, 'before the stop');
  const began = Date.now();
  expect(await server.terminate()).toBe(0);
  expect(Date.now() - began).toBeLessThan(DOWN_MS);
  expect(await endless).toBe('cut');
  for (const socket of held) socket?.destroy();
  await server.launch();
  expect(await server.session(expired.id)).toMatchObject({ status: 'expired', ended_by: 'admin' });
  expect(await server.session(id), 'the half request has done nothing').toMatchObject({ status: 'error', connected: false });
});

test('during the shutdown the server accepts no new tab', async ({ startServer }) => {
  const server = await startServer({ name: 'shutdown-ready', simulated: true });
  const { id } = await server.launchAs('student');
  const cookie = await server.cookie('student');
  expect((await server.call(null, 'GET', '/readyz')).status).toBe(200);
  // Held up by a request that does not end, it answers on connections that are there already.
  const endless = server.call('admin', 'POST', '/api/v1/sessions/refresh', { body: '{', unfinished: true }).catch(() => 'cut');
  const down = server.terminate();
  await expect.poll(() => server.log).toContain('stopping: tabs and watchers are told to come back');
  const late = await openStream(server.url, `/sessions/${id}/stream`, { cookie, origin: server.url }).catch(() => undefined);
  expect(late).toBeUndefined();
  expect(await down).toBe(0);
  expect(await endless).toBe('cut');
});

test('a second SIGTERM stops the server at once', async ({ startServer }) => {
  const server = await startServer({ name: 'shutdown-twice', simulated: true });
  await server.launchAs('student');
  const endless = server.call('admin', 'POST', '/api/v1/sessions/refresh', { body: '{', unfinished: true }).catch(() => 'cut');
  await expect.poll(async () => (await server.list()).total).toBe(1);
  const down = server.terminate();
  await expect.poll(() => server.log).toContain('stopping: tabs');
  const began = Date.now();
  server.signal('SIGTERM');
  expect(await down).toBe(0);
  expect(Date.now() - began).toBeLessThan(2000);
  await endless;
});
