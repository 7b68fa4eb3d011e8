// Shows the times of a plain page in the reader's own zone and format. Without JavaScript they stay in UTC.
const format = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: 'numeric',
  minute: '2-digit',
  timeZoneName: 'short',
  numberingSystem: 'latn',
});

for (const time of document.querySelectorAll('time[datetime]')) {
  time.title = time.dateTime;
  time.textContent = format.format(new Date(time.dateTime));
}
