// The sound of an application in its tab, judged by the samples that reach the loudspeaker of the page.
import type { Page, WebSocket } from '@playwright/test';
import { closeFrame } from '../support/close-frame.ts';
import { openStream } from '../support/http.ts';
import { expect, test } from '../support/test.ts';
import { expectConnected, expectPrompt, settled } from '../support/portal.ts';
import { processesOf } from '../support/processes.ts';
import { SIMULATED, type Server } from '../support/server.ts';

test.use({ setup: { name: 'sound', simulated: true } });

const HZ = 440;
/** The close code of the sound when its tab is closed. */
const CLOSED = 1000;
/** Plays a tone until it is ended. */
const PLAY_TONE =
  `perl -e '$|=1; print pack("s<2", (16000*sin(6.283185307*${HZ}*$_/48000))x2) for 0..1e9' | ` +
  'paplay --raw --rate=48000 --channels=2 --format=s16le --latency-msec=100';
/** Fills the FIFO of the server of sound with a square wave, past that server and as fast as it can. */
const FLOOD = `perl -e 'open F, ">", "$ENV{XDG_RUNTIME_DIR}/pulse/out"; my $w = (pack("s<2", 9000, 9000) x 50 . pack("s<2", -9000, -9000) x 50) x 100; syswrite F, $w while 1'`;

const menu = (tab: Page) => tab.getByRole('region', { name: 'Session menu' });
const state = (tab: Page) => menu(tab).locator('#sound-state');
const isSound = (socket: WebSocket) => socket.url().endsWith('/sound');

let applications = 0;
/** A terminal beside a program that makes sound. */
async function launchTerminalWith(server: Server, script: string, ...options: string[]): Promise<string> {
  const name = `Player ${++applications}`;
  await server.cli(['application', 'add', name, ...options, '--', 'sh', '-c', `${script} & exec xterm`]);
  return (await server.launchAs('student', name)).id;
}

/** Lets the test hear everything that the page plays from now on. Returns the connections for sound. */
async function listen(tab: Page): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  tab.on('websocket', (socket) => isSound(socket) && sockets.push(socket));
  await tab.evaluate(() => {
    const connect = AudioNode.prototype.connect as (this: AudioNode, to: AudioNode) => AudioNode;
    AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode) {
      if (to instanceof AudioDestinationNode) {
        const heard = to.context.createAnalyser();
        heard.fftSize = 16384;
        connect.call(this, heard);
        Object.assign(window, { heard });
      }
      return connect.call(this, to);
    } as AudioNode['connect'];
  });
  return sockets;
}

/** The strongest frequency in Hz and the root mean square of what the page plays now, from 0 to 1. */
async function heard(tab: Page): Promise<{ hz: number; loudness: number }> {
  return tab.evaluate(() => {
    const { heard } = window as unknown as { heard?: AnalyserNode };
    if (heard === undefined || heard.context.state !== 'running') return { hz: 0, loudness: 0 };
    const strengths = new Float32Array(heard.frequencyBinCount);
    const wave = new Float32Array(heard.fftSize);
    heard.getFloatFrequencyData(strengths);
    heard.getFloatTimeDomainData(wave);
    const hz = (strengths.indexOf(Math.max(...strengths)) * heard.context.sampleRate) / heard.fftSize;
    return { hz, loudness: Math.sqrt(wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length) };
  });
}

async function expectTone(tab: Page): Promise<void> {
  await expect.poll(async () => Math.abs((await heard(tab)).hz - HZ)).toBeLessThan(5);
  // A sine of half the full amplitude has 0.35.
  await expect.poll(async () => (await heard(tab)).loudness).toBeGreaterThan(0.3);
}

const openMenu = (tab: Page) => tab.getByRole('button', { name: 'Session menu' }).click();
const turnOn = (tab: Page) => menu(tab).getByRole('button', { name: 'Turn sound on' }).click();

