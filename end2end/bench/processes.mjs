// What processes of this machine have cost.
import { readFileSync } from 'node:fs';

/** Linux counts a process's time in these, on every machine. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process so far, in seconds. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the program's name, which may hold anything, utime and stime are the 12th and 13th word.
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(words[11]) + Number(words[12])) / TICKS_PER_SECOND;
}
