// Data directories to measure on.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { example, verb, withServer } from './server.mjs';

/** Applications that `prepare` adds are called this and a number; people as well, in small letters and in one word. */
export const PREFIX = 'Bench';
/** Of the people that `prepare` adds. */
export const PASSWORD = 'bench-user-password';
/** The application of a first start that needs no program. */
export const SIMULATED_APPLICATION = 'Simulated desktop';
const SIMULATED = 'Simulated (no real applications)';
/** What the login's cookie is called on plain http (server/src/http/logins.rs). */
const COOKIE = 'cloud-delivery-login';

/** Makes a data directory with synthetic history, so many applications that are only pretended, and so many people. */
export async function prepare(bench, name, { applications = 0, people = 0, sessions = bench.sessions } = {}) {
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
  await verb(bench, dataDir, ['seed', '--sessions', String(sessions)]);
  return dataDir;
}

/** Adds so many people who are signed in, and answers their cookies. By password this would take a second for twenty of them. */
export async function crowd(bench, dataDir, count) {
  const tokens = Array.from({ length: count }, () => randomBytes(32));
  const line = (token, n) => `crowd${n + 1} ${createHash('sha256').update(token).digest('hex')}\n`;
  await example(bench, 'crowd', [dataDir, String(Date.now())], { input: tokens.map(line).join('') });
  return tokens.map((token) => `${COOKIE}=${token.toString('hex')}`);
}
