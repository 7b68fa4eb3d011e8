// A client of a bare X display (RFB 3.8, raw pictures): the floor for the time from a key to its picture.
import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RAW = 0;
const BYTES_PER_PIXEL = 4;
const START_MS = 10_000;

/** Starts a display with a terminal on this port, passes a client to `use`, and always stops it. */
export async function withDisplay(port, use) {
  const number = 4000 + (port % 1000);
  const display = spawn('Xtigervnc', [`:${number}`, '-SecurityTypes', 'None', '-rfbport', String(port), '-localhost', '-geometry', '1280x800', '-depth', '24'], { stdio: 'ignore' });
  let terminal;
  try {
    const socket = await connect(port);
    const env = { ...process.env, DISPLAY: `:${number}` };
    terminal = spawn('xterm', ['-fullscreen', '-fa', 'Monospace', '-fs', '12', '-e', 'cat'], { env, stdio: 'ignore' });
    return await use(await Client.open(socket));
  } finally {
    terminal?.kill();
    display.kill();
  }
}

async function connect(port) {
  const began = performance.now();
  for (;;) {
    try {
      return await new Promise((resolve, reject) => {
        const socket = net.connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(socket));
        socket.once('error', reject);
      });
    } catch (error) {
      if (performance.now() - began > START_MS) throw error;
      await sleep(20);
    }
  }
}

class Client {
  #socket;
  #buffer = Buffer.alloc(0);
  #wanted;

  static async open(socket) {
    const client = new Client();
    client.#socket = socket;
    socket.on('data', (bytes) => {
      client.#buffer = Buffer.concat([client.#buffer, bytes]);
      client.#wanted?.();
    });
    await client.#read(12);
    socket.write('RFB 003.008\n');
    await client.#read((await client.#read(1))[0]);
    socket.write(Buffer.from([1]));
    await client.#read(4);
    socket.write(Buffer.from([1]));
    const init = await client.#read(24);
    [client.width, client.height] = [init.readUInt16BE(0), init.readUInt16BE(2)];
    await client.#read(init.readUInt32BE(20));
    socket.write(Buffer.from([2, 0, 0, 1, 0, 0, 0, RAW]));
    client.request(false);
    await client.update();
    return client;
  }

  /** Asks for the next change, or for the whole picture. */
  request(incremental = true) {
    const message = Buffer.from([3, Number(incremental), 0, 0, 0, 0, 0, 0, 0, 0]);
    message.writeUInt16BE(this.width, 6);
    message.writeUInt16BE(this.height, 8);
    this.#socket.write(message);
  }

  /** Presses and releases a key. */
  press(keysym) {
    for (const down of [1, 0]) {
      const message = Buffer.from([4, down, 0, 0, 0, 0, 0, 0]);
      message.writeUInt32BE(keysym, 4);
      this.#socket.write(message);
    }
  }

  /** Waits for a picture. */
  async update() {
    for (;;) {
      const [type] = await this.#read(1);
      if (type === 2) continue; // A bell.
      if (type !== 0) throw new Error(`the display sent a message of type ${type}`);
      const rectangles = (await this.#read(3)).readUInt16BE(1);
      for (let n = 0; n < rectangles; n += 1) {
        const head = await this.#read(12);
        await this.#read(head.readUInt16BE(4) * head.readUInt16BE(6) * BYTES_PER_PIXEL);
      }
      return;
    }
  }

  async #read(count) {
    while (this.#buffer.length < count) await new Promise((resolve) => (this.#wanted = resolve));
    const bytes = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return bytes;
  }
}
