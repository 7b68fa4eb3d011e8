// Random actions: users launch sessions, open and close their tabs and end them, and an administrator expires some.
import { expect } from '@playwright/test';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { openStream } from './http.ts';
import type { Rng } from './rng.ts';
import { type Server, SIMULATED } from './server.ts';

const USERS = ['amy', 'ben', 'cleo', 'dev', 'eva', 'finn'];
const APPLICATIONS = [SIMULATED.application, 'Storm', 'Rain', 'Hail'];
/** The longest pause between two actions. It sets the rate only; no expectation depends on it. */
const PAUSE_MS = 60;
const WEIGHTS = { launch: 40, end: 12, expire: 18, open: 22, close: 8 };

interface LiveSession {
  id: string;
  username: string;
  tab?: Socket;
}

export class RandomActions {
  /** The number of times each action was done. */
  readonly done = { launch: 0, end: 0, expire: 0, open: 0, close: 0 };
  private readonly live = new Map<string, LiveSession>();
  private readonly tabs = new Set<Socket>();
  private running = false;
  private finished: Promise<void> = Promise.resolve();

  private constructor(
    private readonly server: Server,
    private readonly rng: Rng,
  ) {}

  /** Adds the users and the applications to a server. */
  static async prepare(server: Server, rng: Rng): Promise<RandomActions> {
    for (const name of APPLICATIONS.slice(1)) {
      await server.cli(['application', 'add', name, '--environment', SIMULATED.environment, '--', 'desktop']);
    }
    for (const name of USERS) await server.cookie(await server.person(name, 'user'));
    return new RandomActions(server, rng);
  }

  /** The count of the rarest action. */
  get fewest(): number {
    return Math.min(...Object.values(this.done));
  }

  /** Starts the actions. They go on until `pause`. */
  start(): void {
    this.running = true;
    this.finished = this.loop();
    // `pause` reports a failure.
    this.finished.catch(() => {});
  }

  /** Returns after the last action has finished. Fails if an action failed. */
  async pause(): Promise<void> {
    this.running = false;
    await this.finished;
  }

  /** Pauses, and closes all tabs. */
  async stop(): Promise<void> {
    await this.pause();
    for (const tab of this.tabs) tab.destroy();
  }

  private async loop(): Promise<void> {
    while (this.running) {
      const action = this.rng.weighted(WEIGHTS);
      if (await this[action]()) this.done[action] += 1;
      await pause(this.rng.below(PAUSE_MS));
    }
  }

  private async launch(): Promise<boolean> {
    const username = this.rng.pick(USERS) ?? '';
    const { id } = await this.server.launchAs(username, this.rng.pick(APPLICATIONS));
    if (this.live.has(id)) return false;
    this.live.set(id, { id, username });
    return true;
  }

  private async end(): Promise<boolean> {
    const session = this.anySession();
    if (session === undefined) return false;
    const response = await this.server.call(session.username, 'POST', `/sessions/${session.id}/end`, { form: {} });
    expect(response.status, response.text).toBe(303);
    return this.live.delete(session.id);
  }

  private async expire(): Promise<boolean> {
    const session = this.anySession();
    if (session === undefined) return false;
    await this.server.expire(session.id, this.rng.pick(['Maintenance at noon', undefined]));
    return this.live.delete(session.id);
  }

  /** Opens a tab. It takes the session over from the previous tab. */
  private async open(): Promise<boolean> {
    const session = this.anySession();
    if (session === undefined) return false;
    const headers = { cookie: await this.server.cookie(session.username), origin: this.server.url };
    const tab = await openStream(this.server.url, `/sessions/${session.id}/stream`, headers);
    expect(tab, `the stream of ${session.id}`).toBeDefined();
    if (tab === undefined) return false;
    session.tab = tab;
    this.tabs.add(tab);
    return true;
  }

  private async close(): Promise<boolean> {
    const session = this.anySession();
    session?.tab?.destroy();
    return session?.tab !== undefined;
  }

  private anySession(): LiveSession | undefined {
    return this.rng.pick([...this.live.values()]);
  }
}
