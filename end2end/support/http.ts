// Requests that no browser would send: with any header, any body, and raw WebSocket handshakes.
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: unknown;
}

export interface RequestOptions {
  json?: unknown;
  form?: Record<string, string>;
  body?: string | Buffer;
  headers?: OutgoingHttpHeaders;
  /** More is to come after the body, until there is an answer. */
  unfinished?: boolean;
  /** The address of this machine that it comes from, as 127.0.0.2. */
  from?: string;
}

/** One request. Redirects are not followed. */
export function send(url: string, method: string, path: string, more: Pick<RequestOptions, 'headers' | 'body' | 'unfinished' | 'from'> = {}) {
  return new Promise<HttpResponse>((resolve, reject) => {
    const length = more.body === undefined || more.unfinished ? {} : { 'content-length': Buffer.byteLength(more.body) };
    const outgoing = request(new URL(path, url), { method, headers: { ...length, ...more.headers }, agent: false, ...(more.from === undefined ? {} : { localAddress: more.from }) });
    outgoing.on('error', reject);
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: '', json: undefined });
    });
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      const finish = () => {
        const text = Buffer.concat(chunks).toString('utf8');
        outgoing.destroy();
        const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      };
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', finish);
      response.on('error', finish);
      // A stream of events never ends: its first words are answer enough.
      if (/event-stream/.test(response.headers['content-type'] ?? '')) {
        response.once('data', () => response.destroy());
        response.once('close', finish);
      }
    });
    if (more.unfinished) {
      outgoing.write(more.body);
    } else {
      outgoing.end(more.body);
    }
  });
}

/** One request with a login. */
export function call(url: string, cookie: string | null, method: string, path: string, more: RequestOptions = {}) {
  const headers: OutgoingHttpHeaders = { accept: 'application/json', ...(cookie === null ? {} : { cookie }), ...more.headers };
  let body = more.body;
  if (more.json !== undefined) {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(more.json);
  } else if (more.form !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    body = new URLSearchParams(more.form).toString();
  }
  return send(url, method, path, { headers, ...(body === undefined ? {} : { body }), unfinished: more.unfinished ?? false, ...(more.from === undefined ? {} : { from: more.from }) });
}

/** The handshake that opens a WebSocket; 101 if it would have been opened. */
export function handshake(url: string, path: string, headers: OutgoingHttpHeaders) {
  return send(url, 'GET', path, { headers: { ...UPGRADE, ...headers } });
}

/** Opens a WebSocket and keeps it, without a word; undefined if it is refused. It is closed with the socket. */
export function openStream(url: string, path: string, headers: { cookie: string; origin: string }) {
  return new Promise<Socket | undefined>((resolve, reject) => {
    const outgoing = request(new URL(path, url), { headers: { ...UPGRADE, ...headers }, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.resume();
      resolve(undefined);
    });
    outgoing.on('upgrade', (_, socket: Socket) => {
      // The server may cut it at any moment.
      socket.on('error', () => {});
      resolve(socket.resume());
    });
    outgoing.end();
  });
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.from('sixteen bytes ok').toString('base64'),
};
