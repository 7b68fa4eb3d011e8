// Runs the server for a test file: on a free port, with a temporary data directory, and with its command line.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from './database.ts';
import { call, type HttpResponse, type RequestOptions, send } from './http.ts';
import { START_LIMIT_MS } from './limits.ts';
import { BINARY, cleanEnvironment, freePort, run } from './program.ts';

export const SIMULATED = { environment: 'Simulated (no real applications)', application: 'Simulated desktop' };
export const PASSWORD = 'correct horse battery';
/** The columns of the reference page, by their names in the API. */
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

export interface Setup {
  /** Test files with equal setups would share a server, so this is the name of the test file. */
  name: string;
  /** The number of ended sessions at the start. */
  seed?: number;
  /** Adds the simulated environment. Without it the server has only the real applications of this host. */
  simulated?: boolean;
  /** The test can move the system clock that the server sees, and the server follows it. */
  movableClock?: boolean;
  /** The server does not follow the moved system clock, which is its default. */
  monotonicClock?: boolean;
  /** Mounts the data directory as a disk of this size, such as `48m`. */
  disk?: string;
  /** Stores the log in its own PostgreSQL server; `remote` puts that behind a virtual network. */
  postgres?: true | 'remote';
  /** The node name among the servers that share a database. */
  node?: string;
  /** Uses the PostgreSQL server of this one. */
  sharing?: Server;
  /** Further settings. */
  settings?: Record<string, string>;
  /** A command that runs the server, such as strace, with its arguments. */
  wrapper?: string[];
}

export type Role = 'user' | 'reporter' | 'app-admin' | 'system-admin';

