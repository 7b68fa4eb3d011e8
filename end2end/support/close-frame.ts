// The close frames of a WebSocket that `openStream` opened.
import type { Socket } from 'node:net';

export const EXPIRED = 4001;
export const DATABASE_LOST = 1013;

/** Whether bytes from the server contain a close frame with this code. The server does not mask its frames. */
export function hasCloseFrame(bytes: Buffer, code: number): boolean {
  for (let at = bytes.indexOf(0x88); at >= 0; at = bytes.indexOf(0x88, at + 1)) {
    if (at + 4 <= bytes.length && (bytes[at + 1] ?? 0) < 126 && bytes.readUInt16BE(at + 2) === code) return true;
  }
  return false;
}

/** Waits for the close frame with this code. Returns the time at which it arrived, by `performance.now`. */
export function closeFrame(socket: Socket, code: number): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.on('data', (bytes: Buffer) => hasCloseFrame(bytes, code) && resolve(performance.now()));
    socket.once('close', () => reject(new Error(`the connection ended without a close frame with the code ${code}`)));
  });
}