test('a tone of the application is heard after a click, and not before or after', async ({ server, open }) => {
  const tab = await open('student', `/sessions/${await launchTerminalWith(server, PLAY_TONE)}`);
  await expectPrompt(tab);
  const sockets = await listen(tab);
  await openMenu(tab);
  await expect(state(tab)).toHaveText('Sound is off.');
  expect(sockets).toEqual([]);
  expect((await heard(tab)).loudness).toBe(0);

  await turnOn(tab);
  await expect(state(tab)).toHaveText('Sound is on.');
  await expectTone(tab);

  await menu(tab).getByRole('slider', { name: 'Volume' }).fill('50');
  await expect.poll(async () => (await heard(tab)).loudness).toBeLessThan(0.1);
  expect((await heard(tab)).loudness).toBeGreaterThan(0.05);

  await menu(tab).getByRole('button', { name: 'Turn sound off' }).click();
  await expect(state(tab)).toHaveText('Sound is off.');
  await expect.poll(() => sockets.map((socket) => socket.isClosed())).toEqual([true]);
  expect((await heard(tab)).loudness).toBe(0);
});

test('the keyboard alone turns sound on and off, and the volume is kept', async ({ server, open }) => {
  const tab = await open('student', `/sessions/${await launchTerminalWith(server, PLAY_TONE)}`);
  await expectPrompt(tab);
  await tab.keyboard.press('Control+Alt+Shift');
  await listen(tab);
  const button = menu(tab).getByRole('button', { name: /^Turn sound o/ });
  while (!(await button.evaluate((element) => element === document.activeElement))) await tab.keyboard.press('Tab');
  await tab.keyboard.press('Enter');
  await expectTone(tab);
  await tab.keyboard.press('Tab');
  await tab.keyboard.press('Home');
  await expect.poll(async () => (await heard(tab)).loudness).toBe(0);
  await tab.reload();
  await expectConnected(tab);
  await openMenu(tab);
  await expect(menu(tab).getByRole('slider', { name: 'Volume' })).toHaveValue('0');
  await expect(state(tab)).toHaveText('Sound is off.');
});

test('silence is not sent, and a later tone is', async ({ server, open }) => {
  const tab = await open('student', `/sessions/${await launchTerminalWith(server, 'paplay --raw /dev/zero')}`);
  await expectPrompt(tab);
  const sockets = await listen(tab);
  const frames: Buffer[] = [];
  tab.on('websocket', (socket) => isSound(socket) && socket.on('framereceived', ({ payload }) => frames.push(Buffer.from(payload))));
  await openMenu(tab);
  await turnOn(tab);
  await expect(state(tab)).toHaveText('Sound is on.');
  await tab.keyboard.press('Escape');
  await tab.keyboard.type(`${PLAY_TONE}\n`);
  await expectTone(tab);
  expect(frames.filter((frame) => frame.every((byte) => byte === 0))).toEqual([]);
  expect(sockets).toHaveLength(1);
});

test('a session whose application may have no sound says so, starts no server of sound, and refuses a stream', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/WebSocket connection to .*\/sound' failed/);
  const id = await launchTerminalWith(server, PLAY_TONE, '--no-sound');
  const tab = await open('student', `/sessions/${id}`);
  await expectPrompt(tab);
  await openMenu(tab);
  await expect(state(tab)).toHaveText('Sound is turned off for this application.');
  await expect(menu(tab).getByRole('button', { name: /^Turn sound/ })).toBeHidden();
  await expect(menu(tab).getByRole('slider', { name: 'Volume' })).toBeHidden();
  expect(processesOf(id).filter(({ command }) => /^(pulseaudio|dd) /.test(command))).toEqual([]);
  expect(await openedInPage(tab, id)).toBe('refused');
});

