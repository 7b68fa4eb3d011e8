// The time from the start of the program to its first answer, and its memory after that.
import { signIn } from '../client.mjs';
import { ADMIN, memory, withServer } from '../server.mjs';
import { repeat } from '../stats.mjs';
import { NEEDLES, searchPath } from './search.mjs';

export const title = 'start and memory, about 1 min: the history is made first';

const QUERIES = 500;

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  const runs = await repeat(bench.runs, () => withServer(bench, dataDir, one));
  const figure = (name, unit, value, aim) => ({ name, unit, runs: runs.map(value), aim });
  return [
    figure('start to ready', 'ms', (run) => run.readyMs),
    figure('memory after the start (RSS)', 'MB', (run) => run.fresh / 1e6, 150),
    figure(`memory after ${QUERIES} searches (RSS)`, 'MB', (run) => run.used / 1e6, 150),
    figure('most memory so far (peak RSS)', 'MB', (run) => run.most / 1e6),
  ];
}

async function one(server) {
  const fresh = memory(server.pid, 'VmRSS');
  const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
  await repeat(QUERIES, (n) => admin.get(searchPath(NEEDLES[n % NEEDLES.length])));
  admin.close();
  return { readyMs: server.readyMs, fresh, used: memory(server.pid, 'VmRSS'), most: memory(server.pid, 'VmHWM') };
}
