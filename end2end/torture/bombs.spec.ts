// Applications that use all the resources they can get, while the server must still answer and launch.
import { loadavg } from 'node:os';
import { expect, test } from '../support/test.ts';
import type { Server } from '../support/server.ts';

/** Each bomb stops by itself, in case that no limit stops it. */
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

/** Makes one call after the other until `goesOn` is false. Returns the milliseconds of each. */
async function measure(call: () => Promise<unknown>, goesOn: () => boolean): Promise<number[]> {
  const times: number[] = [];
  do {
    const began = performance.now();
    await call();
    times.push(performance.now() - began);
  } while (goesOn());
  return times;
}

function summary(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (index: number) => `${(sorted[index] ?? NaN).toFixed(1)} ms`;
  return `median ${at(Math.floor(sorted.length / 2))}, max ${at(sorted.length - 1)} of ${sorted.length}`;
}

/** Launches a session, waits until it is ready, and expires it. */
async function launchOne(server: Server, username: string): Promise<void> {
  const { id } = await server.launchAs(username, 'Terminal');
  await expect.poll(async () => (await server.session(id)).status, { timeout: 60_000, intervals: [20] }).toBe('active');
  await server.expire(id);
}

/** Requests /healthz and launches sessions in parallel until `goesOn` is false, and prints their times. */
async function measureAnswers(server: Server, title: string, goesOn: () => boolean): Promise<void> {
  const healthz = async () => expect((await server.call(null, 'GET', '/healthz')).status).toBe(200);
  const [asked, launched] = await Promise.all([measure(healthz, goesOn), measure(() => launchOne(server, 'student'), goesOn)]);
  const load = (loadavg()[0] ?? NaN).toFixed(1);
  console.log(`${title}: healthz ${summary(asked)}; launch until ready ${summary(launched)}; load ${load}`);
}

test('fork, memory and CPU bombs hit their limits, their rows say so, and the server keeps answering', async ({ startServer }) => {
  const server = await startServer({ name: 'bombs' });
  const limits = (await server.call(null, 'GET', '/readyz')).text;
  console.log(limits);
  expect(limits, 'this test needs a machine with memory limits').toContain('2 GiB memory');
  for (const [name, { command }] of Object.entries(BOMBS)) await server.cli(['application', 'add', name, '--', ...command]);
  const bomber = await server.person('bomber', 'user');
  // The server reads the catalogue again at its next poll.
  await expect.poll(async () => (await server.call(bomber, 'GET', '/api/v1/applications')).text).toContain('CPU bomb');
  const neighbour = await server.launchAs(await server.person('neighbour', 'user'), 'Terminal');

  const restEnds = Date.now() + 5000;
  await measureAnswers(server, 'at rest', () => Date.now() < restEnds);
  for (const [name, { ended }] of Object.entries(BOMBS)) {
    const { id } = await server.launchAs(bomber, name);
    let over = false;
    const ending = expect
      .poll(async () => (await server.session(id)).error ?? '', { message: name, timeout: 120_000, intervals: [250] })
      .toMatch(ended)
      .finally(() => (over = true));
    await measureAnswers(server, name, () => !over);
    await ending;
    await server.expire(id);
  }
  expect(await server.session(neighbour.id), 'another session goes on').toMatchObject({ status: 'active' });
});
