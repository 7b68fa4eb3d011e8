// Sizes for people.

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** "1.9 GiB", as the server writes it. */
export function bytes(size) {
  if (size === 1) return '1 byte';
  let power = 0;
  while (size >= 1024 ** (power + 1) && power < 4) power += 1;
  const tenths = Math.floor((size * 10) / 1024 ** power);
  return `${tenths % 10 === 0 || tenths >= 1000 ? Math.floor(tenths / 10) : tenths / 10} ${UNITS[power]}`;
}
