// Faults of the machine: a full disk, a failing disk, and a moved clock.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../support/test.ts';
import { type Server, SIMULATED } from '../support/server.ts';

/** Writes a file until the disk is full. */
function fill(folder: string): string {
  const file = join(folder, 'filler');
  const block = Buffer.alloc(64 * 1024);
  for (let size = block.length; size >= 512; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(file, block.subarray(0, size), { flag: 'a' });
    } catch {
      // The disk has no room for a block of this size. Try a smaller one.
    }
  }
  return file;
}

/** Launches and expires sessions until a request is refused. Returns the acknowledged ones and the refusal. */
async function launchUntilRefused(server: Server, from: number) {
  const application_id = await simulated(server);
  const acknowledged: string[] = [];
  const ended: string[] = [];
  for (let n = from; n < from + 5000; n += 1) {
    const answer = await server.call(`p${n % 40}`, 'POST', '/api/v1/sessions', { json: { application_id } });
    if (answer.status !== 201) return { acknowledged, ended, refusal: answer };
    const { id } = answer.json as { id: string };
    acknowledged.push(id);
    const expired = await server.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { json: {} });
    if (expired.status !== 200) return { acknowledged, ended, refusal: expired };
    ended.push(id);
  }
  throw new Error('the disk did not become full');
}

async function simulated(server: Server): Promise<string> {
  const all = (await server.call('admin', 'GET', '/api/v1/applications')).json as { id: string; name: string }[];
  return all.find(({ name }) => name === SIMULATED.application)?.id ?? '';
}

async function people(server: Server): Promise<void> {
  for (let n = 0; n < 40; n += 1) await server.cookie(await server.person(`p${n}`, 'user'));
}

test('a full disk gives a clear error, loses nothing acknowledged, and the server recovers by itself when there is room', async ({ startServer }) => {
  const server = await startServer({ name: 'disk-full', simulated: true, disk: '48m', movableClock: true });
  await people(server);
  await server.cookie('admin');
  const before: string[] = [];
  for (let n = 0; n < 20; n += 1) before.push((await server.launchAs(`p${n}`)).id);
  const filler = fill(server.dataDir);
  const { acknowledged: last, ended, refusal } = await launchUntilRefused(server, 20);
  const acknowledged = [...before, ...last];
  expect(refusal.status, refusal.text).toBe(503);
  expect(refusal.json).toMatchObject({ code: 'disk_full' });
  // Late enough that the server would store the last use of the logins again.
  server.moveClock(120);
  expect((await server.list()).total, 'the server still answers').toBe(acknowledged.length);
  rmSync(filler);
  // A user without a session, so that the launch has to write a row.
  const late = await server.person('late', 'user');
  await expect(async () => acknowledged.push((await server.launchAs(late)).id)).toPass();
  await server.kill();
  await server.launch();
  for (const id of ended) expect(await server.session(id)).toMatchObject({ status: 'expired', ended_by: 'admin' });
  for (const id of acknowledged) expect((await server.session(id)).id).toBe(id);
  expect(await server.cli(['events', 'verify'])).toContain('consistent up to ');
  console.log(`disk full: ${acknowledged.length - 1} launches and ${ended.length} ends acknowledged before the refusal, none lost; the server wrote again without a restart`);
});

test('the server reports a failing fsync and exits, and acknowledged changes are there after a restart', async ({ startServer }) => {
  const inject = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO:when=150+'];
  const server = await startServer({ name: 'disk-fails', simulated: true, wrapper: inject });
  await server.cookie('student');
  const acknowledged: string[] = [];
  const application_id = await simulated(server);
  for (;;) {
    const answer = await server.call('student', 'POST', '/api/v1/sessions', { json: { application_id } }).catch(() => undefined);
    if (answer?.status !== 201) break;
    const { id } = answer.json as { id: string };
    const expired = await server.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { json: {} }).catch(() => undefined);
    if (expired?.status !== 200) break;
    acknowledged.push(id);
  }
  expect(await server.ended(), 'the server exits with an error').not.toBe(0);
  expect(server.log).toContain('the disk of the data directory failed');
  await server.launchWithoutWrapper();
  for (const id of acknowledged) expect(await server.session(id)).toMatchObject({ status: 'expired', ended_by: 'admin' });
  expect(await server.cli(['events', 'verify'])).toContain('consistent up to ');
  console.log(`disk fails on fsync: ${acknowledged.length} ends acknowledged before the fault, none lost; the server exited and started again`);
});

test('a clock that jumps by hours expires and purges nothing early, and Refresh waits 30 s at most', async ({ startServer }) => {
  const server = await startServer({ name: 'clock', simulated: true, movableClock: true, monotonicClock: true });
  const live = await server.launchAs('student');
  const ended = await server.launchAs(await server.person('earlier', 'user'));
  await server.expire(ended.id);
  await expect.poll(async () => (await server.session(ended.id)).teardown).toBe('confirmed');
  const before = Date.now();
  for (const hours of [60, -60, 9, -9, 0]) {
    server.moveClock(hours * 3600);
    await waitForPurge(server);
    await expect(async () => {
      expect(await server.session(live.id)).toMatchObject({ status: 'active' });
      expect(await server.session(ended.id)).toMatchObject({ status: 'expired' });
      const wait = Date.parse((await server.list()).next_refresh_at) - before;
      expect(wait, 'Refresh waits 30 s at most').toBeLessThan(60_000);
    }).toPass();
  }
  console.log('clock moved by 60 and 9 hours either way: nothing expired, nothing purged');
});

/** Waits until the server has looked for rows to purge, which it does every 15 s. */
async function waitForPurge(server: Server): Promise<void> {
  const began = Date.now();
  await expect.poll(() => Date.now() - began, { timeout: 30_000, intervals: [1000] }).toBeGreaterThan(16_000);
  expect((await server.call(null, 'GET', '/healthz')).status).toBe(200);
}
