// kill -9 under load, many times: acknowledged changes survive, nothing exists twice, and nothing ended becomes live
// again.
//   TORTURE_CYCLES=1000 TORTURE_SESSIONS=100000 TORTURE_SEED=… make torture
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openStream } from '../support/http.ts';
import { expect, test } from '../support/test.ts';
import { Rng } from '../support/rng.ts';
import { type Server, type Session, SIMULATED } from '../support/server.ts';

const CYCLES = Number(process.env.TORTURE_CYCLES ?? 100);
const SESSIONS = Number(process.env.TORTURE_SESSIONS ?? 0);
/** The limit for a restart until the server is ready. Only a release build has one. */
const READY_MS = Number(process.env.TORTURE_READY_MS ?? Infinity);
const PEOPLE = Array.from({ length: 12 }, (_, n) => `person-${n}`);
const APPLICATIONS = [SIMULATED.application, 'Second', 'Third'];
const CLIENTS = 6;
/** The longest time from the start of the load to the kill. */
const CYCLE_MS = 250;
/** One of this many cycles checks all sessions. The others check the sessions of their own cycle. */
const CHECK_ALL_EVERY = 25;
/** Sessions that are checked in parallel. */
const AT_ONCE = 16;

/** The acknowledged and the unanswered requests of the clients for a session. */
interface Known {
  /** The user and the application. */
  key: string;
  /** The acknowledged end: its actor and time, and the time in this process at which the client received the answer. */
  ended?: { by: string | null; at: string | null; known: number };
  /** Some answer acknowledged an end. */
  over: boolean;
  /** A client requested an end and received no answer. */
  maybe: boolean;
}

class Load {
  readonly known = new Map<string, Known>();
  /** The sessions of this cycle. */
  touched = new Set<string>();
  /** The number of launches without an answer, by user and application. */
  unanswered = new Map<string, number>();
  acknowledged = 0;
  /** Violations that clients saw while the server ran. A client ignores its errors, so it cannot throw them. */
  readonly violations: string[] = [];
  private running = false;

  constructor(
    private readonly server: Server,
    private readonly rng: Rng,
  ) {}

  /** Runs the clients until `stop`. */
  async run(): Promise<void> {
    this.running = true;
    this.touched = new Set();
    await Promise.all(Array.from({ length: CLIENTS }, () => this.client()));
  }

  stop(): void {
    this.running = false;
  }

  private async client(): Promise<void> {
    while (this.running) {
      const action = this.rng.weighted({ launch: 50, expire: 30, end: 10, open: 10 });
      // Requests without an answer are the subject of this test.
      await this[action]().catch(() => {});
    }
  }

  private async launch(): Promise<void> {
    const [username, application] = [this.rng.pick(PEOPLE) ?? '', this.rng.pick(APPLICATIONS) ?? ''];
    const key = `${username} ${application}`;
    this.unanswered.set(key, (this.unanswered.get(key) ?? 0) + 1);
    const asked = performance.now();
    const { id } = await this.server.launchAs(username, application);
    this.unanswered.set(key, (this.unanswered.get(key) ?? 0) - 1);
    this.acknowledged += 1;
    const known = this.known.get(id);
    // An end that is acknowledged between the request and its answer may come after the launch.
    if (known?.ended !== undefined && known.ended.known < asked) this.violations.push(`${id} was resumed after its end`);
    for (const other of this.touched) {
      const second = this.known.get(other);
      // While this answer was under way, its session may have been ended and replaced.
      if (other !== id && second?.key === key && !second.maybe && !known?.maybe) this.violations.push(`${key} has ${other} and ${id} at the same time`);
    }
    this.touched.add(id);
    if (known === undefined) this.known.set(id, { key, over: false, maybe: false });
  }

  private async expire(): Promise<void> {
    await this.endSession(async (id) => this.server.expire(id, 'torture'));
  }

  private async end(): Promise<void> {
    await this.endSession(async (id) => {
      const owner = (await this.server.session(id)).username;
      const answer = await this.server.call(owner, 'POST', `/sessions/${id}/end`, { form: {} });
      if (answer.status !== 303) throw new Error(answer.text);
      const known = this.known.get(id);
      if (known !== undefined) known.over = true;
      return this.server.session(id);
    });
  }

  private async endSession(end: (id: string) => Promise<Session>): Promise<void> {
    const id = this.rng.pick([...this.touched].filter((id) => this.known.get(id)?.ended === undefined));
    const known = id === undefined ? undefined : this.known.get(id);
    if (id === undefined || known === undefined) return;
    known.maybe = true;
    const { ended_by, ended_at } = await end(id);
    known.over = true;
    known.ended = { by: ended_by, at: ended_at, known: performance.now() };
    this.acknowledged += 1;
  }

  private async open(): Promise<void> {
    const id = this.rng.pick([...this.touched]);
    if (id === undefined) return;
    const { username } = await this.server.session(id);
    await openStream(this.server.url, `/sessions/${id}/stream`, { cookie: await this.server.cookie(username), origin: this.server.url });
  }
}

