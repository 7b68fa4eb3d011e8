// Statistics of measurements.

/** The quantile `q` by nearest rank, which is always a measured value. */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

/** The summary of a figure's runs for the table. */
export function spread(runs) {
  return { median: quantile(runs, 0.5), min: Math.min(...runs), max: Math.max(...runs) };
}

/** Runs an action `count` times in sequence and returns all results. */
export async function repeat(count, run) {
  const answers = [];
  for (let n = 0; n < count; n += 1) answers.push(await run(n));
  return answers;
}

/** Two figures, the median and p99, of runs with many measurements each. */
export function p50AndP99(name, runs, extra = {}) {
  const figure = (q) => ({ name: `${name}, p${q * 100}`, unit: 'ms', runs: runs.map((times) => quantile(times, q)) });
  return [figure(0.5), { ...figure(0.99), ...extra }];
}
