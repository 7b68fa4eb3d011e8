// Faults of the database under a busy server: it is killed, restarted, frozen, and cut off by a firewall. The server
// reports it, keeps running and recovers by itself, and no acknowledged change is lost.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type HttpResponse, openStream } from '../support/http.ts';
import { expect, test } from '../support/test.ts';
import { type Server, type Session, SIMULATED } from '../support/server.ts';

const CLIENTS = 6;
/** Users whose applications start when the fault begins, and go on. */
const LATE = 12;
/** The number of acknowledged pairs of a launch and an expire, before the fault and after it. */
const ENOUGH = 20;
/** The time until the server answers the first late launches. */
const FIRST_ANSWERS_MS = 12;
/** The duration of a fault. */
const LASTS_MS = 10_000;
/**
 * A node that has lost the database for this long has closed its tabs, because another node may have ended their
 * sessions.
 */
const LOST_MS = 10_000;
/** The limit for a refusal. Queries to a database that does not answer time out before it. */
const REFUSED_MS = 15_000;
/** The limit for the next acknowledged change after the fault. */
const RECOVERY_MS = 10_000;
/** Internal terms, which no error message for users may contain. */
const INTERNAL = /sqlx|sql|postgres|tcp|os error|connection|timed out|panic/i;

interface Refusal extends HttpResponse {
  ms: number;
}

/** Clients that launch and expire sessions in a loop, whatever the answers are. */
class Load {
  /** The ids of acknowledged launches and ends. */
  readonly launched = new Set<string>();
  readonly ended = new Set<string>();
  readonly refusals: Refusal[] = [];
  /** The times of the acknowledged ends. */
  readonly acknowledged: number[] = [];
  /** The errors of requests without an answer. There must be none. */
  readonly unanswered: unknown[] = [];
  private running = true;
  private clients: Promise<void>[] = [];

  constructor(
    private readonly server: Server,
    private readonly application_id: string,
  ) {}

  start(): void {
    this.clients = Array.from({ length: CLIENTS }, (_, n) => this.client(`p${n}`));
  }

  /** Launches a session for each late user. Some are acknowledged and not yet ready when the fault begins. */
  launchLate(): void {
    for (let n = 0; n < LATE; n += 1) {
      const launch = this.ask(`late${n}`, '/api/v1/sessions', { application_id: this.application_id });
      this.clients.push(launch.then((launched) => void (launched && this.launched.add(launched.id))));
    }
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.clients);
  }

  private async client(username: string): Promise<void> {
    while (this.running) {
      const launched = await this.ask(username, '/api/v1/sessions', { application_id: this.application_id });
      if (launched === undefined) continue;
      this.launched.add(launched.id);
      const ended = await this.ask('admin', `/api/v1/sessions/${launched.id}/expire`, {});
      if (ended === undefined) continue;
      this.ended.add(ended.id);
      this.acknowledged.push(performance.now());
    }
  }

  private async ask(username: string, path: string, json: unknown): Promise<Session | undefined> {
    const asked = performance.now();
    const answer = await this.server.call(username, 'POST', path, { json }).catch((error: unknown) => void this.unanswered.push(error));
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

/** Runs a fault from its beginning to its end, under load. Returns the time of its end. */
async function during(server: Server, load: Load, begin: () => void, end: () => Promise<void> | void, lasts: number): Promise<number> {
  const before = load.refusals.length;
  load.launchLate();
  await pause(FIRST_ANSWERS_MS);
  begin();
  const over = pause(lasts);
  await expect.poll(() => load.refusals.length, { message: 'the server refuses requests', timeout: REFUSED_MS }).toBeGreaterThan(before);
  expect((await server.call(null, 'GET', '/healthz')).status, 'the server is alive').toBe(200);
  expect((await server.call(null, 'GET', '/readyz')).status, 'a load balancer sends no requests here').toBe(503);
  await over;
  await end();
  return performance.now();
}

/**
 * Expects that the server recovers by itself, that every request has an answer, and that acknowledged changes are in
 * the list, also after kill -9.
 */
async function expectRecovered(server: Server, load: Load, mended: number, what: string): Promise<void> {
  const { pid } = server;
  const since = () => load.acknowledged.filter((at) => at > mended);
  await expect.poll(() => since().length, { message: 'the server recovers by itself', timeout: RECOVERY_MS }).toBeGreaterThan(ENOUGH);
  await load.stop();
  expect(server.pid, 'without a restart').toBe(pid);
  expect((await server.call(null, 'GET', '/readyz')).status).toBe(200);
  expect(load.unanswered).toEqual([]);
  for (const refusal of load.refusals) expectReadable(refusal);
  const pending = async () => (await server.list('?status=pending')).total;
  await expect.poll(pending, { message: 'sessions that became ready during the fault are Active', timeout: RECOVERY_MS }).toBe(0);
  await expectAllThere(server, load);
  const live = (await server.list('?limit=200&status=active')).items.map(({ username }) => username);
  expect(live, 'no user has two live sessions').toEqual([...new Set(live)]);
  await server.kill();
  await server.launch();
  await expectAllThere(server, load);
  expect(await server.cli(['events', 'verify'])).toContain('consistent up to ');
  const slowest = Math.max(...load.refusals.map(({ ms }) => ms));
  console.log(
    `${what}: ${load.launched.size} launches and ${load.ended.size} ends acknowledged, none lost; ${load.refusals.length} refused with 503, the slowest after ${seconds(slowest)}; next change acknowledged ${seconds(Math.min(...since()) - mended)} after its end`,
  );
}

function expectReadable({ status, headers, text, json, ms }: Refusal): void {
  expect(status, text).toBe(503);
  expect(headers['content-type']).toBe('application/problem+json');
  const { code, title, detail } = json as { code: string; title: string; detail: string };
  expect(['database_unreachable', 'database_lost', 'outcome_unknown']).toContain(code);
  for (const text of [title, detail]) {
    expect(text.length).toBeGreaterThan(10);
    expect(text).not.toMatch(INTERNAL);
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
    expect(lasted, 'the server closes the tab').toBeLessThan(LOST_MS);
    console.log(`the tab was closed ${seconds(lasted)} after the cut`);
    const refused = await server.call('admin', 'GET', '/api/v1/sessions');
    expect(refused.status, refused.text).toBe(503);
    expect(refused.json).toMatchObject({ code: 'database_lost' });
    network?.restore();
  };
  const mended = await during(server, load, cut, mend, LASTS_MS);
  await expect(async () => void (await tab(server, id))).toPass({ timeout: RECOVERY_MS });
  await expect.poll(async () => (await server.session(id)).connected, { timeout: RECOVERY_MS }).toBe(true);
  await expectRecovered(server, load, mended, 'database cut off by a firewall for 10 s');
});

/** Opens the stream of a session of the student, as its tab does. */
async function tab(server: Server, id: string) {
  const socket = await openStream(server.url, `/sessions/${id}/stream`, { cookie: await server.cookie('student'), origin: server.url });
  if (socket === undefined) throw new Error(`the stream of ${id} is refused`);
  return socket;
}
