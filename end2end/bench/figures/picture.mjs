// From the click on Launch to the first picture of a real terminal in the session's tab, in a real browser.
import { withBrowser, withContext } from '../browser.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { quantile, repeat } from '../stats.mjs';

export const title = 'launch to first picture, about 30 s';

const APPLICATION = 'Terminal';
/** What is noted in the session's tab: the page and its scripts are there, the stream is open, something is seen. */
const PARTS = ['page', 'connected', 'picture'];

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  return withBrowser((browser) =>
    withServer(bench, dataDir, async (server) => {
      // The very first start reads the programs from the disk; it is not what a user of a running server sees.
      await visit(browser, server);
      const visits = await repeat(bench.runs, () => visit(browser, server));
      const figure = (name, which) => {
        const runs = visits.map((visit) => visit[which].picture);
        return { name, unit: 'ms', runs, aim: 600, note: where(visits, which) };
      };
      return [
        figure(`launch to first picture, ${APPLICATION}`, 'again'),
        figure(`the same, nothing in the browser's cache`, 'first'),
      ];
    }),
  );
}

/** A person who signs in with a new browser profile and launches, ends, and launches again. */
function visit(browser, server) {
  return withContext(browser, server, stopwatch, async (context) => {
    const portal = await context.newPage();
    await portal.goto('/login');
    await portal.getByLabel('Username').fill(ADMIN.username);
    await portal.getByLabel('Password').fill(ADMIN.password);
    await portal.getByRole('button', { name: 'Sign in' }).click();
    await portal.getByRole('heading', { name: 'My apps' }).waitFor();
    return { first: await launch(portal), again: await launch(portal) };
  });
}

async function launch(portal) {
  const heading = portal.getByRole('heading', { name: APPLICATION, exact: true });
  const card = portal.getByRole('article').filter({ has: heading });
  const [tab] = await Promise.all([
    portal.waitForEvent('popup'),
    card.getByRole('button', { name: 'Launch', exact: true }).click(),
  ]);
  try {
    await tab.waitForFunction(() => window.bench.picture, undefined, { timeout: 20_000 });
  } catch {
    throw new Error(`${APPLICATION} shows nothing after 20 s; its tab says: ${await tab.locator('body').innerText()}`);
  }
  const { clicked } = await portal.evaluate(() => window.bench);
  const seen = await tab.evaluate(() => window.bench);
  // Another process drew the other page, but both have the same clock.
  const since = Object.fromEntries(PARTS.map((what) => [what, seen[what] - clicked]));
  await portal.request.post(`${new URL(tab.url()).pathname}/end`);
  // It loads its last page now; a tab that is closed in the middle of that never tells that it has closed.
  await tab.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await tab.close();
  return since;
}

/** Where the time goes, in the median of each part. */
function where(visits, which) {
  const median = (what) => quantile(visits.map((visit) => visit[which][what]), 0.5);
  return PARTS.map((what) => `${what} after ${median(what)} ms`).join(', ');
}

/** Runs in every page before its own scripts: notes when it was clicked, when it came, when it showed something. */
function stopwatch() {
  window.bench = {};
  addEventListener('click', () => (window.bench.clicked = Date.now()), true);
  addEventListener('DOMContentLoaded', () => (window.bench.page ??= Date.now()));
  const look = () => {
    if (document.documentElement?.dataset.state === 'connected') window.bench.connected ??= Date.now();
    const canvas = document.querySelector('#screen canvas');
    if (canvas?.width && hasPicture(canvas)) window.bench.picture = Date.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);

  /** An empty display is of one colour. */
  function hasPicture(canvas) {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.buffer);
    return pixels.some((pixel) => pixel !== pixels[0]);
  }
}
