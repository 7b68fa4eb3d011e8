// The Sessions page in a real browser: the time to the first row, to interactivity, and of its reactions.
import { withBrowser, withContext } from '../browser.mjs';
import { signIn } from '../client.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { arm, listOf, SESSIONS, shown, stopwatch } from '../sessions_page.mjs';
import { quantile, repeat } from '../stats.mjs';

export const title = 'the Sessions page in a browser, about 3 min';

/** Measured reactions per run. */
const KEYS = 40;
const CLICKS = 30;
/** Searches that are typed letter by letter: names, environments, IDs, a filter, two words. */
const WORDS = ['amara00', 'bjorn10', 'lab b ch', 'user:dana', 'medical le', 'femi1', 'library g', 'hiro4 lab', 'env:eng ines', '-8f2'];
const HEADERS = ['Username', 'Valid until', 'Environment', 'Start date', 'Username', 'Started ago', 'Valid until', 'Status'];
/** The pause of a reading user. It also separates a reaction from the work that follows it. */
const PAUSE_MS = 100;

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  return withBrowser((browser) =>
    withServer(bench, dataDir, async (server) => {
      const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
      const visit = (use) => withContext(browser, { ...server, cookie: admin.cookie }, stopwatch, use);
      // The first visit does not count, because it reads the browser's own files from the disk.
      await visit(open);
      const visits = await repeat(bench.runs, () => visit(open));
      const keys = await repeat(bench.runs, () => visit((context) => type(context, admin)));
      const clicks = await repeat(bench.runs, () => visit((context) => sort(context, admin)));
      admin.close();
      return [
        { name: 'Sessions page to first row, cold cache', unit: 'ms', runs: visits.map(({ firstRow }) => firstRow) },
        { name: 'Sessions page to interactive, cold cache', unit: 'ms', runs: visits.map(({ interactive }) => interactive) },
        ...answers('key press to rows painted', keys, 150),
        ...answers('sort click to rows painted', clicks, 100),
      ];
    }),
  );
}

function answers(name, runs, aim) {
  const figure = (q) => ({ name: `${name}, p${q * 100}`, unit: 'ms', runs: runs.map((times) => quantile(times, q)) });
  return [figure(0.5), { ...figure(0.95), aim, note: `${runs[0].length} answers a run` }];
}

/** Opens the page in a new profile. */
async function open(context) {
  const page = await context.newPage();
  await page.goto(SESSIONS);
  await page.waitForFunction(() => window.bench.firstRow && window.bench.interactive);
  return page.evaluate(() => ({ firstRow: window.bench.firstRow, interactive: window.bench.interactive }));
}

/** Types searches. Each letter follows after the reaction to the previous one. */
async function type(context, admin) {
  const page = await context.newPage();
  await page.goto(SESSIONS);
  await page.waitForFunction(() => window.bench.interactive);
  await page.getByRole('searchbox', { name: 'Search sessions' }).focus();
  const times = [];
  const press = async (key, q) => {
    const list = await listOf(admin, q && `?${new URLSearchParams({ q })}`);
    // A letter that does not change the screen can't be measured.
    const counts = key !== 'Escape' && (await shown(page)).total !== list.total;
    const painted = await arm(page, 'keydown', list);
    await page.keyboard.press(key);
    const ms = await painted();
    if (counts) times.push(ms);
    await page.waitForTimeout(PAUSE_MS);
  };
  for (let n = 0; times.length < KEYS; n += 1) {
    const letters = [...WORDS[n % WORDS.length]];
    for (let at = 0; at < letters.length && times.length < KEYS; at += 1) {
      await press(letters[at], letters.slice(0, at + 1).join(''));
    }
    await press('Escape', '');
  }
  return times;
}

/** Clicks headers. Each click follows after the reaction to the previous one. */
async function sort(context, admin) {
  const page = await context.newPage();
  await page.goto(SESSIONS);
  await page.waitForFunction(() => window.bench.interactive);
  const times = [];
  for (let n = 0; times.length < CLICKS; n += 1) {
    const name = HEADERS[n % HEADERS.length];
    const header = page.getByRole('columnheader', { name });
    const link = header.getByRole('link');
    const { search } = new URL(await link.getAttribute('href'), page.url());
    const list = await listOf(admin, search);
    // Two sort orders may be equal. A click that moves no row can't be measured.
    const counts = (await shown(page)).rows.join() !== list.rows.join();
    const descending = new URLSearchParams(search).get('sort')?.startsWith('-') ?? true;
    const painted = await arm(page, 'click', list, `${name} ${descending ? 'descending' : 'ascending'}`);
    await link.click();
    const ms = await painted();
    if (counts) times.push(ms);
    await page.waitForTimeout(PAUSE_MS);
  }
  return times;
}
