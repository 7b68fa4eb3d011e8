// The size of the portal's files for the browser, compressed with brotli: what sign-in and My apps load, and what each
// other page loads in addition.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const title = 'browser payload';

/** Aims in kB. Pages without one here have the aim `FURTHER`. */
const AIMS = { main: 170, sessions: 160 };
const FURTHER = 60;

export async function measure(bench) {
  // The site is beside the folder of the program, where the server reads it.
  const folder = join(dirname(dirname(bench.bin)), 'site', 'pkg');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const manifest = names.find((name) => /^__wasm_split_manifest\.\w+\.json$/.test(name));
  if (!manifest) throw new Error(`${folder} has no list of pieces; “make bench” builds it`);
  const kilobytes = (files) => files.reduce((sum, file) => sum + compressed(join(folder, file)), 0) / 1000;
  const figure = (name, files, aim) => ({ name: `${name}, brotli`, unit: 'kB', runs: [kilobytes(files)], aim });
  const main = names.filter((name) => /^(cloud-delivery\.\w+\.(wasm|js)|__wasm_split\.\w+\.js)$/.test(name));
  const pieces = Object.entries(JSON.parse(readFileSync(join(folder, manifest), 'utf8'))).sort();
  return [
    figure('sign-in and My apps', main, AIMS.main),
    ...pieces.map(([piece, files]) => figure(`${piece}, in addition`, files.map((file) => `${file}.wasm`), AIMS[piece] ?? FURTHER)),
    figure('styles', names.filter((name) => name.endsWith('.css'))),
  ];
}

function compressed(file) {
  return statSync(existsSync(`${file}.br`) ? `${file}.br` : file).size;
}
