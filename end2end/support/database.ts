// A temporary PostgreSQL server, and the faults that the tests inject into it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Network } from './network.ts';
import { processes } from './processes.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/postgres', import.meta.url));

export class Database {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly script: ChildProcess,
    /** The network to a remote server. */
    readonly network: Network | undefined,
  ) {}

  /**
   * Starts a server. A remote one is behind a network that tests can cut. It ends when its script’s standard input
   * closes.
   */
  static async start(remote: boolean): Promise<Database> {
    const network = remote ? Network.create() : undefined;
    const [program = SCRIPT, ...args] = network ? [...network.execPrefix, SCRIPT, '--listen', network.address] : [SCRIPT];
    const script = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { url, folder } = await new Promise<{ url: string; folder: string }>((resolve, reject) => {
      let printed = '';
      script.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        const [, url] = /^url (\S+)$/m.exec(printed) ?? [];
        const [, folder] = /^data (\S+)$/m.exec(printed) ?? [];
        if (url !== undefined && folder !== undefined) resolve({ url, folder });
      });
      script.once('close', () => reject(new Error(`no PostgreSQL: ${printed}`)));
    });
    return new Database(url, folder, script, network);
  }

  /** Ends the server like a power cut, except that the disk keeps everything. Its child processes notice and exit. */
  kill(): void {
    process.kill(this.pid, 'SIGKILL');
  }

  /** A fast shutdown, as an update does it: the server does not wait for connected clients. */
  shutDown(): void {
    process.kill(this.pid, 'SIGINT');
  }

  /** Starts the server again, with the same data and address. */
  async restart(): Promise<void> {
    const started = once(this.script.stdout ?? this.script, 'data');
    this.script.stdin?.write('start\n');
    const [answer] = (await started) as [string];
    if (answer.trim() !== 'started') throw new Error(`PostgreSQL did not start again: ${answer}`);
  }

  /** Pauses every process of the server: the kernel accepts connections, but nothing answers. */
  freeze(): void {
    this.signal('SIGSTOP');
  }

  /** Continues after `freeze`. */
  thaw(): void {
    this.signal('SIGCONT');
  }

  /** Runs a statement on a separate connection and returns the first value. */
  sql(statement: string): string {
    return execFileSync('psql', ['--no-psqlrc', '--tuples-only', '--no-align', '--dbname', this.url, '--command', statement], { encoding: 'utf8' }).trim();
  }

  async stop(): Promise<void> {
    const ended = once(this.script, 'close');
    this.script.stdin?.end();
    await ended;
    this.network?.remove();
  }

  private signal(signal: NodeJS.Signals): void {
    const { pid } = this;
    const family = processes().filter((process) => process.pid === pid || process.parent === pid);
    execFileSync('kill', [`-${signal.slice(3)}`, ...family.map((process) => String(process.pid))]);
  }

  private get pid(): number {
    return Number(readFileSync(join(this.folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }
}
