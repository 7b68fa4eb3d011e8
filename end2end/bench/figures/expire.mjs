// The time from an administrator's expire to the close frame in the session's tab. This process measures both.
import { signIn } from '../client.mjs';
import { PREFIX } from '../prepare.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { p50AndP99, repeat } from '../stats.mjs';
import { openStream } from '../websocket.mjs';

export const title = 'expire, about 2 min: applications and their history are made first';

/** Sessions per run. A user has one live session per application, so there are as many applications. */
const SESSIONS = 200;
/** The close code of an expired session (docs/spec.md §6). */
const EXPIRED = 4001;

export async function measure(bench) {
  const dataDir = await bench.dataDir('applications', { applications: SESSIONS });
  return withServer(bench, dataDir, async (server) => {
    const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
    const all = JSON.parse((await admin.get('/api/v1/applications')).text);
    const applications = all.filter((application) => application.name.startsWith(`${PREFIX} `));
    const runs = await repeat(bench.runs, () => one(server, admin, applications));
    admin.close();
    return p50AndP99(`expire to the tab closed, ${applications.length} sessions`, runs, { aim: 50 });
  });
}

/** Opens all sessions, then expires them in sequence. */
async function one(server, admin, applications) {
  const tabs = [];
  for (const application of applications) tabs.push(await open(server, admin, application));
  const times = [];
  for (const tab of tabs) times.push(await expire(admin, tab));
  return times;
}

async function open(server, admin, application) {
  const answer = await admin.post('/api/v1/sessions', { application_id: application.id });
  const { id } = JSON.parse(answer.text);
  const stream = openStream(server.url, `/sessions/${id}/stream`, admin.cookie);
  // The first message shows that the relay is in place.
  await stream.first;
  return { id, stream };
}

async function expire(admin, { id, stream }) {
  const began = performance.now();
  await admin.post(`/api/v1/sessions/${id}/expire`, {});
  const { code, at } = await stream.closed;
  stream.destroy();
  if (code !== EXPIRED) throw new Error(`the tab of ${id} was closed with ${code}, not with ${EXPIRED}`);
  return at - began;
}
