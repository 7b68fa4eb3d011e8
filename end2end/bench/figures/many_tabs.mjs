// Thousands of open tabs of as many users: the time until one expired tab closes, and until all of them close.
import { readFileSync } from 'node:fs';

import { connections, signedIn, signIn } from '../client.mjs';
import { crowd, SIMULATED_APPLICATION } from '../prepare.mjs';
import { ADMIN, memory, withServer } from '../server.mjs';
import { p50AndP99, quantile, repeat } from '../stats.mjs';
import { openStream } from '../websocket.mjs';

export const title = 'thousands of open tabs, about 3 min';

const TABS = 5000;
/** The number of tabs that a run expires one by one. */
const SINGLY = 500;
/** The most launches and handshakes under way. */
const AT_ONCE = 32;
/** The open files of a process in addition to its tabs: connections, the database, the program. */
const OTHER_FILES = 200;
/** The most sessions of one request (crates/session/src/batch.rs). The page sends the parts in sequence. */
const PART = 250;
/** The close code of an expired session (docs/spec.md §6). */
const EXPIRED = 4001;
/** The request of the page for “all that match”. */
const ALL_ACTIVE = { q: '', status: 'active', connected: false, sort: null, limit: 50, page: 1, cursor: null };

export async function measure(bench) {
  expectOpenFiles(TABS + OTHER_FILES);
  const dataDir = await bench.dataDir('crowd');
  const cookies = await crowd(bench, dataDir, TABS);
  return withServer(bench, dataDir, async (server) => {
    const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
    const all = JSON.parse((await admin.get('/api/v1/applications')).text);
    const application = all.find(({ name }) => name === SIMULATED_APPLICATION).id;
    const agent = connections(AT_ONCE);
    const people = cookies.map((cookie) => signedIn(server.url, cookie, agent));
    const before = memory(server.pid, 'VmRSS');
    const runs = await repeat(bench.runs, () => one(server, admin, people, application));
    agent.destroy();
    admin.close();
    return figures(runs, before);
  });
}

/** Both ends of the tabs are processes on this machine. Each inherits the limit of this process. */
function expectOpenFiles(needed) {
  const most = /^Max open files +\S+ +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  if (most !== 'unlimited' && Number(most) < needed) {
    throw new Error(`${TABS} tabs need ${needed} open files, and a process may have ${most} here: raise it with “ulimit -n ${needed}” as root`);
  }
}

async function one(server, admin, people, application) {
  const tabs = await openAll(server, people, application);
  const rss = memory(server.pid, 'VmRSS');
  const singly = [];
  for (const tab of tabs.slice(0, SINGLY)) singly.push(await expire(admin, tab));
  const again = await openAll(server, people.slice(0, SINGLY), application);
  return { rss, singly, bulk: await expireAll(admin, [...tabs.slice(SINGLY), ...again]) };
}

/** Launches a session for each user and opens its tab. */
async function openAll(server, people, application) {
  const tabs = new Array(people.length);
  let next = 0;
  const worker = async () => {
    while (next < people.length) {
      const at = next++;
      tabs[at] = await open(server, people[at], application);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return tabs;
}

async function open(server, person, application) {
  const answer = await person.post('/api/v1/sessions', { application_id: application });
  const { id } = JSON.parse(answer.text);
  const stream = openStream(server.url, `/sessions/${id}/stream`, person.cookie);
  // The first message shows that the relay is in place.
  await stream.first;
  return { id, stream };
}

async function expire(admin, tab) {
  const began = performance.now();
  await admin.post(`/api/v1/sessions/${tab.id}/expire`, {});
  return (await closed(tab)) - began;
}

/**
 * Expires all tabs as the page does: the selection first, then the parts in sequence. Times count from the first part.
 */
async function expireAll(admin, tabs) {
  const chosen = await admin.post('/api/v1/sessions/selection', { matching: ALL_ACTIVE });
  const { batch, sessions } = JSON.parse(chosen.text);
  if (sessions.length !== tabs.length) throw new Error(`${sessions.length} sessions can be expired, not ${tabs.length}`);
  const began = performance.now();
  const end = Promise.all(tabs.map(closed));
  // Awaited below, where a failure is reported.
  end.catch(() => {});
  for (let at = 0; at < sessions.length; at += PART) {
    const part = sessions.slice(at, at + PART).map(({ id, seen }) => ({ id, seen }));
    const answer = await admin.post('/api/v1/sessions/expire', { batch, size: sessions.length, sessions: part });
    const refused = JSON.parse(answer.text).find(({ problem }) => problem);
    if (refused) throw new Error(`${refused.id} was not expired: ${refused.problem.detail}`);
  }
  const answered = performance.now() - began;
  const times = (await end).map((at) => at - began);
  return { chosen: chosen.ms, answered, first: Math.min(...times), last: Math.max(...times) };
}

/** The time at which the tab received the close frame of the expired session. */
async function closed({ id, stream }) {
  const { code, at } = await stream.closed;
  stream.destroy();
  if (code !== EXPIRED) throw new Error(`the tab of ${id} was closed with ${code}, not with ${EXPIRED}`);
  return at;
}

function figures(runs, before) {
  const open = `${TABS.toLocaleString('en')} tabs open`;
  const [p50, p99] = p50AndP99(`expire to the tab closed, ${open}`, runs.map(({ singly }) => singly), { aim: 15 });
  const median = (of) => quantile(runs.map(({ bulk }) => bulk[of]), 0.5).toFixed(0);
  const bulk = {
    name: `expire all of ${open}: the last one closed`,
    unit: 'ms',
    runs: runs.map(({ bulk }) => bulk.last),
    aim: 1000,
    note: `${TABS / PART} parts of ${PART}; chosen in ${median('chosen')} ms, first closed after ${median('first')} ms, all answered after ${median('answered')} ms`,
  };
  const name = `memory with ${open} (RSS)`;
  const rss = { name, unit: 'MB', runs: runs.map(({ rss }) => rss / 1e6), note: `${(before / 1e6).toFixed(0)} MB before the first was opened` };
  return [{ ...p50, aim: 3 }, { ...p99, note: `${SINGLY} a run` }, bulk, rss];
}
