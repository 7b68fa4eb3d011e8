// A crash: the server is killed, as by a power cut, and started again on the same data.
import { expect, test } from '../support/test.ts';
import { expectConnected, expectPrompt, launch, sessionIn } from '../support/portal.ts';
import { alive, processesOf } from '../support/processes.ts';
import { expectRow, rowOf, SESSIONS, table } from '../support/sessions.ts';

test.use({ setup: { name: 'restart', simulated: true } });

test('after kill -9 the list is right as soon as the server is ready, and the open pages reconnect by themselves', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/, /410 \(Gone\)/, /WebSocket|Failed when connecting/);
  const over = await server.launchAs(await server.person('over', 'user'));
  await server.expire(over.id, 'before the crash');
  const ended = await server.session(over.id);
  const simulated = await server.launchAs('student');
  const student = await open('student', '/');
  const terminal = await launch(student, 'Terminal');
  await expectPrompt(terminal);
  const calculator = await launch(student, 'Calculator');
  await expectConnected(calculator);
  const live = [sessionIn(terminal), sessionIn(calculator)];
  const sandboxes = live.flatMap((id) => processesOf(id).map(({ pid }) => pid));
  expect(sandboxes.length).toBeGreaterThan(8);

  const admin = await open('admin', SESSIONS);
  await expect(table(admin).getByText('Active', { exact: true })).toHaveCount(3);
  await server.kill();
  await expect(admin.getByRole('alert')).toContainText('Can’t reach the server.');
  const button = rowOf(admin, 'This host').getByRole('button', { name: /^Expire/ }).first();
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  await expect(button).toHaveAccessibleDescription(/You can’t expire sessions/);
  await button.click({ force: true });
  await expect(admin.getByRole('dialog')).toHaveCount(0);
  await expect(table(admin).getByText('Active', { exact: true }), 'the page keeps its rows').toHaveCount(3);

  // The first answer after the start must be right. `make torture` limits the time of a restart.
  await server.launch();
  const list = await server.list();
  expect(list.items.map(({ status }) => status).sort()).toEqual(['error', 'error', 'error', 'expired']);
  expect(list.items.some(({ connected }) => connected)).toBe(false);
  expect([...alive(sandboxes), ...live.flatMap(processesOf)], 'no orphans').toEqual([]);
  expect(await server.session(over.id)).toMatchObject({ status: 'expired', ended_at: ended.ended_at, ended_by: 'admin' });
  expect((await server.session(simulated.id)).error).not.toBeNull();

  await expect(admin.getByRole('alert')).toHaveCount(0);
  await expect(table(admin).getByText('Error', { exact: true })).toHaveCount(3);
  await expectRow(admin, { Username: 'over', Status: 'Expired', Action: /by admin “before the crash”/ });
  await expect(terminal.getByRole('heading', { name: 'Terminal is not running' })).toBeVisible();
});

test('an expire that is acknowledged in the moment of a crash survives it', async ({ startServer }) => {
  const server = await startServer({ name: 'restart-race', simulated: true });
  const sessions = [];
  for (let n = 0; n < 5; n += 1) sessions.push(await server.launchAs(await server.person(`racer-${n}`, 'user')));
  const expires = sessions.map(({ id }) => server.expire(id).then(() => id, () => undefined));
  await Promise.any(expires);
  await server.kill();
  const acknowledged = (await Promise.all(expires)).filter((id) => id !== undefined);
  expect(acknowledged.length).toBeGreaterThan(0);
  await server.launch();
  for (const id of acknowledged) expect(await server.session(id), 'the acknowledged expire survives').toMatchObject({ status: 'expired' });
  expect((await server.list('?status=active')).total).toBe(0);
});
