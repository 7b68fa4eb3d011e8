// A virtual network to one remote machine, which is a network namespace, with a firewall there that can cut the
// connection. It changes nothing in this machine's own network, except for one end of a virtual cable.
import { execFileSync } from 'node:child_process';

/** The number of the newest network. Several can exist at a time. */
let last = 0;

export class Network {
  private constructor(
    private readonly name: string,
    /** The IP address of the remote machine. */
    readonly address: string,
  ) {}

  static create(): Network {
    if (process.getuid?.() !== 0) throw new Error('a virtual network needs root: run “make torture” as root');
    last += 1;
    const name = `cd-${process.pid}-${last}`;
    // Four of the addresses that RFC 2544 reserves for benchmarks, because no real network uses them.
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

  /** The first words of a command that runs on the remote machine. */
  get execPrefix(): string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** Drops every packet silently, in both directions, including those of open connections. */
  cut(): void {
    const drop = (hook: string) => `chain ${hook} { type filter hook ${hook} priority 0; policy drop; };`;
    this.run('nft', `table inet firewall { ${drop('input')} ${drop('output')} }`);
  }

  /** Lets packets pass again after `cut`. */
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
