// The picture of a session's tab: reconnecting, quality, sharpness. Judged by the picture and by what the application receives.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server as Listener, type Socket } from 'node:net';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { difference, expectConnected, expectPrompt, picture, sessionIn, settled, typeLine } from '../support/portal.ts';
import { processesOf } from '../support/processes.ts';

test.use({ setup: { name: 'tab-picture' } });

/** A file in the home of a session. */
const content = (session: string, name: string) => {
  const pid = processesOf(session).find(({ command }) => command === 'xterm')?.pid;
  const file = `/proc/${pid}/root/home/user/${name}`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

/** A connection between the browser and the server that the test can cut. Connections over a cut cable fail. */
class Cable {
  /** The port of the server. */
  target = 0;
  private isCut = false;
  private readonly open = new Set<Socket>();

  private constructor(private readonly listener: Listener) {}

  static async plug(): Promise<Cable> {
    const listener = createServer();
    const cable = new Cable(listener);
    listener.on('connection', (near) => {
      if (cable.isCut) return near.destroy();
      const far = connect(cable.target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        cable.open.add(from);
        from.on('error', () => to.destroy()).on('close', () => to.destroy());
        from.pipe(to);
      }
      return undefined;
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return cable;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.open) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  remove(): void {
    this.cut();
    this.listener.close();
  }
}

const lastPicture = (tab: Page) => tab.locator('#last-picture canvas');

test('a lost connection greys the last picture, counts down, and comes back to the same application', async ({ startServer, openOn, consoleErrors }) => {
  consoleErrors.allow(/ERR_|WebSocket|Failed when connecting|Connection closed/);
  const cable = await Cable.plug();
  const server = await startServer({ name: 'tab-picture-cable', settings: { CLOUD_DELIVERY_PUBLIC_URL: cable.url } });
  cable.target = server.port;
  const session = await server.launchAs('student', 'Terminal');
  const tab = await openOn(server, 'student', '/');
  await tab.goto(`${cable.url}/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, 'echo before');
  const before = await settled(tab);

  cable.cut();
  await expect(tab.getByText('The connection was lost. Reconnecting…')).toBeVisible();
  await expect(lastPicture(tab)).toBeVisible();
  const kept = await tab.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#last-picture canvas');
    return canvas === null ? [] : [canvas.width, canvas.height];
  });
  expect(kept).toEqual([1280, 776]);
  await expect(tab.getByText(/^\d+ s$/)).toBeVisible();
  const now = tab.getByRole('button', { name: 'Reconnect now' });
  await expect(now).toBeFocused();
  // The time between two attempts grows.
  await expect(tab.getByText(/^[3-9] s$/)).toBeVisible();

  cable.mend();
  await now.press('Enter');
  await expectConnected(tab);
  await expect(lastPicture(tab)).toHaveCount(0);
  expect(difference(await settled(tab), before)).toBeLessThan(10);
  await typeLine(tab, 'echo after >file');
  await expect.poll(() => content(session.id, 'file')).toBe('after\n');
  await tab.close();
  await server.expire(session.id);
  cable.remove();
});

test('nothing of the picture stays when the user signs out', async ({ server, open }) => {
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  const login = await server.cookie('student');
  await server.call('student', 'POST', '/logout', { body: '' });
  await expect(tab.getByText('You’ve been signed out')).toBeVisible();
  await expect(tab.locator('canvas')).toHaveCount(0);
  expect(login).not.toBe('');
  await server.renewLogin('student');
  await tab.close();
  await server.expire(session.id);
});

async function openMenu(tab: Page): Promise<void> {
  await tab.keyboard.press('Control+Alt+Shift');
  await expect(tab.getByRole('button', { name: 'Back to the session' })).toBeFocused();
}

test('the menu shows the latency, and the quality is kept', async ({ server, open }) => {
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', '/');
  // The encodings that the tab asks for: RFB message 2.
  const asked: number[][] = [];
  tab.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string' || payload[0] !== 2) return;
      asked.push(Array.from({ length: payload.readUInt16BE(2) }, (_, at) => payload.readInt32BE(4 + 4 * at)));
    });
  });
  const namesQuality = (encodings: number[] | undefined) => encodings?.some((encoding) => encoding >= -32 && encoding <= -23);
  await tab.goto(`/sessions/${session.id}`);
  await expectPrompt(tab);
  await openMenu(tab);
  await expect(tab.getByText(/^Latency: \d+ ms\.$/)).toBeVisible();
  expect(namesQuality(asked.at(-1))).toBe(true);
  await tab.getByLabel('Quality').selectOption('Lossless');
  await expect.poll(() => namesQuality(asked.at(-1))).toBe(false);
  await tab.reload();
  await expectPrompt(tab);
  await expect.poll(() => namesQuality(asked.at(-1))).toBe(false);
  await openMenu(tab);
  await expect(tab.getByLabel('Quality')).toHaveValue('lossless');
  await tab.getByLabel('Quality').selectOption('Low, for slow connections');
  await expect.poll(() => asked.at(-1)?.includes(-31)).toBe(true);
  await tab.getByLabel('Quality').selectOption('Automatic, by the connection');
  await tab.close();
  await server.expire(session.id);
});

test('a user with a dense screen chooses one pixel of the application for each of the screen', async ({ server, open, consoleErrors }) => {
  // noVNC reads its picture back at each change of the size.
  consoleErrors.allow(/Multiple readback operations/);
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`, { deviceScaleFactor: 2, viewport: { width: 1000, height: 624 } });
  await expectPrompt(tab);
  const size = () => tab.locator('#screen canvas').evaluate((canvas) => [(canvas as HTMLCanvasElement).width, (canvas as HTMLCanvasElement).height, canvas.clientWidth]);
  await expect.poll(size).toEqual([1000, 600, 1000]);
  await openMenu(tab);
  const box = tab.getByRole('checkbox', { name: /^Use every pixel of this screen/ });
  await box.check();
  await expect.poll(size).toEqual([2000, 1200, 1000]);
  await tab.reload();
  await expectConnected(tab);
  await expect.poll(size).toEqual([2000, 1200, 1000]);
  await expect.poll(async () => (await picture(tab)).length).toBe(125 * 75);
  await typeLine(tab, 'stty size >size');
  await expect.poll(() => Number(content(sessionIn(tab), 'size').split(' ')[1])).toBeGreaterThan(150);
  await openMenu(tab);
  await box.uncheck();
  await expect.poll(size).toEqual([1000, 600, 1000]);
  await tab.close();
  await server.expire(session.id);
});