export class Server {
  readonly folder: string;
  readonly dataDir: string;
  log = '';
  url = '';
  /** The PostgreSQL server of the log; undefined if the log is in the data directory. */
  database: Database | undefined;
  private process: ChildProcess | undefined;
  private ending: ChildProcess | undefined;
  private clockOffset = 0;
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
    // Before the start: a running server sees new rows only at its next poll, and a page without JavaScript never
    // would.
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
      // Tests launch faster than a person, and have more sessions open.
      CLOUD_DELIVERY_LAUNCHES_PER_MINUTE: '0',
      CLOUD_DELIVERY_LIVE_SESSIONS_PER_USER: '0',
      CLOUD_DELIVERY_SIMULATED: String(this.setup.simulated ?? false),
      ...(this.database === undefined ? {} : { CLOUD_DELIVERY_DATABASE_URL: this.database.url }),
      ...(this.setup.node === undefined ? {} : { CLOUD_DELIVERY_NODE: this.setup.node, CLOUD_DELIVERY_NODE_URL: `http://127.0.0.1:${this.port}` }),
      ...this.setup.settings,
      ...(this.setup.movableClock && !this.setup.monotonicClock ? { CLOUD_DELIVERY_CLOCK: 'system' } : {}),
    };
  }

  /** The pid of the running process. Fails if the server does not run. */
  get pid(): number {
    const child = this.process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) throw new Error('the server does not run');
    return child.pid;
  }

  /** Pauses the server like a machine that sleeps: its connections stay open. */
  suspend(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** Continues after `suspend`. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /**
   * Starts the server, or restarts it after `kill` or `terminate`. Returns when the server reports that it is ready.
   */
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
      AbortSignal.timeout(START_LIMIT_MS).addEventListener('abort', () => reject(new Error(`the server did not start:\n${this.log}`)));
    });
    this.url = await ready;
    if (!this.passwords.has('student') && existsSync(join(this.dataDir, 'first-passwords'))) {
      // The first sign-in would have to change a generated password; a password that was set stays.
      await this.cli(['user', 'set-password', 'student'], `${PASSWORD}\n`);
      this.passwords.set('student', PASSWORD);
    }
  }

  /** Kills the server with SIGKILL, like a power cut. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Stops the server with SIGTERM, as an update does. Returns its exit code. */
  async terminate(): Promise<number | null> {
    const child = this.process;
    await this.end('SIGTERM');
    return child?.exitCode ?? null;
  }

  /** Waits until the server exits by itself. Returns its exit code. */
  async ended(): Promise<number | null> {
    const child = this.process;
    if (child !== undefined && child.exitCode === null) await once(child, 'close');
    return child?.exitCode ?? null;
  }

  /** Starts the server without its wrapper. */
  async launchWithoutWrapper(): Promise<void> {
    delete this.setup.wrapper;
    await this.launch();
  }

  /** Sends another signal to a server that is stopping. */
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

  /** Runs a command of the command line on the same data. Returns its output; fails if the command fails. */
  async cli(args: string[], input?: string): Promise<string> {
    const { CLOUD_DELIVERY_DATABASE_URL: url } = this.settings;
    const settings = { CLOUD_DELIVERY_DATA_DIR: this.dataDir, ...(url === undefined ? {} : { CLOUD_DELIVERY_DATABASE_URL: url }) };
    const ended = await run(args, settings, input === undefined ? { cwd: this.folder } : { cwd: this.folder, input });
    if (ended.code !== 0) throw new Error(`cloud-delivery ${args.join(' ')}: ${ended.stderr}`);
    return ended.stdout;
  }

  /** Adds a user unless the user exists, and returns the username. */
  async person(username: string, role: Role): Promise<string> {
    if (!this.passwords.has(username)) {
      await this.cli(['user', 'add', username, '--role', role], `${PASSWORD}\n`);
      this.passwords.set(username, PASSWORD);
    }
    return username;
  }

  password(username: string): string {
    const password = this.passwords.get(username);
    if (password === undefined) throw new Error(`there is no user ${username}`);
    return password;
  }

  /** The `Cookie` header of a user. All tests of a file share the login. */
  async cookie(username: string): Promise<string> {
    const cookie = this.cookies.get(username) ?? (await this.signIn(username));
    this.cookies.set(username, cookie);
    return cookie;
  }

  /** Replaces the shared login of a user, because the old one has expired. */
  async renewLogin(username: string): Promise<void> {
    this.cookies.set(username, await this.signIn(username));
  }

  /** Signs in and returns the cookie of a login that no other test uses. */
  async signIn(username: string): Promise<string> {
    const form = new URLSearchParams({ username, password: this.password(username), next: '/' }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await send(this.url, 'POST', '/login', { headers, body: form });
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0];
    if (cookie === undefined) throw new Error(`${username} could not sign in: ${answer.status} ${answer.text}`);
    return cookie;
  }

  /** Sends a request as a user, or without a login. */
  async call(username: string | null, method: string, path: string, more: RequestOptions = {}): Promise<HttpResponse> {
    return call(this.url, username === null ? null : await this.cookie(username), method, path, more);
  }

  /** Launches an application by the API and returns the session. */
  async launchAs(username: string, application = SIMULATED.application): Promise<Session> {
    const mine = (await this.call(username, 'GET', '/api/v1/applications')).json as { id: string; name: string }[];
    const application_id = mine.find(({ name }) => name === application)?.id;
    const answer = await this.call(username, 'POST', '/api/v1/sessions', { json: { application_id } });
    if (answer.status !== 201) throw new Error(`${username} could not launch ${application}: ${answer.text}`);
    return answer.json as Session;
  }

  /** Adds an application to the simulated environment, with the given limits or the default ones. */
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

  /** Sets the visible columns of an administrator, for pages that are opened later. */
  async showColumns(username: string, visible: string[]): Promise<void> {
    const stored = await this.call(username, 'POST', '/api/ui/set_columns', { json: { choice: { visible } } });
    if (stored.status !== 200) throw new Error(`the columns of ${username} could not be stored: ${stored.text}`);
  }

  /** The time on the server's clock, in milliseconds. */
  get now(): number {
    return Date.now() + this.clockOffset * 1000;
  }

  /** Sets the server's clock to a time in milliseconds. The clock goes on from there. */
  setClock(time: number): void {
    this.moveClock(Math.round((time - Date.now()) / 1000));
  }

  /** Sets the server's clock this many seconds ahead of the real time. */
  moveClock(seconds: number): void {
    this.clockOffset = seconds;
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

/** Mounts a disk in memory on a folder. */
function mount(folder: string, size: string): void {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`mounting a disk needs root and a kernel that permits it: ${String(error)}`);
  }
}

function glob(folder: string, name: string): string[] {
  try {
    return readdirSync(folder).filter((entry) => entry === name).map((entry) => join(folder, entry));
  } catch {
    return [];
  }
}

/** The fields of a session's JSON that the tests use. */
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
