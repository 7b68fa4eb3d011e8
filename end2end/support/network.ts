// A network with one other machine on it, which is a network namespace of this one, and a firewall there that can cut it off.
// Nothing of this machine's own network is touched, but for one end of a virtual cable.
import { execFileSync } from 'node:child_process';

/** Networks are numbered, so that several can be there at a time. */
let last = 0;

export class Network {
  private constructor(
    private readonly name: string,
    /** Of the other machine. */
    readonly address: string,
  ) {}

  static create(): Network {
    if (process.getuid?.() !== 0) throw new Error('a network that can be cut off needs root: run “make torture” as root');
    last += 1;
    const name = `cd-${process.pid}-${last}`;
    // Of the addresses that are kept for measurements (RFC 2544), so that none is in use: four of them.
    const third = (process.pid >> 6) & 0xff;
    const fourth = (process.pid & 0x3f) << 2;
    const [here, there] = [1, 2].map((end) => `198.${18 + (last & 1)}.${third}.${fourth + end}`);
    const network = new Network(name, there ?? '');
    root('ip', 'netns', 'add', name);
    try {
      root('ip', 'link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name);
      root('ip', 'address', 'add', `${here}/30`, 'dev', `${name}a`);
      root('ip', 'link', 'set', `${name}a`, 'up');
      network.run('ip', 'address', 'add', `${there}/30`, 'dev', `${name}b`);
      network.run('ip', 'link', 'set', `${name}b`, 'up');
      network.run('ip', 'link', 'set', 'lo', 'up');
    } catch (error) {
      network.remove();
      throw error;
    }
    return network;
  }

  /** What a command there begins with. */
  get execPrefix(): string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** From now on every packet is dropped without a word, in both directions, also of connections that are open. */
  cut(): void {
    const drop = (hook: string) => `chain ${hook} { type filter hook ${hook} priority 0; policy drop; };`;
    this.run('nft', `table inet firewall { ${drop('input')} ${drop('output')} }`);
  }

  /** Undoes `cut`. */
  restore(): void {
    this.run('nft', 'delete', 'table', 'inet', 'firewall');
  }

  remove(): void {
    root('ip', 'netns', 'delete', this.name);
  }

  private run(...command: string[]): void {
    root(...this.execPrefix, ...command);
  }
}

function root(...[program = '', ...args]: string[]): void {
  try {
    execFileSync(program, args, { stdio: 'pipe', encoding: 'utf8' });
  } catch (error) {
    const why = (error as { stderr?: string }).stderr?.trim() || String(error);
    throw new Error(`“${program} ${args.join(' ')}”, which needs root, a kernel with network namespaces and Debian's iproute2 and nftables: ${why}`);
  }
}
