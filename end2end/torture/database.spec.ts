// The database fails under a busy server: it is killed, restarted, frozen, and cut off by a firewall. The server says so, stays, and
// goes on by itself; nothing that was acknowledged is lost.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type HttpResponse, openStream } from '../support/http.ts';
import { expect, test } from '../support/test.ts';
import { type Server, type Session, SIMULATED } from '../support/server.ts';

const CLIENTS = 6;
/** People whose applications start when the fault begins, and run on. */
const LATE = 12;
/** Pairs of a launch and an expire that are acknowledged before the fault, and again after it. */
const ENOUGH = 20;
/** In this time the first of the late launches are answered. */
const FIRST_ANSWERS_MS = 12;
/** How long a fault lasts that ends by itself. */
const LASTS_MS = 10_000;
/** A node that has lost the database for so long has closed its tabs: somebody else may have ended their sessions. */
const LOST_MS = 10_000;
/** Longest time for a refusal: a database that says nothing is given up by then. */
const REFUSED_MS = 15_000;
/** Longest time until something is acknowledged again. */
const AGAIN_MS = 10_000;
/** Words of the database and of the machine, which nobody who uses the server can do anything with. */
const INSIDE = /sqlx|sql|postgres|tcp|os error|connection|timed out|panic/i;

interface Refusal extends HttpResponse {
  ms: number;
}

/** Clients that launch and expire one after the other, whatever happens. */
class Load {
  /** Acknowledged launches, and acknowledged ends. */
  readonly launched = new Set<string>();
  readonly ended = new Set<string>();
  readonly refusals: Refusal[] = [];
  /** When each end was acknowledged. */
  readonly acknowledged: number[] = [];
  /** What may never be: a request without an answer. */
  readonly unanswered: unknown[] = [];
  private going = true;
  private clients: Promise<void>[] = [];

  constructor(
    private readonly server: Server,
    private readonly application_id: string,
  ) {}

  start(): void {
    this.clients = Array.from({ length: CLIENTS }, (_, n) => this.client(`p${n}`));
  }

  /** One launch for each of the late ones, of which some are acknowledged and not yet ready when the fault begins. */
  late(): void {
    for (let n = 0; n < LATE; n += 1) {
      const launch = this.ask(`late${n}`, '/api/v1/sessions', { application_id: this.application_id });
      this.clients.push(launch.then((launched) => void (launched && this.launched.add(launched.id))));
    }
  }

  async stop(): Promise<void> {
    this.going = false;
    await Promise.all(this.clients);
  }

  private async client(who: string): Promise<void> {
    while (this.going) {
      const launched = await this.ask(who, '/api/v1/sessions', { application_id: this.application_id });
      if (launched === undefined) continue;
      this.launched.add(launched.id);
      const ended = await this.ask('admin', `/api/v1/sessions/${launched.id}/expire`, {});
      if (ended === undefined) continue;
      this.ended.add(ended.id);
      this.acknowledged.push(performance.now());
    }
  }

  private async ask(who: string, path: string, json: unknown): Promise<Session | undefined> {
    const asked = performance.now();
    const answer = await this.server.call(who, 'POST', path, { json }).catch((error: unknown) => void this.unanswered.push(error));
    if (answer !== undefined && answer.status < 300) return answer.json as Session;
    if (answer !== undefined) this.refusals.push({ ...answer, ms: performance.now() - asked });
    await pause(50);
    return undefined;
  }
}

async function busy(server: Server): Promise<Load> {
  await server.cookie('admin');
  for (let n = 0; n < CLIENTS; n += 1) await server.cookie(await server.person(`p${n}`, 'user'));
  for (let n = 0; n < LATE; n += 1) await server.cookie(await server.person(`late${n}`, 'user'));
  const all = (await server.call('admin', 'GET', '/api/v1/applications')).json as { id: string; name: string }[];
  const load = new Load(server, all.find(({ name }) => name === SIMULATED.application)?.id ?? '');
  load.start();
  await expect.poll(() => load.ended.size).toBeGreaterThan(ENOUGH);
  return load;
}

/** A fault from its beginning to its end. The load goes on. */
async function during(server: Server, load: Load, begin: () => void, end: () => Promise<void> | void, lasts: number): Promise<number> {
  const before = load.refusals.length;
  load.late();
  await pause(FIRST_ANSWERS_MS);
  begin();
  const over = pause(lasts);
  await expect.poll(() => load.refusals.length, { message: 'the server says that it can do nothing', timeout: REFUSED_MS }).toBeGreaterThan(before);
  expect((await server.call(null, 'GET', '/healthz')).status, 'it lives').toBe(200);
  expect((await server.call(null, 'GET', '/readyz')).status, 'a load balancer sends nobody here').toBe(503);
  await over;
  await end();
  return performance.now();
}

