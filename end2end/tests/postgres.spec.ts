// A server with its log in PostgreSQL: its main task, a crash, and a second server with the same node name.
import { expect, test } from '../support/test.ts';
import { run } from '../support/program.ts';
import { SIMULATED } from '../support/server.ts';
import { expectConnected, expectEnded, launch, sessionIn } from '../support/portal.ts';
import { askToExpire, expectRow, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'postgres', simulated: true, postgres: true } });

test('an administrator expires a launched session, and kill -9 loses nothing', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/, /410 \(Gone\)/);
  const page = await open('admin', SESSIONS);
  const tab = await launch(await open('student', '/'), SIMULATED.application);
  await expectConnected(tab);
  await expectRow(page, { Username: 'student', Status: 'Active', Connected: 'Yes' });
  const dialog = await askToExpire(page, 'student', SIMULATED.environment);
  await dialog.getByLabel('Reason').fill('licence needed');
  await dialog.getByRole('button', { name: 'Expire session' }).click();
  await expectEnded(tab, sessionIn(tab), 'Reason: licence needed');
  await expectRow(page, { Username: 'student', Status: 'Expired', Action: /by admin/ });

  // The page also shows changes of the command line.
  const other = await server.launchAs(await server.person('other', 'user'));
  await expectRow(page, { Username: 'other', Status: 'Active' });
  await server.cli(['sessions', 'expire', other.id]);
  await expectRow(page, { Username: 'other', Status: 'Expired', Action: /by admin \(command line\)/ });

  await server.kill();
  await server.launch();
  expect(await server.session(sessionIn(tab))).toMatchObject({ status: 'expired', ended_by: 'admin' });
  expect(await server.cli(['events', 'verify'])).toContain('consistent up to ');
});

test('a second server with the same node name gives the reason and does not start', async ({ server }) => {
  const { code, stderr } = await run(['serve'], { ...server.settings, CLOUD_DELIVERY_ADDR: '127.0.0.1:0' }, { cwd: server.folder });
  expect(code).toBe(1);
  expect(stderr).toContain('another cloud-delivery server is node “main” of this database; give each its own name (CLOUD_DELIVERY_NODE)');
});
