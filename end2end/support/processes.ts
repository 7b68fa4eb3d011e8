// The processes of this host, read from /proc: what really runs, whatever the pages say.
import { readdirSync, readFileSync } from 'node:fs';

interface Process {
  pid: number;
  parent: number;
  /** Arguments, with a space between. */
  command: string;
}

/** Of every process that has not ended. */
export function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // After the program's name, which may hold anything: state, then parent.
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return []; // It has just ended.
      }
    });
}

/** The sandbox of a session: whatever names its id, and all that descends from it. */
export function processesOf(session: string): Process[] {
  const all = processes();
  const found = new Set(all.filter(({ command }) => command.includes(session)).map(({ pid }) => pid));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

/** The process that runs exactly this command. */
export function running(command: string): number | undefined {
  return processes().find((process) => process.command === command)?.pid;
}

/** Which of these are still there. */
export function alive(pids: number[]): number[] {
  const now = new Set(processes().map(({ pid }) => pid));
  return pids.filter((pid) => now.has(pid));
}
