// The CPU time of processes.
import { readFileSync } from 'node:fs';

/** The unit of CPU time in /proc: a hundredth of a second on every Linux machine. */
const TICKS_PER_SECOND = 100;

/** The CPU seconds of a process so far. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // utime and stime are words 12 and 13 after the program's name, which may contain any character.
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(words[11]) + Number(words[12])) / TICKS_PER_SECOND;
}
