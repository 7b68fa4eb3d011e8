// Runs the real program, as a server and as a command line, on temporary data directories.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** The administrator of all data directories. */
export const ADMIN = { username: 'admin', password: 'bench-admin-password' };
/** The limit for a start. */
const START_MS = 60_000;

const running = new Set();
process.on('exit', () => running.forEach((child) => signal(child, 'SIGKILL')));

/** Starts the server, passes it to `use`, and always stops it. */
export async function withServer(bench, dataDir, use) {
  const server = await startServer(bench, dataDir);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** Starts the server and waits until it is ready. */
export async function startServer(bench, dataDir) {
  const addr = `127.0.0.1:${await freePort()}`;
  // In the data directory, so that the server does not read a developer's settings file.
  return launch(bench.bin, ['serve'], { cwd: dataDir, env: environment(dataDir, addr) }, addr);
}

/** Starts a command that runs the server, and measures the time until the server is ready. */
export async function launch(command, args, options, addr) {
  const began = performance.now();
  // Its own process group, so that all processes of the command can be stopped.
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  let ended = false;
  const end = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  end.then(() => (ended = true));
  const url = `http://${addr}`;
  const stop = async () => {
    signal(child, 'SIGTERM');
    const late = setTimeout(() => signal(child, 'SIGKILL'), 10_000);
    await end;
    clearTimeout(late);
    running.delete(child);
  };
  const said = () => Buffer.concat(output).toString().trim().split('\n').slice(-3).join(' / ');
  while (!(await isReady(url))) {
    const late = performance.now() - began > START_MS;
    if (ended || late) {
      await stop();
      throw new Error(`the server ${late ? `was not ready in ${START_MS / 1000} s` : 'did not start'}: ${said()}`);
    }
    await sleep(2);
  }
  return { url, pid: child.pid, readyMs: performance.now() - began, stop };
}

/** Runs a command of the command line. */
export async function verb(bench, dataDir, args, input = '') {
  const options = { cwd: dataDir, env: environment(dataDir, '127.0.0.1:1') };
  try {
    const run = promisify(execFile)(bench.bin, args, options);
    run.child.stdin.end(input);
    await run;
  } catch (error) {
    throw new Error(`“cloud-delivery ${args.join(' ')}” failed: ${error.stderr?.trim() || error.message}`);
  }
}

/**
 * Runs an example program of the store, which is built beside the program, with the command `under`. Returns its
 * output.
 */
export async function example(bench, name, args, { under = [], env = {}, input = '' } = {}) {
  const program = join(dirname(bench.bin), 'examples', name);
  if (!existsSync(program)) throw new Error(`there is no program at ${program}; “make bench” builds it`);
  const [command, ...all] = [...under, program, ...args];
  const { PATH, HOME, LANG } = process.env;
  const run = promisify(execFile)(command, all, { cwd: bench.root, env: { PATH, HOME, LANG, ...env } });
  run.child.stdin.end(input);
  return (await run).stdout;
}

/** A value of /proc/…/status in bytes: VmRSS is the resident memory, VmHWM its maximum so far. */
export function memory(pid, line) {
  const kibibytes = new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

/**
 * The environment of the program: its settings, and the variables that any program needs. It refuses unknown settings.
 */
export function environment(dataDir, addr) {
  const { PATH, HOME, LANG } = process.env;
  return {
    PATH,
    HOME,
    LANG,
    CLOUD_DELIVERY_ADDR: addr,
    CLOUD_DELIVERY_DATA_DIR: dataDir,
    CLOUD_DELIVERY_ADMIN_PASSWORD: ADMIN.password,
    CLOUD_DELIVERY_SIMULATED: 'true',
  };
}

/** A free port. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function isReady(url) {
  try {
    // The server opens its port before it loads the log and answers when it is ready, so the wait has no polling error.
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(START_MS) });
    await answer.text();
    return answer.ok;
  } catch {
    return false;
  }
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // The process has exited already.
  }
}
