// The HTTP client of a signed-in user. It keeps its connections alive (one by default) and measures every request.
import http from 'node:http';

/** Signs in with the form, as a browser does, and returns a client with the cookie. */
export async function signIn(url, username, password, { sockets = 1 } = {}) {
  const agent = connections(sockets);
  const form = new URLSearchParams({ username, password, next: '/' }).toString();
  const answer = await request(agent, url, 'POST', '/login', 'application/x-www-form-urlencoded', form);
  const cookie = answer.headers['set-cookie']?.[0].split(';')[0];
  if (!cookie) throw new Error(`“${username}” could not sign in: ${answer.status} ${answer.headers.location}`);
  return signedIn(url, cookie, agent);
}

/** A client with the cookie of an earlier sign-in. Many clients can share an agent. */
export function signedIn(url, cookie, agent) {
  const send = (method, path, type, body, more) =>
    request(agent, url, method, path, type, body, cookie, more).then(expectSuccess);
  return {
    cookie,
    get: (path, headers) => send('GET', path, undefined, undefined, headers),
    post: (path, body) => send('POST', path, 'application/json', JSON.stringify(body)),
    close: () => agent.destroy(),
  };
}

/** An agent that keeps up to this many connections alive. */
export const connections = (sockets) => new http.Agent({ keepAlive: true, maxSockets: sockets });

function expectSuccess(answer) {
  if (answer.status >= 300 && answer.status !== 304) throw new Error(`${answer.what} answered ${answer.status}: ${answer.text.slice(0, 200)}`);
  return answer;
}

/** Sends a request and measures it from the first byte sent to the last byte received. */
function request(agent, url, method, path, type, body, cookie, more = {}) {
  return new Promise((resolve, reject) => {
    // The server checks the Origin of each POST.
    const headers = { origin: url, ...more };
    if (cookie) headers.cookie = cookie;
    if (type) Object.assign(headers, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    const began = performance.now();
    const sent = http.request(new URL(path, url), { agent, method, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const ms = performance.now() - began;
        const { statusCode: status, headers } = response;
        const [what, text] = [`${method} ${path}`, Buffer.concat(chunks).toString()];
        resolve({ what, status, headers, text, ms, serverMs: serverMs(headers) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The server's own measurement, from the header Server-Timing; undefined without one. */
function serverMs(headers) {
  const duration = /total;dur=([\d.]+)/.exec(headers['server-timing'] ?? '')?.[1];
  return duration === undefined ? undefined : Number(duration);
}
