// The time from a key to the changed picture: in the tab of a terminal, through the whole path, and on a bare display.
import { setTimeout as sleep } from 'node:timers/promises';

import { withBrowser, withContext } from '../browser.mjs';
import { signIn } from '../client.mjs';
import { withDisplay } from '../rfb.mjs';
import { ADMIN, freePort, withServer } from '../server.mjs';
import { quantile, repeat } from '../stats.mjs';

export const title = 'key to pixel, about 1 min';

const APPLICATION = 'Terminal';
const KEYS = 100;
/** A person types slower. The display must be still between two keys. */
const PAUSE_MS = 60;
const LETTER = 0x61;

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  const tab = await withBrowser((browser) => withServer(bench, dataDir, (server) => inTab(bench, browser, server)));
  const bare = await withDisplay(await freePort(), (display) => repeat(bench.runs, () => onDisplay(display)));
  const figure = (name, runs, q, aim) => ({ name, unit: 'ms', runs: runs.map((times) => quantile(times, q)), ...(aim ? { aim } : {}) });
  return [
    figure('key to pixel in the tab, p50', tab, 0.5, 25),
    figure('key to pixel in the tab, p95', tab, 0.95, 45),
    figure('key to picture on a bare display, p50', bare, 0.5),
    figure('key to picture on a bare display, p95', bare, 0.95),
  ];
}

async function inTab(bench, browser, server) {
  const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
  const all = JSON.parse((await admin.get('/api/v1/applications')).text);
  const application_id = all.find(({ name }) => name === APPLICATION).id;
  const { id } = JSON.parse((await admin.post('/api/v1/sessions', { application_id })).text);
  try {
    return await withContext(browser, { url: server.url, cookie: admin.cookie }, stopwatch, async (context) => {
      const tab = await context.newPage();
      await tab.goto(`/sessions/${id}`);
      await tab.waitForFunction(() => document.documentElement.dataset.state === 'connected');
      // A terminal echoes letters by itself, without a line editor.
      await type(tab, 'cat\n');
      return repeat(bench.runs, () => keys(tab));
    });
  } finally {
    await admin.post(`/api/v1/sessions/${id}/expire`, {});
    admin.close();
  }
}

async function type(tab, text) {
  for (const letter of text) {
    await tab.keyboard.press(letter === '\n' ? 'Enter' : letter);
    await sleep(PAUSE_MS);
  }
  await sleep(500);
}

async function keys(tab) {
  const times = [];
  for (let n = 0; n < KEYS; n += 1) {
    await tab.evaluate(() => (window.bench = {}));
    await tab.keyboard.press('a');
    const drawn = await tab.waitForFunction(() => window.bench.drawn, undefined, { timeout: 5000 });
    times.push(await drawn.jsonValue());
    await sleep(PAUSE_MS);
  }
  return times;
}

async function onDisplay(display) {
  const times = [];
  for (let n = 0; n < KEYS; n += 1) {
    display.request();
    const began = performance.now();
    display.press(LETTER);
    await display.update();
    times.push(performance.now() - began);
    await sleep(PAUSE_MS);
  }
  return times;
}

/** Runs in the tab before its own scripts: records the time from a key to the next drawing on the visible canvas. */
function stopwatch() {
  window.bench = {};
  addEventListener('keydown', (event) => (window.bench.pressed ??= event.timeStamp), true);
  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function (...from) {
    drawImage.apply(this, from);
    const { pressed } = window.bench;
    if (pressed !== undefined && this.canvas.isConnected) window.bench.drawn ??= performance.now() - pressed;
  };
}
