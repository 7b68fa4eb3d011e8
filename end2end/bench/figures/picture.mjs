// The time from the click on Launch to the first picture of a real terminal in the session's tab.
import { withBrowser, withContext } from '../browser.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { quantile, repeat } from '../stats.mjs';

export const title = 'launch to first picture, about 30 s';

const APPLICATION = 'Terminal';
/** The measured points in the session's tab: its scripts are loaded, the stream is open, the picture is visible. */
const PARTS = ['page', 'connected', 'picture'];

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  return withBrowser((browser) =>
    withServer(bench, dataDir, async (server) => {
      // The first start does not count, because it reads the programs from the disk.
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

/** Signs in with a new browser profile, then launches, ends and launches again. */
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
  // The pages are in different processes but share a clock.
  const since = Object.fromEntries(PARTS.map((what) => [what, seen[what] - clicked]));
  await portal.request.post(`${new URL(tab.url()).pathname}/end`);
  // Wait for the tab's last page. A tab that is closed during its load sends no close event.
  await tab.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await tab.close();
  return since;
}

/** The median of each part of the time. */
function where(visits, which) {
  const median = (what) => quantile(visits.map((visit) => visit[which][what]), 0.5);
  return PARTS.map((what) => `${what} after ${median(what)} ms`).join(', ');
}

/** Runs in every page before its own scripts. Records the click, the load and the first picture. */
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

  /** Whether the canvas has more than one colour. An empty display has one. */
  function hasPicture(canvas) {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.buffer);
    return pixels.some((pixel) => pixel !== pixels[0]);
  }
}
