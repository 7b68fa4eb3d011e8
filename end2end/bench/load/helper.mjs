// A process of its own for what must not slow down the process that measures, nor be slowed down by it.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Milliseconds on a clock that all processes of this machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Starts a file of this folder that calls `serve`, gives `use` what asks it, and stops it whatever happens. */
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

/** Answers the process that started this one, one question at a time. */
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
