// The section “Sound”. Sound is off in a new tab, because browsers play none before the user asks for it, and nothing is sent while
// it is off. Samples come over a connection of their own, so that they do not wait behind pictures.

import { choice } from './choices.js';

const RATE = 48000;
// The server counts on a receipt after so many messages.
const RECEIPT = 5;
const NO_SOUND = 4006;
const RETRY_MS = [500, 1000, 2000, 5000, 10000];

const UNAVAILABLE = {
  off: 'Sound is turned off for this application.',
  missing: 'This server can’t play sound.',
  insecure: 'Sound needs a secure connection (https).',
};
const OFF = 'Sound is off.';
const STARTING = 'Turning sound on…';
const ON = 'Sound is on.';
const LOST = 'The connection for sound was lost. Reconnecting…';
const ENDED = 'The session can’t play sound any more. Your session is still running.';
const STOPPED = 'The browser stopped the sound. Turn it on again.';
const FAILED = 'This browser couldn’t play sound. Try again.';

const controls = document.getElementById('sound-controls');
const button = document.getElementById('sound');
const volume = document.getElementById('volume');
const state = document.getElementById('sound-state');

export function start(tab) {
  const sound = new Sound(tab);
  const kept = choice('volume');
  volume.value = kept.read() ?? volume.value;
  volume.addEventListener('input', () => {
    kept.write(volume.value);
    sound.setVolume();
  });
  button.addEventListener('click', () => (sound.wanted ? sound.turnOff(OFF) : sound.turnOn()));
  tab.on('notice:limits', (limits) => sound.allow(limits.sound));
  tab.on('connect', () => sound.connect());
  tab.on('disconnect', () => sound.disconnect());
}

/** Takes the text of a state only if it is another one, because a screen reader reads each. */
function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

class Sound {
  wanted = false;
  failures = 0;

  constructor(tab) {
    this.tab = tab;
  }

  /** Shows whether this tab can have sound. */
  allow(given) {
    const reason = given === 'available' && !window.isSecureContext ? 'insecure' : given;
    controls.hidden = reason in UNAVAILABLE;
    if (controls.hidden) this.turnOff(UNAVAILABLE[reason]);
    else if (!this.wanted) say(OFF);
  }

  async turnOn() {
    this.wanted = true;
    button.textContent = 'Turn sound off';
    say(STARTING);
    try {
      this.context ??= await this.build();
      await this.context.resume();
    } catch {
      this.context = undefined;
      this.turnOff(FAILED);
      return;
    }
    if (this.wanted) this.connect();
    else this.context.suspend(); // Turned off in the meantime.
  }

  turnOff(text) {
    this.wanted = false;
    this.disconnect();
    this.context?.suspend();
    button.textContent = 'Turn sound on';
    say(text);
  }

  /** Samples → player → volume → loudspeaker. */
  async build() {
    const context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
    await context.audioWorklet.addModule('/tab/sound-player.js');
    this.volume = context.createGain();
    this.volume.connect(context.destination);
    context.addEventListener('statechange', () => {
      // Another program may take the loudspeaker, as a phone call does.
      if (this.wanted && this.socket && context.state !== 'running') this.turnOff(STOPPED);
    });
    this.setVolume();
    return context;
  }

  setVolume() {
    // The ear hears loudness about as the square.
    if (this.volume) this.volume.gain.value = (volume.value / 100) ** 2;
  }

  connect() {
    if (!this.wanted || !this.context || !this.tab.socket || this.socket) return;
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/sessions/${this.tab.id}/sound`);
    // A player of its own: an earlier one may still hold samples.
    const player = new AudioWorkletNode(this.context, 'sound-player', { numberOfInputs: 0, outputChannelCount: [2] });
    player.connect(this.volume);
    socket.binaryType = 'arraybuffer';
    let received = 0;
    socket.onopen = () => {
      this.failures = 0;
      say(ON);
    };
    socket.onmessage = ({ data }) => {
      player.port.postMessage(data, [data]);
      received += 1;
      if (received % RECEIPT === 0) socket.send(new ArrayBuffer(0));
    };
    socket.onclose = ({ code }) => {
      player.disconnect();
      player.port.postMessage(null);
      if (this.socket !== socket) return;
      this.socket = undefined;
      if (code === NO_SOUND) this.turnOff(ENDED);
      else this.connectLater();
    };
    this.socket = socket;
  }

  /** Without a display the tab waits for it, and it brings the sound back. */
  connectLater() {
    if (!this.wanted || !this.tab.socket) return;
    say(LOST);
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), wait);
  }

  disconnect() {
    clearTimeout(this.retry);
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
    if (this.wanted) say(STARTING);
  }
}
