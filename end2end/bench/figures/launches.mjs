// Durable launches per second with their events, without HTTP: only the writer and the database
// (crates/store-testing/examples/launches.rs).
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { example } from '../server.mjs';
import { quantile, repeat } from '../stats.mjs';

export const title = 'durable launches, about 1 min';

/** The number of fsyncs that measure the minimum cost of a commit on this disk. */
const SYNCS = 200;
const PAGE = 4096;

export async function measure(bench) {
  const disk = `asking this disk to keep 4 kB takes ${syncMs(bench.scratch).toFixed(2)} ms`;
  const sqlite = await repeat(bench.runs, () => launches(bench, { env: { TMPDIR: bench.scratch } }));
  // A new server for each run, because the database must be empty.
  const withUrl = ['sh', '-c', 'exec "$0" "$CLOUD_DELIVERY_TEST_DATABASE_URL"'];
  const under = [join(bench.root, 'scripts/postgres'), '--durable', ...withUrl];
  const postgres = await repeat(bench.runs, () => launches(bench, { under }));
  const figure = (name, runs, least, how) => ({ name: `durable launches, ${name}`, unit: '/s', runs, least, note: `${how}; ${disk}` });
  return [
    figure('SQLite', sqlite, 5000, 'acknowledged after fsync: WAL, synchronous=FULL'),
    figure('PostgreSQL', postgres, 2000, 'acknowledged after fsync: fsync, synchronous_commit and full_page_writes on'),
  ];
}

async function launches(bench, how) {
  const said = await example(bench, 'launches', [], how);
  const each = /^20000 launches, (\d+) a second$/m.exec(said)?.[1];
  if (each === undefined) throw new Error(`not every launch was made: ${said.trim()}`);
  return Number(each);
}

function syncMs(folder) {
  const file = openSync(join(folder, 'sync'), 'w');
  const page = Buffer.alloc(PAGE, 1);
  const times = Array.from({ length: SYNCS }, () => {
    const began = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  return quantile(times, 0.5);
}
