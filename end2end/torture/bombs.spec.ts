// Applications that take all they can get, while the server must still answer and launch.
import { loadavg } from 'node:os';
import { expect, test } from '../support/test.ts';
import type { Server } from '../support/server.ts';

/** Each has a limit of its own, for the case that nothing else bounds it. */
const BOMBS: Record<string, { command: string[]; ended: RegExp }> = {
  'Fork bomb': {
    command: ['perl', '-e', 'for (1..6000) { my $child = fork; if (defined $child && !$child) { sleep 60; exit } } sleep 8; exit 9'],
    ended: /^the application ended with status 9(; it had reached its limit of 512 processes)?$/,
  },
  'Memory bomb': {
    command: ['perl', '-e', 'my ($size, @all) = 16 << 20; push @all, "x" x $size for 1..256; exit 5'],
    ended: /^Ended: it used more than its 2 GiB of memory\.$/,
  },
  'CPU bomb': {
    command: ['perl', '-e', 'for (1..16) { my $child = fork; last if !$child } my $until = time + 10; 1 while time < $until; exit 9'],
    ended: /^the application ended with status 9$/,
  },
};

/** Milliseconds of one call after the other, until told to stop. */
async function measure(call: () => Promise<unknown>, goesOn: () => boolean): Promise<number[]> {
  const times: number[] = [];
  do {
    const began = performance.now();
    await call();
    times.push(performance.now() - began);
  } while (goesOn());
  return times;
}

function words(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (index: number) => `${(sorted[index] ?? NaN).toFixed(1)} ms`;
  return `median ${at(Math.floor(sorted.length / 2))}, max ${at(sorted.length - 1)} of ${sorted.length}`;
}

/** Until the session is ready, and then it is ended. */
async function launchOne(server: Server, who: string): Promise<void> {
  const { id } = await server.launchAs(who, 'Terminal');
  await expect.poll(async () => (await server.session(id)).status, { timeout: 60_000, intervals: [20] }).toBe('active');
  await server.expire(id);
}

/** Asks and launches at the same time, for as long as something is to be seen. */
async function answers(server: Server, what: string, goesOn: () => boolean): Promise<void> {
  const healthz = async () => expect((await server.call(null, 'GET', '/healthz')).status).toBe(200);
  const [asked, launched] = await Promise.all([measure(healthz, goesOn), measure(() => launchOne(server, 'student'), goesOn)]);
  const load = (loadavg()[0] ?? NaN).toFixed(1);
  console.log(`${what}: healthz ${words(asked)}; launch until ready ${words(launched)}; load ${load}`);
}

test('fork, memory and CPU bombs hit their limits, their rows say so, and the server keeps answering', async ({ startServer }) => {
  const server = await startServer({ name: 'bombs' });
  const limits = (await server.call(null, 'GET', '/readyz')).text;
  console.log(limits);
  expect(limits, 'without a limit of memory this machine can not show it').toContain('2 GiB memory');
  for (const [name, { command }] of Object.entries(BOMBS)) await server.cli(['application', 'add', name, '--', ...command]);
  const bomber = await server.person('bomber', 'user');
  // The catalogue is read again within a second.
  await expect.poll(async () => (await server.call(bomber, 'GET', '/api/v1/applications')).text).toContain('CPU bomb');
  const neighbour = await server.launchAs(await server.person('neighbour', 'user'), 'Terminal');

  const rest = Date.now() + 5000;
  await answers(server, 'at rest', () => Date.now() < rest);
  for (const [name, { ended }] of Object.entries(BOMBS)) {
    const { id } = await server.launchAs(bomber, name);
    let over = false;
    const looking = expect
      .poll(async () => (await server.session(id)).error ?? '', { message: name, timeout: 120_000, intervals: [250] })
      .toMatch(ended)
      .finally(() => (over = true));
    await answers(server, name, () => !over);
    await looking;
    await server.expire(id);
  }
  expect(await server.session(neighbour.id), 'its neighbour goes on').toMatchObject({ status: 'active' });
});
