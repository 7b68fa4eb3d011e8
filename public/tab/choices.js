// Choices of the user for all sessions in this browser.

/** Reads and writes one choice. Without storage, as in some private windows, it holds until the page is left. */
export function choice(name) {
  const key = `cloud-delivery-${name}`;
  return {
    read() {
      try {
        return localStorage.getItem(key) ?? undefined;
      } catch {
        return undefined;
      }
    },
    write(value) {
      try {
        if (value === undefined) localStorage.removeItem(key);
        else localStorage.setItem(key, value);
      } catch {
        // The choice is not kept.
      }
    },
  };
}
