// Clients that hang up while the server renders their page: nothing panics, and the server frees their memory.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '../support/test.ts';
import type { Server } from '../support/server.ts';

const HANGUPS = Number(process.env.TORTURE_HANGUPS ?? 100_000);
const AT_A_TIME = 16;
/**
 * The longest time from a request to its hang-up, in milliseconds. Some hang up before, some during and some after the
 * rendering.
 */
const LONGEST = 12;
/** The limit for the whole test. */
const DEADLINE_MS = 600_000;
/** One page of each kind. */
const PAGES = [
  '/admin/cloud-delivery/sessions',
  '/admin/cloud-delivery/sessions?q=user:a&sort=-username',
  '/admin/cloud-delivery/sessions/0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11',
  '/admin/cloud-delivery/sessions/0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11/expire',
  '/admin/cloud-delivery/environments',
  '/admin/cloud-delivery/applications',
  '/admin/cloud-delivery/applications/new',
  '/',
  '/login',
  '/no-such-page',
];

/** The resident memory of a process in MiB. */
function memory(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

async function hangUp(server: Server, path: string, cookie: string): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\ncookie: ${cookie}\r\naccept: text/html\r\n\r\n`);
  await delay(Math.random() * LONGEST);
  socket.destroy();
}

async function hangUps(server: Server, count: number, cookie: string): Promise<void> {
  let next = 0;
  const client = async () => {
    for (let n = next++; n < count; n = next++) await hangUp(server, PAGES[n % PAGES.length] ?? '/', cookie);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
}

test('clients that hang up while the server renders their page cause no panic and take no memory', async ({ startServer }) => {
  test.setTimeout(DEADLINE_MS);
  const server = await startServer({ name: 'hangups', simulated: true, seed: 500 });
  const cookie = await server.cookie('admin');
  const before = memory(server.pid);
  await hangUps(server, HANGUPS / 10, cookie);
  const warm = memory(server.pid);
  await hangUps(server, HANGUPS - HANGUPS / 10, cookie);
  expect((await server.call('admin', 'GET', PAGES[0] ?? '/', { headers: { accept: 'text/html' } })).status).toBe(200);
  const after = memory(server.pid);
  expect(server.log).not.toContain('panicked');
  expect(after, `${before} MiB before, ${warm} MiB when warm`).toBeLessThanOrEqual(Math.ceil(warm * 1.15) + 8);
  console.log(`${HANGUPS} hang-ups: no panic; ${before} MiB before, ${warm} MiB after a tenth, ${after} MiB after all`);
});
