// The first page of the list over a keep-alive connection, as JSON and as HTML.
import { signIn } from '../client.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { p50AndP99, repeat } from '../stats.mjs';

export const title = 'first page over HTTP, about 30 s';

const REQUESTS = 300;
/** Warm-up requests, which do not count. */
const WARM_UP = 30;

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  return withServer(bench, dataDir, async (server) => {
    const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
    const api = await timed(bench, admin, '/api/v1/sessions', (text) => JSON.parse(text).total >= bench.sessions);
    const page = await timed(bench, admin, '/admin/cloud-delivery/sessions', (text) => text.includes('</html>'));
    admin.close();
    return [...p50AndP99('first page as JSON', api), ...p50AndP99('first page drawn by the server', page)];
  });
}

/** The times of each run. A wrong answer fails the run. */
async function timed(bench, admin, path, isRight) {
  const one = async () => {
    const answer = await admin.get(path);
    if (!isRight(answer.text)) throw new Error(`${path} answered something else: ${answer.text.slice(0, 100)}`);
    return answer.ms;
  };
  await repeat(WARM_UP, one);
  return repeat(bench.runs, () => repeat(REQUESTS, one));
}
