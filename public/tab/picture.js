// noVNC's client, adjusted for this tab, and the section “Picture”: sharpness, quality, and the latency. The class overrides
// private methods of noVNC, so its version is pinned.
import RFB from '/novnc/core/rfb.js';
import { encodings } from '/novnc/core/encodings.js';
import { choice } from './choices.js';

// noVNC's levels of JPEG quality and of compression, from 0 to 9.
const BEST = { quality: 6, compression: 2 };
const LOW = { quality: 1, compression: 6 };
// The quality for a link that is the bottleneck, by its bandwidth in bytes per second.
const STEPS = [
  { below: 200_000, quality: 1 },
  { below: 600_000, quality: 3 },
  { below: Infinity, quality: 5 },
];
// A picture that waits longer than this behind others shows that the link is the bottleneck.
const QUEUE_MS = 250;
const PING_MS = 5000;
const MOST_ZOOM = 5;
const PING_OPEN_MS = 1000;
// Pongs without a queue until the quality rises by one level.
const CALM_PONGS = 4;

export class Picture extends RFB {
  /** True: without JPEG, which loses detail. */
  lossless = false;
  /** Pixels of the application for one CSS pixel. */
  density = 1;
  #asksForSize = false;
  /** Enlargement by pinching. It concerns this tab only. */
  #zoom = 1;
  #gesture;

  constructor(element, socket) {
    super(element, socket, { shared: true });
    // noVNC keeps the picture when its size changes. Its first size is the browser's default for canvases, without a picture,
    // and reading it back takes milliseconds of the start.
    this._display._backbuffer.width = 0;
    this.resizeSession = true;
    this.focusOnClick = true;
    this.background = 'transparent';
  }

  /** Applies a density. The application gets another size, and the picture is scaled to the tab. */
  setDensity(density) {
    this.density = density;
    this.scaleViewport = density !== 1;
    this._requestRemoteResize();
  }

  setLossless(lossless) {
    if (lossless === this.lossless) return;
    this.lossless = lossless;
    if (this._rfbConnectionState !== 'connected') return;
    this._sendEncodings();
    // The parts that were sent with loss.
    if (lossless) RFB.messages.fbUpdateRequest(this._sock, false, 0, 0, this._fbWidth, this._fbHeight);
  }

  _requestRemoteResize() {
    this.#asksForSize = true;
    super._requestRemoteResize();
    this.#asksForSize = false;
  }

  _screenSize() {
    const { w, h } = super._screenSize();
    const density = this.#asksForSize ? this.density : 1;
    return { w: Math.floor(w * density), h: Math.floor(h * density) };
  }