/** Opens the sound from the page itself, past its menu. */
async function openedInPage(tab: Page, id: string): Promise<string> {
  return tab.evaluate(
    (session) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/sessions/${session}/sound`);
        socket.onopen = () => resolve('opened');
        socket.onerror = () => resolve('refused');
      }),
    id,
  );
}

test('an environment that can play nothing says so', async ({ server, open }) => {
  const { id } = await server.launchAs('student', SIMULATED.application);
  const tab = await open('student', `/sessions/${id}`);
  await expectConnected(tab);
  await openMenu(tab);
  await expect(state(tab)).toHaveText('This server can’t play sound.');
  await expect(menu(tab).getByRole('button', { name: /^Turn sound/ })).toBeHidden();
});

test('sound ends with its tab, expired or opened elsewhere, and another person gets none', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/WebSocket connection to .*\/sound' failed/);
  const id = await launchTerminalWith(server, PLAY_TONE);
  const tab = await open('student', `/sessions/${id}`);
  await expectPrompt(tab);
  const sockets = await listen(tab);
  await openMenu(tab);
  await turnOn(tab);
  await expectTone(tab);

  const stranger = await open('admin', '/');
  expect(await openedInPage(stranger, id)).toBe('refused');

  const second = await open('student', `/sessions/${id}`);
  await expectPrompt(second);
  await expect.poll(() => sockets.every((socket) => socket.isClosed())).toBe(true);
  expect((await heard(tab)).loudness).toBe(0);

  // A page would reload now and close its connections itself, so a program opens both streams.
  const login = { cookie: await server.cookie('student'), origin: server.url };
  const stream = await openStream(server.url, `/sessions/${id}/stream`, login);
  const sound = await openStream(server.url, `/sessions/${id}/sound`, login);
  if (stream === undefined || sound === undefined) throw new Error('the server refused a stream');
  await new Promise((resolve) => sound.once('data', resolve));
  const closed = closeFrame(sound, CLOSED);
  await server.expire(id);
  await closed;
  expect(await openedInPage(stranger, id)).toBe('refused');
  for (const socket of [stream, sound]) socket.destroy();
});

test('a lost connection comes back with its sound', async ({ server, open }) => {
  const tab = await open('student', `/sessions/${await launchTerminalWith(server, PLAY_TONE)}`);
  await expectPrompt(tab);
  const sockets = await listen(tab);
  await tab.evaluate(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      if (this.url.endsWith('/sound')) Object.assign(window, { soundSocket: this });
      return send.call(this, data);
    };
  });
  await openMenu(tab);
  await turnOn(tab);
  await expectTone(tab);
  await tab.evaluate(() => (window as unknown as { soundSocket: globalThis.WebSocket }).soundSocket.close());
  await expect.poll(() => sockets.length).toBe(2);
  await expect(state(tab)).toHaveText('Sound is on.');
  await expectTone(tab);
});

test('a flood of sound is bounded, and the application stays usable', async ({ server, open }) => {
  const tab = await open('student', `/sessions/${await launchTerminalWith(server, FLOOD)}`);
  await expectPrompt(tab);
  const sockets = await listen(tab);
  const arrived: { at: number; bytes: number }[] = [];
  tab.on('websocket', (socket) => isSound(socket) && socket.on('framereceived', ({ payload }) => arrived.push({ at: Date.now(), bytes: payload.length })));
  await openMenu(tab);
  await turnOn(tab);
  await expect.poll(() => arrived.length).toBeGreaterThan(300);
  const [first, last] = [arrived[0], arrived.at(-1)];
  const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1000;
  const bytes = arrived.reduce((sum, frame) => sum + frame.bytes, 0);
  // The pace, and the tenth of a second that may come at once.
  expect(bytes).toBeLessThan(240_000 * (seconds + 0.5));
  expect(sockets).toHaveLength(1);

  await tab.keyboard.press('Escape');
  const before = await settled(tab);
  await tab.keyboard.type('echo picture and keys');
  await expect.poll(async () => JSON.stringify(await settled(tab))).not.toBe(JSON.stringify(before));
});
