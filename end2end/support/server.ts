// A server of its own for a test file: a free port, a data directory that is thrown away, its command line.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Database } from './database.ts';
import { type HttpResponse, call, type RequestOptions, send } from './http.ts';

export const BINARY = resolve(
  process.env.CLOUD_DELIVERY_BIN ?? fileURLToPath(new URL('../../target/debug/cloud-delivery', import.meta.url)),
);
export const SIMULATED = { environment: 'Simulated (no real applications)', application: 'Simulated desktop' };
export const PASSWORD = 'correct horse battery';
/** Every column of the list, as the server calls them. */
export const COLUMNS = [
  'session_id',
  'environment_id',
  'environment',
  'status',
  'user_id',
  'username',
  'connected',
  'start_date',
  'started_ago',
  'valid_until',
];

const READY = /Cloud Delivery is ready: (\S+)/;
const START_LIMIT_MS = 30_000;

export interface Setup {
  /** Servers are shared by tests of the same setup: the name of the test file keeps them apart. */
  name: string;
  /** Ended sessions to begin with. */
  seed?: number;
  /** The environment that only pretends; without it only real applications of this host. */
  simulated?: boolean;
  /** The machine's clock can be moved, as far as the server sees it, and the server follows it. */
  movableClock?: boolean;
  /** It can be moved, and the server does not follow: as it is without settings. */
  monotonicClock?: boolean;
  /** The data directory is a disk of its own, of so many bytes with a unit as `mount` knows it. */
  disk?: string;
  /** Its log is in a PostgreSQL of its own; a far one is on another machine, as far as the server sees it. */
  postgres?: true | 'remote';
  /** Its name among the servers that share a database. */
  node?: string;
  /** Whose PostgreSQL it shares. */
  sharing?: Server;
  /** Further settings. */
  settings?: Record<string, string>;
  /** A program that runs the server, with its arguments. */
  wrapper?: string[];
}

export type Role = 'user' | 'reporter' | 'app-admin' | 'system-admin';

export interface ProgramResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Nothing of our own settings, and none that whoever runs the tests may have set. */
export function cleanEnvironment(settings: Record<string, string>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CLOUD_DELIVERY_'));
  return { ...Object.fromEntries(own), ...settings };
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Runs the program until it ends by itself. */
export async function run(args: string[], settings: Record<string, string>, more: { cwd: string; input?: string }): Promise<ProgramResult> {
  const child = spawn(BINARY, args, { cwd: more.cwd, env: cleanEnvironment(settings), timeout: START_LIMIT_MS });
  const ended: ProgramResult = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text));
  child.stdin.on('error', () => {});
  child.stdin.end(more.input ?? '');
  [ended.code] = (await once(child, 'close')) as [number | null];
  return ended;
}

export class Server {
  readonly folder: string;
  readonly dataDir: string;
  log = '';
  url = '';
  /** Where its log is, if that is not in its data directory. */
  database: Database | undefined;
  private process: ChildProcess | undefined;
  private ending: ChildProcess | undefined;
  private readonly passwords: Map<string, string>;
  private readonly cookies = new Map<string, string>();

  private constructor(
    private readonly setup: Setup,
    readonly port: number,
  ) {
    this.database = setup.sharing?.database;
    this.passwords = setup.sharing?.passwords ?? new Map([['admin', PASSWORD]]);
    this.folder = mkdtempSync(join(tmpdir(), `cloud-delivery-${setup.name}-`));
    this.dataDir = join(this.folder, 'data');
    mkdirSync(this.dataDir);
  }

  static async start(setup: Setup): Promise<Server> {
    const server = new Server(setup, await freePort());
    if (setup.postgres) server.database = await Database.start(setup.postgres === 'remote');
    if (setup.disk !== undefined) mount(server.dataDir, setup.disk);
    if (setup.movableClock) server.moveClock(0);
    // Before the start: a running server would see them within a second, and a page without JavaScript never.
    if (setup.seed) await server.cli(['seed', '--sessions', String(setup.seed)]);
    await server.launch();
    return server;
  }

