// Plays the samples that the page receives, in the audio thread of the browser. The stream has no clock: sound begins with a
// reserve for its jitter, a sound that came late is cut short, and silence is what did not come.

/** The reserve before sound begins: 100 ms. A beep that is shorter begins after the same time. */
const RESERVE = 4800;
/** The longest reserve, 300 ms. More means that the sound lags behind the picture. */
const MOST = 14400;

class SoundPlayer extends AudioWorkletProcessor {
  chunks = [];
  frames = 0; // In all chunks.
  position = 0; // In samples of the first chunk.
  waited = 0;
  playing = false;
  ended = false;

  constructor() {
    super();
    // Every processor of today has the byte order of the samples. A message without samples is the end.
    this.port.onmessage = ({ data }) => (data ? this.add(new Int16Array(data)) : (this.ended = true));
  }

  add(samples) {
    this.chunks.push(samples);
    this.frames += samples.length / 2;
    if (this.frames > MOST) while (this.frames > RESERVE) this.drop();
  }

  drop() {
    this.frames -= (this.chunks.shift().length - this.position) / 2;
    this.position = 0;
  }

  process(_inputs, [[left, right]]) {
    if (!this.playing && this.frames > 0) {
      this.waited += left.length;
      this.playing = this.frames >= RESERVE || this.waited >= RESERVE;
    }
    for (let frame = 0; this.playing && frame < left.length; frame += 1) {
      const [chunk] = this.chunks;
      if (!chunk) {
        this.playing = false;
        break;
      }
      left[frame] = chunk[this.position] / 32768;
      right[frame] = chunk[this.position + 1] / 32768;
      this.position += 2;
      this.frames -= 1;
      if (this.position < chunk.length) continue;
      this.chunks.shift();
      this.position = 0;
    }
    if (this.frames === 0) this.waited = 0;
    return !this.ended;
  }
}

registerProcessor('sound-player', SoundPlayer);
