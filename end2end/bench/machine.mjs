// The machine of the measurements, without which the figures mean nothing.
import { cpus, loadavg, release, totalmem } from 'node:os';

export function machine() {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    memory_gb: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
  };
}

/** The average number of running or waiting processes in the last minute and in the last five. */
export function load() {
  return loadavg().slice(0, 2).map((value) => Number(value.toFixed(2)));
}
