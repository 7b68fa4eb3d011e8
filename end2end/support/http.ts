// HTTP requests without a browser: with any header and any body, and raw WebSocket handshakes.
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
  /** The request stays open after the body until the response arrives. */
  unfinished?: boolean;
  /** The local address of the connection, such as 127.0.0.2. */
  from?: string;
}

/** Sends one request. Does not follow redirects. */
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
        // An answer to HEAD has the type of a body, and no body.
        const json = method !== 'HEAD' && /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      };
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', finish);
      response.on('error', finish);
      // A stream of events never ends, so its first chunk counts as the response.
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

/** Sends one request with the cookie of a login, and with JSON or a form as its body. */
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

/** Sends a WebSocket handshake and closes the connection. The status is 101 if the server accepted it. */
export function handshake(url: string, path: string, headers: OutgoingHttpHeaders) {
  return send(url, 'GET', path, { headers: { ...UPGRADE, ...headers } });
}

/** Opens a WebSocket and sends nothing. Returns its socket, or undefined if the server refused it. */
export function openStream(url: string, path: string, headers: { cookie: string; origin: string }) {
  return new Promise<Socket | undefined>((resolve, reject) => {
    const outgoing = request(new URL(path, url), { headers: { ...UPGRADE, ...headers }, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.resume();
      resolve(undefined);
    });
    outgoing.on('upgrade', (_, socket: Socket) => {
      // The server may reset the connection at any moment.
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