/** It goes on by itself, everybody got an answer, and what was acknowledged is there: in the list, and after kill -9 in the log. */
async function expectRecovered(server: Server, load: Load, mended: number, what: string): Promise<void> {
  const { pid } = server;
  const since = () => load.acknowledged.filter((at) => at > mended);
  await expect.poll(() => since().length, { message: 'it goes on by itself', timeout: AGAIN_MS }).toBeGreaterThan(ENOUGH);
  await load.stop();
  expect(server.pid, 'without a restart').toBe(pid);
  expect((await server.call(null, 'GET', '/readyz')).status).toBe(200);
  expect(load.unanswered).toEqual([]);
  for (const refusal of load.refusals) expectReadable(refusal);
  const pending = async () => (await server.list('?status=pending')).total;
  await expect.poll(pending, { message: 'what became ready meanwhile is known', timeout: AGAIN_MS }).toBe(0);
  await expectAllThere(server, load);
  const live = (await server.list('?limit=200&status=active')).items.map(({ username }) => username);
  expect(live, 'nobody has a session twice').toEqual([...new Set(live)]);
  await server.kill();
  await server.launch();
  await expectAllThere(server, load);
  expect(await server.cli(['events', 'verify'])).toContain('consistent up to ');
  const slowest = Math.max(...load.refusals.map(({ ms }) => ms));
  console.log(
    `${what}: ${load.launched.size} launches and ${load.ended.size} ends acknowledged, none lost; ${load.refusals.length} refused with 503, the slowest after ${seconds(slowest)}; going on ${seconds(Math.min(...since()) - mended)} after it was over`,
  );
}

function expectReadable({ status, headers, text, json, ms }: Refusal): void {
  expect(status, text).toBe(503);
  expect(headers['content-type']).toBe('application/problem+json');
  const { code, title, detail } = json as { code: string; title: string; detail: string };
  expect(['database_unreachable', 'database_lost', 'outcome_unknown']).toContain(code);
  for (const words of [title, detail]) {
    expect(words.length).toBeGreaterThan(10);
    expect(words).not.toMatch(INSIDE);
  }
  expect(ms).toBeLessThan(REFUSED_MS);
}

async function expectAllThere(server: Server, load: Load): Promise<void> {
  for (const id of load.launched) expect((await server.session(id)).id, 'an acknowledged launch').toBe(id);
  for (const id of load.ended) expect(await server.session(id), 'an acknowledged end').toMatchObject({ status: 'expired', ended_by: 'admin' });
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

test('the server survives a killed and restarted database', async ({ startServer }) => {
  const server = await startServer({ name: 'database-killed', simulated: true, postgres: true });
  const load = await busy(server);
  const mended = await during(server, load, () => server.database?.kill(), () => server.database?.restart(), 3000);
  await expectRecovered(server, load, mended, 'database killed, back after 3 s');
});

test('the server survives a restart of the database', async ({ startServer }) => {
  const server = await startServer({ name: 'database-restarted', simulated: true, postgres: true });
  const load = await busy(server);
  const mended = await during(server, load, () => server.database?.shutDown(), () => server.database?.restart(), 0);
  await expectRecovered(server, load, mended, 'database restarted');
});

test('the server survives a database that is frozen for 10 s', async ({ startServer }) => {
  const server = await startServer({ name: 'database-frozen', simulated: true, postgres: true });
  const load = await busy(server);
  const mended = await during(server, load, () => server.database?.freeze(), () => server.database?.thaw(), LASTS_MS);
  await expectRecovered(server, load, mended, 'database frozen for 10 s');
});

test('a firewall cuts the database off: the server closes its tabs within 10 s, and they open again afterwards', async ({ startServer }) => {
  const server = await startServer({ name: 'database-cut-off', simulated: true, postgres: 'remote' });
  const { id } = await server.launchAs('student');
  const load = await busy(server);
  const network = server.database?.network;
  const closed = once(await tab(server, id), 'close').then(() => performance.now());
  let cutAt = 0;
  const cut = () => {
    cutAt = performance.now();
    network?.cut();
  };
  const mend = async () => {
    const lasted = (await closed) - cutAt;
    expect(lasted, 'the tab is closed').toBeLessThan(LOST_MS);
    console.log(`the tab was closed ${seconds(lasted)} after the cut`);
    const refused = await server.call('admin', 'GET', '/api/v1/sessions');
    expect(refused.status, refused.text).toBe(503);
    expect(refused.json).toMatchObject({ code: 'database_lost' });
    network?.restore();
  };
  const mended = await during(server, load, cut, mend, LASTS_MS);
  await expect(async () => void (await tab(server, id))).toPass({ timeout: AGAIN_MS });
  await expect.poll(async () => (await server.session(id)).connected, { timeout: AGAIN_MS }).toBe(true);
  await expectRecovered(server, load, mended, 'database cut off by a firewall for 10 s');
});

/** The stream of a session of the student, as a tab holds it. */
async function tab(server: Server, id: string) {
  const socket = await openStream(server.url, `/sessions/${id}/stream`, { cookie: await server.cookie('student'), origin: server.url });
  if (socket === undefined) throw new Error(`the stream of ${id} is refused`);
  return socket;
}
