// The processes of this host, read from /proc: evidence that does not depend on the pages.
import { readdirSync, readFileSync } from 'node:fs';

interface Process {
  pid: number;
  parent: number;
  /** The arguments, separated by spaces. */
  command: string;
}

/** All processes that have not ended. */
export function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The state and the parent follow the program's name, which may contain any character.
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return []; // The process has just ended.
      }
    });
}

/** The sandbox of a session: the processes with its ID in their arguments, and all their descendants. */
export function processesOf(session: string): Process[] {
  const all = processes();
  const found = new Set(all.filter(({ command }) => command.includes(session)).map(({ pid }) => pid));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

/** The pid of the process with exactly this command. */
export function running(command: string): number | undefined {
  return processes().find((process) => process.command === command)?.pid;
}

/** The given pids that still exist. */
export function alive(pids: number[]): number[] {
  const now = new Set(processes().map(({ pid }) => pid));
  return pids.filter((pid) => now.has(pid));
}

/** The path on this host of a file in the home of a session, as the process with this program sees it. */
export function homeFile(session: string, name: string, program: string): string {
  const pid = processesOf(session).find(({ command }) => command.split(' ', 1)[0] === program)?.pid;
  if (pid === undefined) throw new Error(`${program} does not run`);
  return `/proc/${pid}/root/home/user/${name}`;
}
