// Data directories to measure on.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { verb, withServer } from './server.mjs';

/** Applications that `prepare` adds are called this and a number; people as well, in small letters and in one word. */
export const PREFIX = 'Bench';
/** Of the people that `prepare` adds. */
export const PASSWORD = 'bench-user-password';
const SIMULATED = 'Simulated (no real applications)';

/** Makes a data directory with synthetic history, so many applications that are only pretended, and so many people. */
export async function prepare(bench, name, { applications = 0, people = 0 } = {}) {
  const dataDir = join(bench.scratch, name);
  mkdirSync(dataDir, { mode: 0o700 });
  // The first start makes the catalogue and the administrator.
  await withServer(bench, dataDir, () => {});
  // Before the history: every verb loads the whole log.
  for (let n = 1; n <= applications; n += 1) {
    await verb(bench, dataDir, ['application', 'add', `${PREFIX} ${n}`, '--environment', SIMULATED, '--', 'desktop']);
  }
  for (let n = 1; n <= people; n += 1) {
    await verb(bench, dataDir, ['user', 'add', `${PREFIX.toLowerCase()}${n}`], `${PASSWORD}\n`);
  }
  await verb(bench, dataDir, ['seed', '--sessions', String(bench.sessions)]);
  return dataDir;
}
