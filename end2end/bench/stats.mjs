// Numbers out of many measurements.

/** The value that a share `q` of all values does not exceed (nearest rank: always one that was measured). */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

/** What the table says of a figure's runs. */
export function spread(runs) {
  return { median: quantile(runs, 0.5), min: Math.min(...runs), max: Math.max(...runs) };
}

/** Runs something so often, one after the other, and answers what each run answered. */
export async function repeat(count, run) {
  const answers = [];
  for (let n = 0; n < count; n += 1) answers.push(await run(n));
  return answers;
}

/** Two figures of runs that each measured many times: the typical and the nearly slowest time. */
export function p50AndP99(name, runs, extra = {}) {
  const figure = (q) => ({ name: `${name}, p${q * 100}`, unit: 'ms', runs: runs.map((times) => quantile(times, q)) });
  return [figure(0.5), { ...figure(0.99), ...extra }];
}
