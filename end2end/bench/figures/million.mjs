// The start with a million sessions, the most that the list is designed for, and their memory.
import { signIn } from '../client.mjs';
import { ADMIN, memory, withServer } from '../server.mjs';
import { repeat } from '../stats.mjs';

export const title = 'start with 1,000,000 sessions, about 3 min: they are made first';

const SESSIONS = 1_000_000;

export async function measure(bench) {
  const dataDir = await bench.dataDir('million', { sessions: SESSIONS });
  const runs = await repeat(bench.runs, () => withServer(bench, dataDir, one));
  const figure = (name, unit, value, aim) => ({ name: `${name}, ${SESSIONS.toLocaleString('en')} sessions`, unit, runs: runs.map(value), aim });
  return [
    figure('start to ready', 's', (run) => run.readyMs / 1000, 5),
    figure('memory after the start (RSS)', 'MB', (run) => run.fresh / 1e6, 600),
    figure('most memory so far (peak RSS)', 'MB', (run) => run.most / 1e6),
  ];
}

async function one(server) {
  const [fresh, most] = [memory(server.pid, 'VmRSS'), memory(server.pid, 'VmHWM')];
  const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
  const { all } = JSON.parse((await admin.get('/api/v1/sessions?limit=1')).text);
  admin.close();
  if (all < SESSIONS) throw new Error(`the list has ${all} sessions, not ${SESSIONS}`);
  return { readyMs: server.readyMs, fresh, most };
}
