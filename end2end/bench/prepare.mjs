// Data directories to measure on.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { verb, withServer } from './server.mjs';

/** Applications that `prepare` adds are called this and a number. */
export const PREFIX = 'Bench';
const SIMULATED = 'Simulated (no real applications)';

/** Makes a data directory with synthetic history and so many applications that are only pretended. */
export async function prepare(bench, name, applications = 0) {
  const dataDir = join(bench.scratch, name);
  mkdirSync(dataDir, { mode: 0o700 });
  // The first start makes the catalogue and the administrator.
  await withServer(bench, dataDir, () => {});
  // Before the history: every verb loads the whole log.
  for (let n = 1; n <= applications; n += 1) {
    await verb(bench, dataDir, ['application', 'add', `${PREFIX} ${n}`, '--environment', SIMULATED, '--', 'desktop']);
  }
  await verb(bench, dataDir, ['seed', '--sessions', String(bench.sessions)]);
  return dataDir;
}
