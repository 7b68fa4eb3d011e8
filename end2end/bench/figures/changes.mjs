// A busy minute: a thousand changes per second and two hundred watchers of the list, one of them in a real browser.
import { setTimeout as sleep } from 'node:timers/promises';

import { withBrowser, withContext } from '../browser.mjs';
import { signIn } from '../client.mjs';
import { now, withHelper } from '../load/helper.mjs';
import { PASSWORD, PREFIX } from '../prepare.mjs';
import { cpuSeconds as cpuSecondsOf } from '../processes.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { listOf, SESSIONS, shown, stopwatch } from '../sessions_page.mjs';
import { quantile } from '../stats.mjs';

export const title = '1,000 changes a second, about 3 min';

const PEOPLE = 100;
const APPLICATIONS = 6;
const CYCLES_PER_SECOND = 250;
const WATCHERS = 200;
/** The lists of a tenth of the watchers. The others and the browser watch the plain list. */
const OTHER_VIEWS = ['?q=user%3Abench1', '?sort=username', '?q=dana', '?sort=-valid_until', '?q=status%3Aactive'];
/** The time until connections, caches and heaps are stable. */
const WARM_UP_MS = 10_000;
/** An event that arrives later after the last change counts as missing. */
const MISSING_AFTER_MS = 3000;
/** The difference between two garbage collections of the same page. Smaller growth is noise. */
const HEAP_NOISE_KB = 100;

export async function measure(bench) {
  const dataDir = await bench.dataDir('people', { applications: APPLICATIONS, people: PEOPLE });
  return withServer(bench, dataDir, (server) =>
    withBrowser((browser) =>
      withHelper('watchers', (watchers, watchersPid) =>
        withHelper('generator', async (generator, generatorPid) => {
          const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
          const { cookie } = admin;
          const names = (count) => Array.from({ length: count }, (_, n) => `${PREFIX} ${n + 1}`);
          await generator('prepare', {
            url: server.url,
            people: names(PEOPLE).map((name) => name.toLowerCase().replace(' ', '')),
            password: PASSWORD,
            applications: names(APPLICATIONS),
          });
          const before = await listed(admin);
          const view = (_, n) => (n % 10 ? '' : OTHER_VIEWS[(n / 10) % OTHER_VIEWS.length]);
          await watchers('open', { url: server.url, cookie, searches: Array.from({ length: WATCHERS }, view) });
          return withContext(browser, { ...server, cookie }, stopwatch, async (context) => {
            const page = await watchedPage(context);
            await generator('start', { cycles: CYCLES_PER_SECOND });
            await sleep(WARM_UP_MS);
            await watchers('begin');
            const pids = { server: server.pid, generator: generatorPid, watchers: watchersPid };
            const minute = await measured(admin, page, pids, bench.seconds);
            const done = await generator('stop');
            await sleep(MISSING_AFTER_MS);
            const got = await watchers('close');
            await expectAllThere(admin, before, done);
            const wrong = await wrongRows(page, admin);
            admin.close();
            return figures(minute, done, got, wrong);
          });
        }),
      ),
    ),
  );
}

/** A page with the list in the browser, and functions that measure its costs. */
async function watchedPage(context) {
  const page = await context.newPage();
  await page.goto(SESSIONS);
  await page.waitForFunction(() => window.bench.interactive);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable');
  const costs = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  /** The bytes in use after garbage collection. */
  const heap = async () => {
    // Objects that only garbage refers to may need a second collection.
    for (let n = 0; n < 2; n += 1) await devtools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await devtools.send('Runtime.getHeapUsage');
    const wasm = await page.evaluate(() => window.bench.wasmMemory?.buffer.byteLength ?? 0);
    return { javascript: usedSize, wasm, nodes: (await costs()).Nodes };
  };
  const divergences = () => page.locator('table[aria-label="Sessions"]').getAttribute('data-divergences');
  return { page, costs, heap, divergences };
}

/** Measures all costs for this many seconds. */
async function measured(admin, { costs, heap, divergences }, pids, seconds) {
  const look = async () => ({ costs: await costs(), cpu: cpuSeconds(pids), at: now(), revision: (await listed(admin)).revision });
  const heapBefore = await heap();
  const before = await look();
  await sleep(seconds * 1000);
  const after = await look();
  const heapAfter = await heap();
  const lasted = (after.at - before.at) / 1000;
  const perSecond = (of) => (of(after) - of(before)) / lasted;
  return {
    from: before.at,
    to: after.at,
    lasted,
    commits: perSecond(({ revision }) => revision),
    cpu: (who) => 100 * perSecond(({ cpu }) => cpu[who]),
    browserMs: (name) => 1000 * perSecond(({ costs }) => costs[name]),
    growth: (kind) => heapAfter[kind] - heapBefore[kind],
    divergences: await divergences(),
  };
}

function cpuSeconds(pids) {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSecondsOf(pid)]));
}