test('acknowledged changes survive kill -9 at any moment of a busy server', async ({ startServer }) => {
  test.setTimeout(60_000 + CYCLES * (SESSIONS > 0 ? 10_000 : 5000));
  const seed = Number(process.env.TORTURE_SEED ?? randomInt(2 ** 31));
  const rng = new Rng(seed);
  const server = await startServer({ name: 'kill', simulated: true, seed: SESSIONS });
  for (const name of APPLICATIONS.slice(1)) await server.addApplication(name);
  for (const name of PEOPLE) await server.cookie(await server.person(name, 'user'));
  const load = new Load(server, rng);
  const ready: number[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const cycleName = `seed ${seed}, cycle ${cycle}`;
    const busy = load.run();
    await pause(rng.below(CYCLE_MS));
    await server.kill();
    load.stop();
    await busy;
    expect(load.violations, cycleName).toEqual([]);
    ready.push(await restart(server, rng));
    await check(server, load, cycle % CHECK_ALL_EVERY === CHECK_ALL_EVERY - 1 || cycle === CYCLES - 1, cycleName);
  }
  ready.sort((a, b) => a - b);
  const at = (part: number) => ready[Math.min(ready.length - 1, Math.floor(part * ready.length))] ?? 0;
  console.log(
    `kill -9: ${CYCLES} cycles, seed ${seed}, ${SESSIONS} sessions to begin with, ${load.acknowledged} acknowledged; ready again in ${at(0.5)} ms (median), ${at(0.99)} ms (p99), ${at(1)} ms (worst)`,
  );
  expect(at(0.99), '99 of 100 restarts are ready in time').toBeLessThanOrEqual(READY_MS);
  expect(await server.cli(['events', 'verify'])).toContain('consistent up to ');
});

/** Restarts the server. One time in ten it is killed during its start. Returns the milliseconds of the last start. */
async function restart(server: Server, rng: Rng): Promise<number> {
  if (rng.below(10) === 0) {
    const started = server.launch().catch(() => {});
    await pause(rng.below(60));
    await server.kill();
    await started;
  }
  const began = Date.now();
  await server.launch();
  return Date.now() - began;
}

async function check(server: Server, load: Load, all: boolean, cycleName: string): Promise<void> {
  const list = await server.list('?limit=200&sort=-started_at&status=active');
  expect(list.total, `${cycleName}: the simulated environment runs no session after a restart`).toBe(0);
  expect((await server.list('?connected=yes')).total, `${cycleName}: no session is connected without a tab`).toBe(0);
  expect((await server.list('?status=pending')).total, `${cycleName}: no session is still starting`).toBe(0);
  const ids = [...(all ? load.known.keys() : load.touched)];
  // One expectation for all: the test runner would keep the million expectations of a thousand cycles in memory.
  const found: string[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const violations = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => violationsOf(server, load.known.get(id), id)));
    found.push(...violations.flat());
  }
  expect(found, cycleName).toEqual([]);
  await adoptUnanswered(server, load, cycleName);
}

/** Compares a session with the answers that the clients received. */
async function violationsOf(server: Server, known: Known | undefined, id: string): Promise<string[]> {
  const session = await server.session(id);
  if (session.id !== id) return [`the acknowledged launch ${id} is lost`];
  const { status, ended_by, ended_at } = session;
  const is = `${id}, which is ${status}, ended by ${ended_by} at ${ended_at}`;
  const { ended, over, maybe } = known ?? { over: false, maybe: false };
  if (ended !== undefined) {
    if (status !== 'expired' || ended_by !== ended.by || ended_at !== ended.at) return [`its end by ${ended.by} at ${ended.at} was acknowledged: ${is}`];
  } else if (over) {
    if (status !== 'expired') return [`its end was acknowledged: ${is}`];
  } else if (!maybe && status !== 'error') {
    return [`no client requested its end: ${is}`];
  }
  if (status !== 'expired') return [];
  // An end without an answer that happened is final.
  if (known) known.ended = { by: ended_by, at: ended_at, known: performance.now() };
  const details = (await server.call('admin', 'GET', `/api/v1/sessions/${id}/details`)).json as { events: { kind: string }[] };
  const ends = details.events.filter(({ kind }) => kind === 'expired').length;
  return ends === 1 ? [] : [`it ended ${ends} times: ${is}`];
}

/** Accepts rows of launches without an answer: at most one row for each. */
async function adoptUnanswered(server: Server, load: Load, cycleName: string): Promise<void> {
  const rows = (await server.list('?limit=200&sort=-started_at&q=user:person-')).items;
  for (const { id, username, application, status, ended_by, ended_at } of rows) {
    if (load.known.has(id)) continue;
    const key = `${username} ${application}`;
    const open = load.unanswered.get(key) ?? 0;
    expect(open, `${cycleName}: ${id} of ${key} was never requested, or exists twice`).toBeGreaterThan(0);
    load.unanswered.set(key, open - 1);
    const ended = status === 'expired' ? { ended: { by: ended_by, at: ended_at, known: performance.now() } } : {};
    load.known.set(id, { key, over: false, maybe: true, ...ended });
  }
  load.unanswered.clear();
}
