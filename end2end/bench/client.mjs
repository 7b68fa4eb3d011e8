// A person's HTTP client: signed in, kept connections (one unless told otherwise), and a stopwatch on every request.
import http from 'node:http';

/** Signs in by the form, as a browser does, and keeps the cookie. */
export async function signIn(url, username, password, { sockets = 1 } = {}) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: sockets });
  const send = (method, path, type, body, cookie) => request(agent, url, method, path, type, body, cookie);
  const form = new URLSearchParams({ username, password, next: '/' }).toString();
  const answer = await send('POST', '/login', 'application/x-www-form-urlencoded', form);
  const cookie = answer.headers['set-cookie']?.[0].split(';')[0];
  if (!cookie) throw new Error(`“${username}” could not sign in: ${answer.status} ${answer.headers.location}`);
  return {
    cookie,
    get: (path) => send('GET', path, undefined, undefined, cookie).then(expectSuccess),
    post: (path, body) => send('POST', path, 'application/json', JSON.stringify(body), cookie).then(expectSuccess),
    close: () => agent.destroy(),
  };
}

function expectSuccess(answer) {
  if (answer.status >= 300) throw new Error(`${answer.what} answered ${answer.status}: ${answer.text.slice(0, 200)}`);
  return answer;
}

/** From the first byte sent to the last byte received. */
function request(agent, url, method, path, type, body, cookie) {
  return new Promise((resolve, reject) => {
    // Our own pages send their Origin with each POST, and the server looks at it.
    const headers = { origin: url };
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

/** What the server itself counted; undefined where it does not say. */
function serverMs(headers) {
  const duration = /total;dur=([\d.]+)/.exec(headers['server-timing'] ?? '')?.[1];
  return duration === undefined ? undefined : Number(duration);
}
