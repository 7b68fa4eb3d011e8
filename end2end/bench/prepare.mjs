// Creates the data directories for the measurements.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { example, verb, withServer } from './server.mjs';

/**
 * The names of added applications are this and a number. Usernames are the same in lower case and without the space.
 */
export const PREFIX = 'Bench';
/** The password of the users that `prepare` adds. */
export const PASSWORD = 'bench-user-password';
/** The simulated application that the first start adds. It needs no program. */
export const SIMULATED_APPLICATION = 'Simulated desktop';
const SIMULATED = 'Simulated (no real applications)';
/** The name of the login's cookie over plain HTTP. */
const COOKIE = 'cloud-delivery-login';

/** Creates a data directory with synthetic history, simulated applications and users. */
export async function prepare(bench, name, { applications = 0, people = 0, sessions = bench.sessions } = {}) {
  const dataDir = join(bench.scratch, name);
  mkdirSync(dataDir, { mode: 0o700 });
  // The first start creates the catalogue and the administrator.
  await withServer(bench, dataDir, () => {});
  // Before the history, because each command loads the whole log.
  for (let n = 1; n <= applications; n += 1) {
    await verb(bench, dataDir, ['application', 'add', `${PREFIX} ${n}`, '--environment', SIMULATED, '--', 'desktop']);
  }
  for (let n = 1; n <= people; n += 1) {
    await verb(bench, dataDir, ['user', 'add', `${PREFIX.toLowerCase()}${n}`], `${PASSWORD}\n`);
  }
  await verb(bench, dataDir, ['seed', '--sessions', String(sessions)]);
  return dataDir;
}

/** Adds signed-in users and returns their cookies. Sign-in with passwords would take a second per twenty users. */
export async function crowd(bench, dataDir, count) {
  const tokens = Array.from({ length: count }, () => randomBytes(32));
  const line = (token, n) => `crowd${n + 1} ${createHash('sha256').update(token).digest('hex')}\n`;
  await example(bench, 'crowd', [dataDir, String(Date.now())], { input: tokens.map(line).join('') });
  return tokens.map((token) => `${COOKIE}=${token.toString('hex')}`);
}
