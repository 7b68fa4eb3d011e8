// The size of the portal's files for the browser, compressed with brotli.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const title = 'browser payload';

export async function measure(bench) {
  // The site is beside the folder of the program, where the server reads it.
  const folder = join(dirname(dirname(bench.bin)), 'site', 'pkg');
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.br')) : [];
  const kilobytes = (kind) => {
    const own = files.filter((name) => name.endsWith(`.${kind}.br`));
    if (own.length !== 1) {
      throw new Error(`${folder} has ${own.length} compressed .${kind} files, not one; “make bench” builds it`);
    }
    return statSync(join(folder, own[0])).size / 1000;
  };
  const figure = (name, size, aim) => ({ name: `${name}, brotli`, unit: 'kB', runs: [size], aim });
  const [wasm, script] = [kilobytes('wasm'), kilobytes('js')];
  return [
    figure('wasm', wasm, 350),
    figure('JavaScript', script),
    figure('wasm and JavaScript together', wasm + script, 400),
    figure('styles', kilobytes('css')),
  ];
}
