// Two thousand open My apps pages that poll every five seconds, while two hundred pages of administrators watch the
// list.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { connections, signedIn, signIn } from '../client.mjs';
import { withHelper } from '../load/helper.mjs';
import { crowd } from '../prepare.mjs';
import { cpuSeconds } from '../processes.mjs';
import { ADMIN, memory, withServer } from '../server.mjs';

export const title = '2,000 people with My apps open, about 3 min';

const PEOPLE = 2000;
const WATCHERS = 200;
/** The interval of the polls of a visible page (app/src/ui/repeat.rs). */
const EVERY_MS = 5000;
const CONNECTIONS = 64;
/** Longer than a minute, because the server stores the last use of a login once per minute. */
const WARM_UP_MS = 65_000;
/** The requests of a page, the newest first. A page names the version of the cards that it has. */
const WAYS = [
  (person, etag, known) =>
    person.get(`/api/ui/my_applications${known === undefined ? '' : `?known=${known}`}`, etag === undefined ? {} : { 'if-none-match': etag }),
  (person) => person.post('/api/ui/my_applications', {}),
];

export async function measure(bench) {
  const dataDir = await bench.dataDir('readers');
  const cookies = await crowd(bench, dataDir, PEOPLE);
  return withServer(bench, dataDir, (server) =>
    withHelper('watchers', async (watchers) => {
      const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
      await watchers('open', { url: server.url, cookie: admin.cookie, searches: Array.from({ length: WATCHERS }, () => '') });
      const agent = connections(CONNECTIONS);
      const crowdOfPages = await open(server, cookies, agent);
      await sleep(WARM_UP_MS);
      const [cpu, asked] = await busy(server, crowdOfPages, bench.seconds);
      const commits = await commitsPerSecond(server.pid, bench.seconds);
      const rss = memory(server.pid, 'VmRSS');
      await crowdOfPages.close();
      await watchers('close');
      agent.destroy();
      admin.close();
      const note = `${asked.answers} answers, ${asked.unchanged} of them “not modified”; median ${asked.ms.toFixed(1)} ms`;
      return [
        { name: `commits, ${PEOPLE} people and ${WATCHERS} watches`, unit: '/s', runs: [commits], aim: 1 },
        { name: `CPU of the server, ${PEOPLE} people and ${WATCHERS} watches`, unit: '%', runs: [cpu], note },
        { name: `memory, ${PEOPLE} people and ${WATCHERS} watches (RSS)`, unit: 'MB', runs: [rss / 1e6] },
      ];
    }),
  );
}

/** Pages that poll until they are closed, spread evenly over the five seconds. */
async function open(server, cookies, agent) {
  const way = await knownWay(signedIn(server.url, cookies[0], agent));
  const state = { closed: false, answers: 0, unchanged: 0, times: [] };
  const page = async (cookie, n) => {
    const person = signedIn(server.url, cookie, agent);
    const { version } = JSON.parse((await way(person)).text);
    let etag;
    await sleep((EVERY_MS * n) / cookies.length);
    while (!state.closed) {
      const began = performance.now();
      const answer = await way(person, etag, version);
      etag = answer.headers.etag ?? etag;
      state.answers += 1;
      state.unchanged += Number(answer.status === 304);
      state.times.push(performance.now() - began);
      await sleep(Math.max(0, EVERY_MS - (performance.now() - began)));
    }
  };
  const pages = Promise.all(cookies.map(page));
  return {
    state,
    close: () => {
      state.closed = true;
      return pages;
    },
  };
}

async function knownWay(person) {
  for (const way of WAYS) {
    const known = await way(person).catch(() => undefined);
    if (known !== undefined) return way;
  }
  throw new Error('the server has no known request for My apps');
}

async function busy(server, { state }, seconds) {
  Object.assign(state, { answers: 0, unchanged: 0, times: [] });
  const before = cpuSeconds(server.pid);
  await sleep(seconds * 1000);
  const cpu = (100 * (cpuSeconds(server.pid) - before)) / seconds;
  const times = state.times.toSorted((a, b) => a - b);
  return [cpu, { answers: state.answers, unchanged: state.unchanged, ms: times[times.length >> 1] ?? 0 }];
}

/**
 * Counts the fsyncs, of which each SQLite commit makes one. This has its own time window, because counting takes time.
 */
async function commitsPerSecond(pid, seconds) {
  const args = ['--follow-forks', '--summary-only', '--trace=fsync,fdatasync', '--attach', String(pid)];
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let summary = '';
  strace.stderr.setEncoding('utf8').on('data', (text) => (summary += text));
  const end = new Promise((resolve, reject) => strace.once('close', resolve).once('error', reject));
  await sleep(seconds * 1000);
  strace.kill('SIGINT');
  await end;
  const calls = [...summary.matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0) / seconds;
}
