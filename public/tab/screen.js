// The section “Screen”: full screen, and the bar at the top edge.

const BAR = 'cloud-delivery-bar';

export function start(tab) {
  fullScreen(tab);
  bar();
}

function fullScreen(tab) {
  const button = document.getElementById('full-screen');
  const root = document.documentElement;
  // iPhones have no full screen for pages.
  if (!root.requestFullscreen) return;
  button.hidden = false;
  const show = () => (button.textContent = document.fullscreenElement ? 'Leave full screen' : 'Full screen');
  document.addEventListener('fullscreenchange', () => {
    show();
    if (!document.fullscreenElement) navigator.keyboard?.unlock?.();
  });
  button.addEventListener('click', async () => {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await enter(root);
    tab.menu.close();
  });
  show();
}

async function enter(root) {
  try {
    await root.requestFullscreen({ navigationUI: 'hide' });
    // Passes Esc, Alt+Tab and the like to the application. Holding Esc leaves full screen.
    await navigator.keyboard?.lock?.();
  } catch {
    // The browser or its policy refuses. The page stays as it is.
  }
}

/** The user can shrink the bar to a handle over the application, and the choice is kept. */
function bar() {
  const box = document.getElementById('keep-bar');
  box.checked = localStorage.getItem(BAR) !== 'hidden';
  const apply = () => document.documentElement.classList.toggle('no-bar', !box.checked);
  box.addEventListener('change', () => {
    if (box.checked) localStorage.removeItem(BAR);
    else localStorage.setItem(BAR, 'hidden');
    apply();
  });
  apply();
}
