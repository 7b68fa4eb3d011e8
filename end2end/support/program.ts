// Runs the program under test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { START_LIMIT_MS } from './limits.ts';

export const BINARY = resolve(
  process.env.CLOUD_DELIVERY_BIN ?? fileURLToPath(new URL('../../target/debug/cloud-delivery', import.meta.url)),
);

export interface ProgramResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The environment of this process without any setting of the product, plus the given settings. */
export function cleanEnvironment(settings: Record<string, string>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CLOUD_DELIVERY_'));
  return { ...Object.fromEntries(own), ...settings };
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Runs the program until it exits by itself. */
export async function run(args: string[], settings: Record<string, string>, more: { cwd: string; input?: string }): Promise<ProgramResult> {
  const child = spawn(BINARY, args, { cwd: more.cwd, env: cleanEnvironment(settings), timeout: START_LIMIT_MS });
  const ended: ProgramResult = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text));
  child.stdin.on('error', () => {});
  child.stdin.end(more.input ?? '');
  [ended.code] = (await once(child, 'close')) as [number | null];
  return ended;
}
