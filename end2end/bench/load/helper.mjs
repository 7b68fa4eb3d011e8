// Runs load in a separate process, so that it and the measuring process do not slow each other down.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The milliseconds of a clock that all processes of this machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * Starts a file of this folder that calls `serve`, passes `use` a function that sends it requests, and always stops it.
 */
export async function withHelper(name, use) {
  const child = fork(fileURLToPath(new URL(`${name}.mjs`, import.meta.url)), { serialization: 'advanced' });
  const ask = (method, argument) =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`the process of ${name} ended while it was asked to ${method}`));
      child.once('exit', ended);
      child.once('message', ({ answer, error }) => {
        child.off('exit', ended);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
      child.send({ method, argument });
    });
  try {
    return await use(ask, child.pid);
  } finally {
    child.kill();
  }
}

/** Handles the requests of the parent process in sequence. */
export function serve(methods) {
  process.on('message', async ({ method, argument }) => {
    try {
      process.send({ answer: await methods[method](argument) });
    } catch (error) {
      process.send({ error: error.message });
    }
  });
  process.on('disconnect', () => process.exit());
}
