// Ends the session after a question.

export function start(tab) {
  const dialog = document.getElementById('end-dialog');
  const problem = document.getElementById('end-problem');

  /** Ends the session. The server closes the stream and gives the reason. */
  const end = async () => {
    problem.hidden = true;
    try {
      const answer = await fetch(`/sessions/${tab.id}/end`, { method: 'POST', body: new URLSearchParams(), redirect: 'manual' });
      if (answer.type !== 'opaqueredirect' && !answer.ok) throw new Error(String(answer.status));
    } catch {
      problem.hidden = false;
      tab.menu.open();
      problem.scrollIntoView({ block: 'nearest' });
    }
  };

  for (const button of document.querySelectorAll('[data-end]')) {
    button.addEventListener('click', () => dialog.showModal());
  }
  document.getElementById('end-cancel').addEventListener('click', () => dialog.close());
  document.getElementById('end-confirm').addEventListener('click', (event) => {
    // The second click of a double click never confirms.
    if (event.detail > 1) return;
    dialog.close();
    end();
  });
}
