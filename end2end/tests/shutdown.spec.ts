// Graceful shutdown, as an update does it: nothing is lost, and all tabs and pages reconnect by themselves.
import { expect, test } from '../support/test.ts';
import { type Server, SIMULATED } from '../support/server.ts';
import { expectConnected, launch } from '../support/portal.ts';
import { openStream } from '../support/http.ts';
import { expectRow, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'shutdown', simulated: true } });

/**
 * The limits of the phases of a shutdown add up to less than this. Its other work takes as long as the machine needs.
 */
const SHUTDOWN_MS = 10_000;
/** The log line of the first signal. */
const SHUTDOWN_BEGINS = /stopping: |shutting down/i;

/**
 * Stops and starts the server without clients. Returns the milliseconds of the stop, which is all work and no waiting.
 */
async function idleShutdown(server: Server): Promise<number> {
  const began = performance.now();
  expect(await server.terminate()).toBe(0);
  const took = performance.now() - began;
  await server.launch();
  return took;
}

test('after SIGTERM the server asks tabs and pages to reconnect, exits with 0, and they reconnect after a restart', async ({ server, open, consoleErrors }) => {
  const idle = await idleShutdown(server);
  consoleErrors.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/, /410 \(Gone\)|503 \(Service/, /WebSocket|Failed when connecting|1012/);
  const tab = await launch(await open('student', '/'), SIMULATED.application);
  await expectConnected(tab);
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'student', Status: 'Active', Connected: 'Yes' });
  await page.evaluate(() => Object.assign(window, { notReloaded: true }));

  const began = performance.now();
  expect(await server.terminate()).toBe(0);
  expect(performance.now() - began).toBeLessThan(SHUTDOWN_MS + 10 * idle);
  await expect(tab.getByText('The server is restarting. Reconnecting…')).toBeVisible();
  await expect(page.getByRole('alert')).toContainText('Can’t reach the server.');

  await server.launch();
  await expect(page.getByRole('alert')).toHaveCount(0);
  // Simulated sessions end with the server, and the pages show it.
  await expectRow(page, { Username: 'student', Status: /^Error/, Connected: 'No' });
  await expect(tab.getByRole('heading', { name: `${SIMULATED.application} is not running` })).toBeVisible();
  expect(await page.evaluate(() => 'notReloaded' in window)).toBe(true);
});

test('a client that keeps its connections open does not block the shutdown, and acknowledged changes survive it', async ({ startServer }) => {
  const server = await startServer({ name: 'shutdown-held', simulated: true });
  const idle = await idleShutdown(server);
  const { id } = await server.launchAs('student');
  // A tab that never reads, and a request whose body never ends.
  const tab = await openStream(server.url, `/sessions/${id}/stream`, { cookie: await server.cookie('student'), origin: server.url });
  tab?.pause();
  // The login comes first, so that the request itself is under way before the shutdown begins.
  await server.cookie('admin');
  const endless = server.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { body: '{"reason":"', unfinished: true, headers: { 'content-type': 'application/json' } }).catch(() => 'cut');
  const expired = await server.launchAs(await server.person('other', 'user'));
  await server.expire(expired.id, 'before the stop');
  const began = performance.now();
  expect(await server.terminate()).toBe(0);
  expect(performance.now() - began).toBeLessThan(SHUTDOWN_MS + 10 * idle);
  expect(await endless).toBe('cut');
  tab?.destroy();
  await server.launch();
  expect(await server.session(expired.id)).toMatchObject({ status: 'expired', ended_by: 'admin' });
  expect(await server.session(id), 'the incomplete request had no effect').toMatchObject({ status: 'error', connected: false });
});

test('during the shutdown the server accepts no new tab', async ({ startServer }) => {
  const server = await startServer({ name: 'shutdown-ready', simulated: true });
  const { id } = await server.launchAs('student');
  const cookie = await server.cookie('student');
  expect((await server.call(null, 'GET', '/readyz')).status).toBe(200);
  // A request that does not end delays the shutdown.
  // The login comes first, so that the request itself is under way before the shutdown begins.
  await server.cookie('admin');
  const endless = server.call('admin', 'POST', '/api/v1/sessions/refresh', { body: '{', unfinished: true }).catch(() => 'cut');
  const down = server.terminate();
  await expect.poll(() => server.log).toMatch(SHUTDOWN_BEGINS);
  const late = await openStream(server.url, `/sessions/${id}/stream`, { cookie, origin: server.url }).catch(() => undefined);
  expect(late).toBeUndefined();
  expect(await down).toBe(0);
  expect(await endless).toBe('cut');
});

test('a second SIGTERM stops the server at once', async ({ startServer }) => {
  const server = await startServer({ name: 'shutdown-twice', simulated: true });
  await server.launchAs('student');
  // The login comes first, so that the request itself is under way before the shutdown begins.
  await server.cookie('admin');
  const endless = server.call('admin', 'POST', '/api/v1/sessions/refresh', { body: '{', unfinished: true }).catch(() => 'cut');
  await expect.poll(async () => (await server.list()).total).toBe(1);
  const down = server.terminate();
  await expect.poll(() => server.log).toMatch(SHUTDOWN_BEGINS);
  server.signal('SIGTERM');
  expect(await down).toBe(0);
  // The server logs that the second signal, and not the end of the shutdown, stopped it.
  expect(server.log).toMatch(/\bsecond\b/);
  await endless;
});
