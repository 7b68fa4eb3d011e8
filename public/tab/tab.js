// The session's own tab. Each section of its menu is a module with one function `start(tab)`. The markup of the sections is in
// app/src/session_tab/menu.rs.
//
// To add a section: a module here, a line in SECTIONS, and its markup.
import * as clipboard from './clipboard.js';
import * as end from './end.js';
import * as files from './files.js';
import * as help from './help.js';
import * as home from './home.js';
import * as menu from './menu.js';
import * as notices from './notices.js';
import * as picture from './picture.js';
import * as screen from './screen.js';
import * as prints from './prints.js';
import * as sound from './sound.js';
import { open } from './stream.js';
import * as touch from './touch.js';
import * as windows from './windows.js';

const SECTIONS = [windows, notices, home, prints, clipboard, screen, files, picture, sound, touch, help, end];

/**
 * The tab as its sections see it. Events:
 * - `menu`: the menu has opened.
 * - `connect`: the first picture is there. `tab.display` is noVNC's RFB object.
 * - `disconnect`: the stream has ended; `detail` is the close code.
 * - `notice:KIND`: a notice of the server; `detail` is its JSON.
 */
class Tab extends EventTarget {
  id = document.getElementById('screen').dataset.session;
  /** noVNC's RFB object while the tab is connected. */
  display;
  /** The open WebSocket, or undefined. */
  socket;
  /** `open(element)`, `close()` and `isOpen` of the session menu. */
  menu;

  /** Returns the keyboard to the application. */
  focus() {
    this.display?.focus();
  }

  /** Sends a request to the server, as JSON in a text message. Returns false if the tab is not connected. */
  send(request) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(request));
    return true;
  }

  announce(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  on(name, listener) {
    this.addEventListener(name, (event) => listener(event.detail));
  }
}

document.getElementById('needs-script').remove();
const tab = new Tab();
menu.start(tab);
for (const section of SECTIONS) section.start(tab);
open(tab);