async function listed(admin) {
  return JSON.parse((await admin.get('/api/v1/sessions?limit=200')).text);
}

/** Expects that the list has all acknowledged sessions, and that all have ended. */
async function expectAllThere(admin, before, done) {
  const resting = ({ counts, items }) => counts.pending + counts.active === 0 && items.every(({ teardown }) => teardown !== 'wanted');
  let after = await listed(admin);
  for (let n = 0; n < 100 && !resting(after); n += 1) {
    await sleep(100);
    after = await listed(admin);
  }
  const more = (status) => after.counts[status] - before.counts[status];
  if (!resting(after) || more('expired') !== done.expire.at.length || more('error') !== 0) {
    throw new Error(`after ${done.launch.at.length} launches and ${done.expire.at.length} expires the list has ${JSON.stringify(after.counts)}, before ${JSON.stringify(before.counts)}`);
  }
}

/** The number of rows that differ between the page and the API after the last change. */
async function wrongRows({ page }, admin) {
  const [is, wanted] = [await shown(page), await listOf(admin, '')];
  return wanted.rows.filter((row, at) => row !== is.rows[at]).length + Number(is.total !== wanted.total);
}

function figures(minute, done, got, wrong) {
  const within = (times) => times.reduce((count, at) => count + Number(at >= minute.from && at <= minute.to), 0);
  const [launched, expired] = [within(done.launch.at), within(done.expire.at)];
  const all = delivery(minute, done, got.watchers);
  const plain = delivery(minute, done, got.watchers.filter(({ search }) => search === ''));
  const others = delivery(minute, done, got.watchers.filter(({ search }) => search !== ''));
  const { cpu, browserMs, growth, divergences } = minute;
  const figure = (name, unit, value, more) => ({ name, unit, runs: [value], ...more });
  const times = (numbers) => numbers.map((ms) => ms.toFixed(0)).join('/');
  const failed = done.failed ? `; ${done.failed} requests failed, the first: ${done.failure}` : '';
  const lost = got.watchers.filter(({ lost }) => lost).length;
  const megabytes = got.watchers.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  return [
    figure('changes, achieved', '/s', (2 * (launched + expired)) / minute.lasted, {
      least: 4 * CYCLES_PER_SECOND,
      note:
        `${launched} launched and ready, ${expired} expired and torn down, in ${minute.commits.toFixed(0)} commits a second; ` +
        `answers p50/p99: launch ${times(done.launch.took)} ms, expire ${times(done.expire.took)} ms; ` +
        `${done.idleAtTheEnd} of ${PEOPLE * APPLICATIONS} places without a session at the end${failed}`,
    }),
    figure('answer to event, p50', 'ms', quantile(all, 0.5)),
    figure('answer to event, p99', 'ms', quantile(all, 0.99), {
      aim: 400,
      note:
        `${WATCHERS} watchers, ${lost} of them lost; plain list p50/p99 ${times([0.5, 0.99].map((q) => quantile(plain, q)))} ms, ` +
        `search or another order ${times([0.5, 0.99].map((q) => quantile(others, q)))} ms; ${megabytes.toFixed(0)} MB in all; ` +
        `the process of the watchers itself was late by ${got.delayMs.toFixed(0)} ms at p99`,
    }),
    figure('server, of one core', '%', cpu('server'), {
      note: `also, generator ${cpu('generator').toFixed(0)} %, watchers ${cpu('watchers').toFixed(0)} %`,
    }),
    figure("browser's main thread", 'ms/s', browserMs('TaskDuration'), {
      aim: 60,
      note:
        ['Script', 'RecalcStyle', 'Layout'].map((name) => `${name} ${browserMs(`${name}Duration`).toFixed(0)}`).join(', ') +
        ' ms/s',
    }),
    figure('JavaScript heap, growth', 'kB', growth('javascript') / 1000, {
      aim: HEAP_NOISE_KB,
      note: `${growth('nodes')} more nodes of the document`,
    }),
    figure('wasm memory, growth', 'kB', growth('wasm') / 1000),
    ...(divergences === null ? [] : [figure('divergences the page found', '', Number(divergences), { aim: 0 })]),
    figure('wrong rows on the page when quiet', '', wrong, { aim: 0 }),
  ];
}

/** The milliseconds from each answer to the event with its version, for each watcher. */
function delivery({ from, to }, { versions, times }, watchers) {
  const changes = Array.from(versions, (version, at) => ({ version, at: times[at] }))
    .filter(({ at }) => at >= from && at <= to)
    .sort((a, b) => a.version - b.version);
  const delays = new Float64Array(changes.length * watchers.length);
  let filled = 0;
  for (const { revisions, times } of watchers) {
    let event = 0;
    for (const { version, at } of changes) {
      while (event < revisions.length && revisions[event] < version) event += 1;
      // An event that overtakes its answer has no delay. A missing event has an infinite one.
      delays[filled] = event < revisions.length ? Math.max(0, times[event] - at) : Infinity;
      filled += 1;
    }
  }
  return delays;
}
