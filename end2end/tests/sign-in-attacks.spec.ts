// Attacks on sign-in: guesses through the same proxy and from the same address, and clients that hang up during a
// password check.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Nginx } from '../support/nginx.ts';
import { expect, test } from '../support/test.ts';
import { type HttpResponse, send } from '../support/http.ts';
import { TEST_LIMIT_MS } from '../support/limits.ts';
import { PASSWORD } from '../support/server.ts';

/** More guesses than a network may make at once. */
const GUESSES = 120;
const ABORTED = 120;

interface Attempt {
  username: string;
  password: string;
  from?: string;
  headers?: Record<string, string>;
}

function signIn(url: string, { username, password, from, headers }: Attempt): Promise<HttpResponse> {
  const body = new URLSearchParams({ username, password, next: '/' }).toString();
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
  return send(url, 'POST', '/login', { body, headers: form, ...(from === undefined ? {} : { from }) });
}

const succeeded = (answer: HttpResponse) => answer.status === 303 && answer.headers.location === '/';

/** Makes guesses, eight in parallel, until `stop`. */
function guesser(attempt: (number: number) => Promise<HttpResponse>) {
  const state = { stopped: false, made: 0 };
  const one = async () => {
    while (!state.stopped && state.made < 20 * GUESSES) {
      state.made += 1;
      await attempt(state.made);
    }
  };
  const running = Promise.all(Array.from({ length: 8 }, one));
  return {
    get made() {
      return state.made;
    },
    async stop() {
      state.stopped = true;
      await running;
    },
  };
}

test.describe('behind nginx', () => {
  test('an attacker’s guesses delay nobody at another address, and Audit shows the real addresses', async ({ startServer }) => {
    const port = await Nginx.freePort();
    const server = await startServer({
      name: 'nginx',
      settings: { CLOUD_DELIVERY_TRUSTED_PROXIES: '127.0.0.1', CLOUD_DELIVERY_PUBLIC_URL: `http://127.0.0.1:${port}` },
    });
    const nginx = await Nginx.start(port, server.port);
    try {
      // Each guess claims another address, in every header that a proxy may trust.
      const spoofed = { 'x-forwarded-for': '127.0.0.3', forwarded: 'for=127.0.0.3', 'x-real-ip': '127.0.0.3' };
      const guesses = guesser((number) => signIn(nginx.url, { username: `name${number}`, password: 'guess', from: '127.0.0.2', headers: spoofed }));
      await expect.poll(() => guesses.made, { timeout: TEST_LIMIT_MS }).toBeGreaterThan(GUESSES);
      let entered = 0;
      for (let attempt = 0; attempt < 20; attempt += 1) {
        entered += Number(succeeded(await signIn(nginx.url, { username: 'admin', password: PASSWORD, from: '127.0.0.3' })));
      }
      await guesses.stop();
      expect(entered, 'of 20 attempts of the right administrator').toBe(20);
      const events = (await server.call('admin', 'GET', '/api/v1/events?q=what:sign&limit=200')).json as { items: { kind: string; address: string }[] };
      const addresses = (kind: string) => new Set(events.items.filter((event) => event.kind === kind).map(({ address }) => address));
      expect([...addresses('sign_in_failed')]).toEqual(['127.0.0.2']);
      expect([...addresses('signed_in')]).toContain('127.0.0.3');
    } finally {
      await nginx.stop();
    }
  });
});

test('guesses from the same address never delay a user who signed in from there before', async ({ startServer }) => {
  const server = await startServer({ name: 'same-address' });
  expect(succeeded(await signIn(server.url, { username: 'admin', password: PASSWORD }))).toBe(true);
  const guesses = guesser((number) => signIn(server.url, { username: number % 2 === 0 ? 'admin' : `name${number}`, password: 'guess' }));
  await expect.poll(() => guesses.made, { timeout: TEST_LIMIT_MS }).toBeGreaterThan(GUESSES);
  let entered = 0;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    let answer = await signIn(server.url, { username: 'admin', password: PASSWORD });
    // 503 means that the queue of password checks is full. It is no decision on the password.
    while (answer.status === 503) answer = await signIn(server.url, { username: 'admin', password: PASSWORD });
    entered += Number(succeeded(answer));
  }
  await guesses.stop();
  expect(entered, 'of 20 attempts of the right administrator').toBe(20);
});

test('clients that hang up during their password check take no memory', async ({ startServer }) => {
  const server = await startServer({ name: 'hang-up' });
  await signIn(server.url, { username: 'admin', password: PASSWORD });
  const before = residentMib(server.pid);
  let highest = before;
  const abort = (number: number) =>
    new Promise<void>((resolve) => {
      const body = new URLSearchParams({ username: `name${number}`, password: 'guess', next: '/' }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
      const outgoing = request(new URL('/login', server.url), { method: 'POST', headers, agent: false, localAddress: `127.0.1.${1 + (number % 200)}` });
      outgoing.on('error', () => resolve());
      outgoing.on('response', () => resolve());
      // Hang up as soon as the request is sent.
      outgoing.end(body, () => outgoing.destroy());
      outgoing.on('close', () => resolve());
    });
  await Promise.all(
    Array.from({ length: ABORTED }, async (_, number) => {
      await abort(number);
      highest = Math.max(highest, residentMib(server.pid));
    }),
  );
  // The queue is in order, so all earlier checks are done after this one.
  await expect.poll(async () => succeeded(await signIn(server.url, { username: 'admin', password: PASSWORD }))).toBe(true);
  highest = Math.max(highest, residentMib(server.pid));
  // Two parallel checks take 38 MiB.
  expect(highest - before, `from ${before} MiB`).toBeLessThan(120);
});

function residentMib(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}