  get settings(): Record<string, string> {
    return {
      CLOUD_DELIVERY_ADDR: `127.0.0.1:${this.port}`,
      CLOUD_DELIVERY_DATA_DIR: this.dataDir,
      CLOUD_DELIVERY_ADMIN_PASSWORD: PASSWORD,
      CLOUD_DELIVERY_TRIAL: 'true',
      // Tests launch faster than people do, and one person more than anybody has open.
      CLOUD_DELIVERY_LAUNCHES_PER_MINUTE: '0',
      CLOUD_DELIVERY_LIVE_SESSIONS_PER_USER: '0',
      CLOUD_DELIVERY_SIMULATED: String(this.setup.simulated ?? false),
      ...(this.database === undefined ? {} : { CLOUD_DELIVERY_DATABASE_URL: this.database.url }),
      ...(this.setup.node === undefined ? {} : { CLOUD_DELIVERY_NODE: this.setup.node, CLOUD_DELIVERY_NODE_URL: `http://127.0.0.1:${this.port}` }),
      ...this.setup.settings,
      ...(this.setup.movableClock && !this.setup.monotonicClock ? { CLOUD_DELIVERY_CLOCK: 'system' } : {}),
    };
  }

  /** Of the process that runs; that it has ended is an error. */
  get pid(): number {
    const child = this.process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) throw new Error('the server does not run');
    return child.pid;
  }

  /** As a machine that sleeps: it stops where it is, with its connections open. */
  suspend(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** Undoes `suspend`. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Starts it, also again after [`kill`], and returns when it says that it is ready. */
  async launch(): Promise<void> {
    const env = cleanEnvironment({ ...this.settings, ...this.clockSettings() });
    const [program = BINARY, ...args] = [...(this.setup.wrapper ?? []), BINARY, 'serve'];
    const child = spawn(program, args, { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    const ready = new Promise<string>((resolve, reject) => {
      let printed = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        this.log += text;
        const url = READY.exec(printed)?.[1];
        if (url === undefined) return;
        resolve(url);
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text));
      child.once('close', (code, signal) => {
        this.log += `the server ended: ${code ?? signal}\n`;
        reject(new Error(this.log));
      });
      AbortSignal.timeout(START_LIMIT_MS).addEventListener('abort', () => reject(new Error(`no start:\n${this.log}`)));
    });
    this.url = await ready;
    if (!this.passwords.has('student') && existsSync(join(this.dataDir, 'first-passwords'))) {
      // A password that was drawn is changed at the first sign-in, one that somebody chose is not.
      await this.cli(['user', 'set-password', 'student'], `${PASSWORD}\n`);
      this.passwords.set('student', PASSWORD);
    }
  }

  /** As a power cut would: SIGKILL. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** As whoever updates it would: SIGTERM. Answers the code that it ends with. */
  async terminate(): Promise<number | null> {
    const child = this.process;
    await this.end('SIGTERM');
    return child?.exitCode ?? null;
  }

  /** Returns when it has ended by itself, with its code. */
  async ended(): Promise<number | null> {
    const child = this.process;
    if (child !== undefined && child.exitCode === null) await once(child, 'close');
    return child?.exitCode ?? null;
  }

  /** Starts it without the program that ran it. */
  async launchWithoutWrapper(): Promise<void> {
    delete this.setup.wrapper;
    await this.launch();
  }

  /** One more signal, while it ends. */
  signal(signal: NodeJS.Signals): void {
    this.ending?.kill(signal);
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    if (this.setup.sharing === undefined) await this.database?.stop();
    if (this.setup.disk !== undefined) execFileSync('umount', [this.dataDir]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    this.ending = child;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'close');
  }

  /** Runs a verb of the command line on the same data; fails if it does. Answers what it printed. */
  async cli(args: string[], input?: string): Promise<string> {
    const { CLOUD_DELIVERY_DATABASE_URL: url } = this.settings;
    const settings = { CLOUD_DELIVERY_DATA_DIR: this.dataDir, ...(url === undefined ? {} : { CLOUD_DELIVERY_DATABASE_URL: url }) };
    const ended = await run(args, settings, input === undefined ? { cwd: this.folder } : { cwd: this.folder, input });
    if (ended.code !== 0) throw new Error(`cloud-delivery ${args.join(' ')}: ${ended.stderr}`);
    return ended.stdout;
  }

  /** Adds a person, once. */
  async person(username: string, role: Role): Promise<string> {
    if (!this.passwords.has(username)) {
      await this.cli(['user', 'add', username, '--role', role], `${PASSWORD}\n`);
      this.passwords.set(username, PASSWORD);
    }
    return username;
  }

  password(username: string): string {
    const password = this.passwords.get(username);
    if (password === undefined) throw new Error(`nobody is called ${username}`);
    return password;
  }

  /** The `Cookie` header of a person who is signed in; the same login for all of a file. */
  async cookie(username: string): Promise<string> {
    const kept = this.cookies.get(username) ?? (await this.signIn(username));
    this.cookies.set(username, kept);
    return kept;
  }

  /** Signs in anew. */
  async signIn(username: string): Promise<string> {
    const form = new URLSearchParams({ username, password: this.password(username), next: '/' }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await send(this.url, 'POST', '/login', { headers, body: form });
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0];
    if (cookie === undefined) throw new Error(`${username} could not sign in: ${answer.status} ${answer.text}`);
    return cookie;
  }

  /** A request as `who`, or as a stranger. */
  async call(who: string | null, method: string, path: string, more: RequestOptions = {}): Promise<HttpResponse> {
    return call(this.url, who === null ? null : await this.cookie(who), method, path, more);
  }

  /** Launches by the API and answers the session; of the simulated application unless told otherwise. */
  async launchAs(who: string, application = SIMULATED.application): Promise<Session> {
    const mine = (await this.call(who, 'GET', '/api/v1/applications')).json as { id: string; name: string }[];
    const application_id = mine.find(({ name }) => name === application)?.id;
    const answer = await this.call(who, 'POST', '/api/v1/sessions', { json: { application_id } });
    if (answer.status !== 201) throw new Error(`${who} could not launch ${application}: ${answer.text}`);
    return answer.json as Session;
  }

  /** Adds an application to the simulated environment, with limits of its own where some are given. */
  async addApplication(name: string, policy?: Record<string, number | null>): Promise<void> {
    await this.cli(['application', 'add', name, '--environment', SIMULATED.environment, '--', 'desktop']);
    if (policy === undefined) return;
    const all = (await this.call('admin', 'POST', '/api/ui/list_applications', { json: {} })).json as { id: string; spec: { name: string; environment_id: string } }[];
    const found = all.find(({ spec }) => spec.name === name);
    const minutes = ['start', 'never_connected', 'idle', 'disconnected', 'total'].map((limit) => policy[`${limit}_seconds`]);
    const limits = minutes.map((seconds) => (seconds ? String(seconds / 60) : null));
    const draft = { name, launch_text: 'Launch', environment_id: found?.spec.environment_id, program: 'desktop', arguments: [], seats: '', limits };
    const edited = await this.call('admin', 'POST', '/api/ui/edit_application', { json: { id: found?.id, draft, seen: found?.spec } });
    if (edited.status !== 200) throw new Error(`the limits of ${name} could not be set: ${edited.text}`);
  }

  async expire(id: string, reason?: string): Promise<Session> {
    const answer = await this.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { json: { reason } });
    if (answer.status !== 200) throw new Error(`${id} could not be expired: ${answer.text}`);
    return answer.json as Session;
  }

  async session(id: string): Promise<Session> {
    return (await this.call('admin', 'GET', `/api/v1/sessions/${id}`)).json as Session;
  }

  async list(query = ''): Promise<{ revision: number; total: number; all: number; next_refresh_at: string; as_of: string | null; items: Session[] }> {
    return (await this.call('admin', 'GET', `/api/v1/sessions${query}`)).json as never;
  }

  /** Shows these columns of the list to an administrator, from the next visit on. */
  async showColumns(who: string, visible: string[]): Promise<void> {
    const kept = await this.call(who, 'POST', '/api/ui/set_columns', { json: { choice: { visible } } });
    if (kept.status !== 200) throw new Error(`the columns of ${who} could not be kept: ${kept.text}`);
  }

  /** Sets the server's clock so many seconds ahead of the true time. */
  moveClock(seconds: number): void {
    const file = join(this.folder, 'clock');
    writeFileSync(`${file}.new`, `+${seconds}\n`);
    renameSync(`${file}.new`, file);
  }

  private clockSettings(): Record<string, string> {
    if (!this.setup.movableClock) return {};
    const folders = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime'));
    const library = folders.flatMap((folder) => glob(folder, 'libfaketimeMT.so.1'))[0];
    if (library === undefined) throw new Error('the Debian package “faketime” is missing: make setup installs it');
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: join(this.folder, 'clock'),
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }
}

/** Makes a folder a disk of its own, in memory. */
function mount(folder: string, size: string): void {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`a disk of its own needs root, and a kernel that lets it mount: ${String(error)}`);
  }
}

function glob(folder: string, name: string): string[] {
  try {
    return readdirSync(folder).filter((entry) => entry === name).map((entry) => join(folder, entry));
  } catch {
    return [];
  }
}

/** A session in JSON, as far as the tests look at it. */
export interface Session {
  id: string;
  environment_id: string;
  environment: string;
  application: string;
  status: 'pending' | 'active' | 'expired' | 'error';
  user_id: string;
  username: string;
  connected: boolean;
  started_at: string;
  valid_until: string;
  ended_at: string | null;
  ended_by: string | null;
  end_reason: string | null;
  error: string | null;
  teardown: string;
  node: string;
  version: number;
}
