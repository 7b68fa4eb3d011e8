// Prints the figures as a table, and writes them to a JSON file.
import { writeFileSync } from 'node:fs';

import { spread } from './stats.mjs';

const DIGITS = { ms: 1, s: 2, MB: 1, kB: 1, 'ms/s': 1, '/s': 0, 'MB/s': 0, '%': 0, '': 0 };

/** Adds the values that follow from a figure's runs. `aim` is the highest acceptable value, `least` the lowest. */
export function judged(figure) {
  const { median, min, max } = spread(figure.runs);
  const { aim = Infinity, least = -Infinity } = figure;
  const isJudged = figure.aim !== undefined || figure.least !== undefined;
  const verdict = isJudged ? (median <= aim && median >= least ? 'met' : 'missed') : undefined;
  return { ...figure, median, min, max, verdict };
}

export function print(result) {
  const { machine } = result;
  console.log(`
Cloud Delivery, measured ${result.date}${result.commit ? ` at ${result.commit}` : ''}
${machine.cores} cores (${machine.cpu}), ${machine.memory_gb} GB, Linux ${machine.kernel}, Node.js ${machine.node}
load average over 1 and 5 min: before ${result.load_before.join(', ')}, after ${result.load_after.join(', ')}
${result.sessions.toLocaleString('en')} sessions; ${result.bin}
`);
  const rows = [['figure', 'median', 'min – max', 'runs', 'aim', ''], ...result.figures.map(cells)];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    // Text is aligned to the left, numbers to the right.
    const pad = (cell, column) => (column % 5 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]));
    console.log(row.map(pad).join('   ').trimEnd());
  }
  const notes = result.figures.filter((figure) => figure.note);
  if (notes.length) console.log();
  for (const figure of notes) console.log(`${figure.name}: ${figure.note}`);
  for (const failure of result.failures) console.log(`\nnot measured: ${failure.figure}: ${failure.why}`);
  if (result.load_before[0] > machine.cores) {
    console.log(`\nThe machine was busy with other work, so the times are too long.`);
  }
}

export function write(path, result) {
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\nall numbers: ${path}`);
}

function cells({ name, unit, runs, median, min, max, aim, least, verdict }) {
  const number = (value) => value.toFixed(DIGITS[unit]);
  const range = runs.length > 1 ? `${number(min)} – ${number(max)} ${unit}` : '';
  const wanted = aim !== undefined ? `≤ ${aim} ${unit}` : least !== undefined ? `≥ ${least} ${unit}` : '';
  return [name, `${number(median)} ${unit}`, range, String(runs.length), wanted, verdict ?? ''];
}
