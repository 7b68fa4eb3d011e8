// A WebSocket client that only receives (RFC 6455). Node.js 20 has none, and a library would be one more dependency.
import { randomBytes } from 'node:crypto';
import net from 'node:net';

const OPCODE = { close: 8, ping: 9, pong: 10 };

/**
 * Opens the stream of a session. `first` resolves with the first message of the application, `closed` with the close code
 * and the time of its arrival.
 */
export function openStream(url, path, cookie) {
  const { hostname, port, host, origin } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Origin: ${origin}`,
    `Cookie: ${cookie}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);

  const first = deferred();
  const closed = deferred();
  let buffer = Buffer.alloc(0);
  let upgraded = false;
  const fail = (why) => {
    const error = new Error(`${path}: ${why}`);
    first.reject(error);
    closed.reject(error);
    socket.destroy();
  };
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('the connection ended without a close frame'));
  socket.on('data', (chunk) => {
    const at = performance.now();
    buffer = Buffer.concat([buffer, chunk]);
    if (!upgraded) {
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = buffer.subarray(0, end).toString();
      if (!head.startsWith('HTTP/1.1 101 ')) return fail(head.split('\r\n')[0]);
      upgraded = true;
      buffer = buffer.subarray(end + 4);
    }
    for (let frame = readFrame(buffer); frame; frame = readFrame(buffer)) {
      buffer = buffer.subarray(frame.bytes);
      // The server closes a tab that does not answer pings.
      if (frame.opcode === OPCODE.ping) socket.write(pong());
      else if (frame.opcode === OPCODE.close) closed.resolve({ code: frame.payload.readUInt16BE(0), at });
      else if (frame.opcode !== OPCODE.pong) first.resolve();
    }
  });
  return { first: first.promise, closed: closed.promise, destroy: () => socket.destroy() };
}

/** The first frame if it is complete. Servers do not mask their frames. */
function readFrame(buffer) {
  if (buffer.length < 2) return undefined;
  const short = buffer[1] & 0x7f;
  const start = { 126: 4, 127: 10 }[short] ?? 2;
  if (buffer.length < start) return undefined;
  let length = short;
  if (short === 126) length = buffer.readUInt16BE(2);
  if (short === 127) length = Number(buffer.readBigUInt64BE(2));
  if (buffer.length < start + length) return undefined;
  return { opcode: buffer[0] & 0x0f, payload: buffer.subarray(start, start + length), bytes: start + length };
}

/** An empty pong. Clients must mask their frames; the mask of an empty one may be zero. */
function pong() {
  return Buffer.from([0x80 | OPCODE.pong, 0x80, 0, 0, 0, 0]);
}

function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => (settle = { resolve, reject }));
  // A rejection without a listener must not end the process. Listeners still receive it.
  promise.catch(() => {});
  return { promise, ...settle };
}
