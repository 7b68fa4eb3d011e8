// Shows the times of a plain page in the reader's own zone and format. Without JavaScript they stay in UTC.
const { hour12 } = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions();
const format = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: hour12 ? 'numeric' : '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
  numberingSystem: 'latn',
});

export function showTimes() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    time.title = time.dateTime;
    time.textContent = format.format(new Date(time.dateTime));
  }
}

showTimes();
