// People who launch, open and close tabs and end their sessions, and an administrator who expires some, all at random.
import { expect } from '@playwright/test';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Rng } from './rng.ts';
import { openStream } from './http.ts';
import { type Server, SIMULATED } from './server.ts';

const PEOPLE = ['amy', 'ben', 'cleo', 'dev', 'eva', 'finn'];
const APPLICATIONS = [SIMULATED.application, 'Storm', 'Rain', 'Hail'];
/** Longest pause between two changes. It sets the pace; nothing that is expected waits for it. */
const PAUSE_MS = 60;
const WEIGHTS = { launch: 40, end: 12, expire: 18, open: 22, close: 8 };

interface Live {
  id: string;
  who: string;
  tab?: Socket;
}

export class RandomActions {
  /** How often each thing was done. */
  readonly done = { launch: 0, end: 0, expire: 0, open: 0, close: 0 };
  private readonly live = new Map<string, Live>();
  private readonly tabs = new Set<Socket>();
  private going = false;
  private ended: Promise<void> = Promise.resolve();

  private constructor(
    private readonly server: Server,
    private readonly rng: Rng,
  ) {}

  /** Makes the people and the applications. */
  static async prepare(server: Server, rng: Rng): Promise<RandomActions> {
    for (const name of APPLICATIONS.slice(1)) {
      await server.cli(['application', 'add', name, '--environment', SIMULATED.environment, '--', 'desktop']);
    }
    for (const name of PEOPLE) await server.cookie(await server.person(name, 'user'));
    return new RandomActions(server, rng);
  }

  /** Goes on until it is paused. */
  start(): void {
    this.going = true;
    this.ended = this.goOn();
    // Told to whoever pauses it.
    this.ended.catch(() => {});
  }

  /** Returns when the last change is answered; fails if one of them went wrong. */
  async pause(): Promise<void> {
    this.going = false;
    await this.ended;
  }

  /** Pauses, and closes every tab. */
  async stop(): Promise<void> {
    await this.pause();
    for (const tab of this.tabs) tab.destroy();
  }

  private async goOn(): Promise<void> {
    while (this.going) {
      const what = this.rng.weighted(WEIGHTS);
      if (await this[what]()) this.done[what] += 1;
      await pause(this.rng.below(PAUSE_MS));
    }
  }

  private async launch(): Promise<boolean> {
    const who = this.rng.pick(PEOPLE) ?? '';
    const { id } = await this.server.launchAs(who, this.rng.pick(APPLICATIONS));
    if (this.live.has(id)) return false;
    this.live.set(id, { id, who });
    return true;
  }

  private async end(): Promise<boolean> {
    const session = this.any();
    if (session === undefined) return false;
    const answer = await this.server.call(session.who, 'POST', `/sessions/${session.id}/end`, { form: {} });
    expect(answer.status, answer.text).toBe(303);
    return this.live.delete(session.id);
  }

  private async expire(): Promise<boolean> {
    const session = this.any();
    if (session === undefined) return false;
    await this.server.expire(session.id, this.rng.pick(['Maintenance at noon', undefined]));
    return this.live.delete(session.id);
  }

  /** A second tab takes the session over from the first. */
  private async open(): Promise<boolean> {
    const session = this.any();
    if (session === undefined) return false;
    const headers = { cookie: await this.server.cookie(session.who), origin: this.server.url };
    const tab = await openStream(this.server.url, `/sessions/${session.id}/stream`, headers);
    expect(tab, `the stream of ${session.id}`).toBeDefined();
    if (tab === undefined) return false;
    session.tab = tab;
    this.tabs.add(tab);
    return true;
  }

  private async close(): Promise<boolean> {
    const session = this.any();
    session?.tab?.destroy();
    return session?.tab !== undefined;
  }

  private any(): Live | undefined {
    return this.rng.pick([...this.live.values()]);
  }
}
