// `make bench`: measures real servers on temporary data directories and prints the figures.
//
// To add a figure, add it to FIGURES with a file in figures/ that exports `title` and `measure(bench)`. That returns a
// list of { name, unit, runs, aim? or least?, note? }. A figure's value is the median of its runs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import * as audit from './figures/audit.mjs';
import * as changes from './figures/changes.mjs';
import * as expire from './figures/expire.mjs';
import * as files from './figures/files.mjs';
import * as firstPage from './figures/first_page.mjs';
import * as keys from './figures/keys.mjs';
import * as launches from './figures/launches.mjs';
import * as makeRun from './figures/make_run.mjs';
import * as manyTabs from './figures/many_tabs.mjs';
import * as million from './figures/million.mjs';
import * as myApps from './figures/my_apps.mjs';
import * as page from './figures/page.mjs';
import * as payload from './figures/payload.mjs';
import * as picture from './figures/picture.mjs';
import * as search from './figures/search.mjs';
import * as start from './figures/start.mjs';
import { load, machine } from './machine.mjs';
import { prepare } from './prepare.mjs';
import { judged, print, write } from './report.mjs';

const FIGURES = {
  start,
  firstPage,
  search,
  audit,
  page,
  changes,
  expire,
  manyTabs,
  myApps,
  launches,
  million,
  picture,
  keys,
  files,
  payload,
  makeRun,
};

const USAGE = `node end2end/bench/run.mjs [--sessions 100000] [--runs 5] [--seconds 60] [--only ${Object.keys(FIGURES).join(',')}]`;

function options() {
  const count = (name, text) => {
    if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} is a number from 1 up; usage: ${USAGE}`);
    return Number(text);
  };
  const { values } = parseArgs({
    options: {
      sessions: { type: 'string', default: '100000' },
      runs: { type: 'string', default: '5' },
      // The length of the runs that measure continuous work.
      seconds: { type: 'string', default: '60' },
      only: { type: 'string', default: Object.keys(FIGURES).join(',') },
    },
  });
  const only = values.only.split(',');
  const unknown = only.find((name) => !FIGURES[name]);
  if (unknown) throw new Error(`there is no figure “${unknown}”; usage: ${USAGE}`);
  const number = (name) => count(name, values[name]);
  return { sessions: number('sessions'), runs: number('runs'), seconds: number('seconds'), only };
}

/** The context of all figures. */
function setUp() {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
  const bin = resolve(root, process.env.CLOUD_DELIVERY_BIN ?? join(target, 'release/cloud-delivery'));
  if (!existsSync(bin)) throw new Error(`there is no program at ${bin}; “make bench” builds it`);
  const { only, ...wanted } = options();
  // Not in /tmp, which may be in memory: commits would cost nothing there.
  const scratch = mkdtempSync(join(target, 'bench-'));
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const once = new Map();
  const bench = { root, target, bin, scratch, ...wanted };
  /** Returns a data directory that several figures share. The first use creates it. */
  bench.dataDir = (name, more) => {
    if (!once.has(name)) once.set(name, prepare(bench, name, more));
    return once.get(name);
  };
  return { bench, only };
}

function commit(root) {
  try {
    const quiet = { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' };
    return execFileSync('git', ['describe', '--always', '--dirty'], quiet).trim();
  } catch {
    return undefined;
  }
}

async function run() {
  const { bench, only } = setUp();
  const { sessions, bin } = bench;
  const began = { date: new Date().toISOString(), commit: commit(bench.root), machine: machine(), load_before: load() };
  const [figures, failures] = [[], []];
  for (const [index, name] of only.entries()) {
    console.log(`[${index + 1}/${only.length}] ${FIGURES[name].title} (load ${load()[0]})`);
    try {
      figures.push(...(await FIGURES[name].measure(bench)).map(judged));
    } catch (error) {
      failures.push({ figure: name, why: error.message });
    }
  }
  const result = { ...began, load_after: load(), sessions, bin, figures, failures };
  print(result);
  write(join(bench.target, 'bench.json'), result);
  process.exitCode = failures.length ? 1 : 0;
}

// `process.exit` runs the handlers that stop servers and remove files.
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => process.exit(130));
run().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
