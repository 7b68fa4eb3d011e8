// noVNC's client, adjusted for this tab. It overrides private methods, so the version of noVNC is pinned.
import RFB from '/novnc/core/rfb.js';

export class Picture extends RFB {
  constructor(element, socket) {
    super(element, socket, { shared: true });
    // noVNC keeps the picture when its size changes. Its first size is the browser's default for canvases, without a picture,
    // and reading it back takes milliseconds of the start.
    this._display._backbuffer.width = 0;
    this.resizeSession = true;
    this.focusOnClick = true;
    this.background = 'transparent';
  }
}