  _updateScale() {
    super._updateScale();
    if (this.#zoom !== 1) this._display.scale *= this.#zoom;
  }

  // noVNC turns a pinch into Ctrl and the wheel, which few applications understand. Here it enlarges the picture, and two
  // fingers then move it.
  _handleGesture(event) {
    const { type, magnitudeX, magnitudeY, clientX, clientY } = event.detail;
    if (type !== 'pinch' && !(type === 'twodrag' && this.#zoom > 1)) {
      super._handleGesture(event);
      return;
    }
    const size = Math.hypot(magnitudeX, magnitudeY);
    if (event.type === 'gesturestart') this.#gesture = { size, magnitudeX, magnitudeY, zoom: this.#zoom };
    if (event.type !== 'gesturemove') return;
    if (type === 'pinch') {
      this.#setZoom((this.#gesture.zoom * size) / this.#gesture.size, clientX, clientY);
    } else {
      this._screen.scrollBy(this.#gesture.magnitudeX - magnitudeX, this.#gesture.magnitudeY - magnitudeY);
      Object.assign(this.#gesture, { magnitudeX, magnitudeY });
    }
  }

  /** Zooms with a point of the page that keeps its place. */
  #setZoom(wanted, clientX, clientY) {
    // Nearly the size of the tab is that size.
    const zoom = wanted < 1.1 ? 1 : Math.min(wanted, MOST_ZOOM);
    const factor = zoom / this.#zoom;
    const { left, top } = this._screen.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    const [scrollX, scrollY] = [(this._screen.scrollLeft + x) * factor - x, (this._screen.scrollTop + y) * factor - y];
    this.#zoom = zoom;
    this._updateScale();
    this._screen.scrollTo(scrollX, scrollY);
  }

  // The display uses JPEG exactly if the client names a quality.
  _sendEncodings() {
    const { clientEncodings } = RFB.messages;
    const quality = (encoding) => encoding >= encodings.pseudoEncodingQualityLevel0 && encoding <= encodings.pseudoEncodingQualityLevel9;
    RFB.messages.clientEncodings = (sock, list) => clientEncodings(sock, this.lossless ? list.filter((each) => !quality(each)) : list);
    try {
      super._sendEncodings();
    } finally {
      RFB.messages.clientEncodings = clientEncodings;
    }
  }
}

export function start(tab) {
  sharpness(tab);
  quality(tab);
}

function sharpness(tab) {
  const box = document.getElementById('sharp');
  const label = document.getElementById('sharp-label');
  const kept = choice('sharp');
  box.checked = kept.read() === 'yes';
  const apply = () => {
    label.hidden = window.devicePixelRatio === 1;
    tab.display?.setDensity(box.checked ? window.devicePixelRatio : 1);
  };
  box.addEventListener('change', () => {
    kept.write(box.checked ? 'yes' : undefined);
    apply();
  });
  tab.on('connect', apply);
  // A zoom of the page changes the ratio, and so does another screen.
  window.addEventListener('resize', apply);
  apply();
}

function quality(tab) {
  const select = document.getElementById('quality');
  const output = document.getElementById('latency');
  const kept = choice('quality');
  if ([...select.options].some(({ value }) => value === kept.read())) select.value = kept.read();
  const link = new Link();
  const apply = () => {
    if (!tab.display) return;
    const { quality, compression } = select.value === 'low' ? LOW : { ...BEST, quality: select.value === 'auto' ? link.quality : BEST.quality };
    tab.display.qualityLevel = quality;
    tab.display.compressionLevel = compression;
    tab.display.setLossless(select.value === 'lossless');
  };
  select.addEventListener('change', () => {
    kept.write(select.value === 'auto' ? undefined : select.value);
    apply();
  });

  let timer;
  const ping = () => {
    clearTimeout(timer);
    if (link.ask(performance.now())) tab.send({ kind: 'ping', at: link.askedAt });
    timer = setTimeout(ping, tab.menu.isOpen ? PING_OPEN_MS : PING_MS);
  };
  tab.on('connect', () => {
    link.reset();
    tab.socket.addEventListener('message', ({ data }) => link.received(data.byteLength ?? 0));
    apply();
    ping();
  });
  tab.on('menu', ping);
  tab.on('disconnect', () => {
    clearTimeout(timer);
    output.textContent = 'Not connected.';
  });
  tab.on('notice:pong', ({ at }) => {
    if (!link.answered(at, performance.now())) return;
    output.textContent = `Latency: ${link.latency} ms.`;
    apply();
  });
}

/** Measures the link. An answer waits behind the pictures that were sent before it, so its delay shows a queue. */
class Link {
  latency = 0;
  quality = BEST.quality;
  askedAt;
  #least = Infinity;
  #bytes = 0;
  #calm = 0;

  reset() {
    this.askedAt = undefined;
    this.#least = Infinity;
  }

  received(bytes) {
    this.#bytes += bytes;
  }

  /** Returns false if an answer is still awaited. */
  ask(now) {
    if (this.askedAt !== undefined) return false;
    this.askedAt = Math.trunc(now);
    this.#bytes = 0;
    return true;
  }

  /** Returns false for an answer to something else. */
  answered(at, now) {
    if (at !== this.askedAt) return false;
    this.askedAt = undefined;
    this.latency = Math.max(0, Math.round(now - at));
    this.#least = Math.min(this.#least, this.latency);
    const queue = this.latency - this.#least;
    if (queue > QUEUE_MS) {
      const bandwidth = (this.#bytes * 1000) / this.latency;
      this.quality = Math.min(this.quality, STEPS.find(({ below }) => bandwidth < below).quality);
      this.#calm = 0;
    } else if (this.quality < BEST.quality && ++this.#calm >= CALM_PONGS) {
      this.quality += 1;
      this.#calm = 0;
    }
    return true;
  }
}
