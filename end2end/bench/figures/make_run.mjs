// `make run` with everything built: the time from the command to the first answer.
import { join } from 'node:path';

import { environment, freePort, launch } from '../server.mjs';
import { repeat } from '../stats.mjs';

export const title = '`make run`, everything built, about 20 s';

export async function measure(bench) {
  // With any other program, `make run` would start a build, and this would measure the build.
  const served = join(bench.target, 'release', 'cloud-delivery');
  if (bench.bin !== served) throw new Error(`only measured with ${served}`);
  const dataDir = await bench.dataDir('history');
  const seconds = async () => {
    const addr = `127.0.0.1:${await freePort()}`;
    // As in a new terminal, without the variables of the make that runs this benchmark.
    const env = { ...shell(), ...environment(dataDir, addr), CARGO_TARGET_DIR: bench.target };
    const server = await launch('make', ['run'], { cwd: bench.root, env }, addr);
    await server.stop();
    return server.readyMs / 1000;
  };
  return [{ name: '`make run` to ready, the second time', unit: 's', runs: await repeat(bench.runs, seconds), aim: 5 }];
}

function shell() {
  const ours = /^(MAKE|MFLAGS|CLOUD_DELIVERY_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
