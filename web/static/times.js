// Relative times that stay true while the page is open; the words are those of web/pages/wording.py.
const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [Infinity, 86400, "d"],
];

/** `12 s ago`, `in 3 min`, `just now`; `seconds` is positive in the past. */
export function relative(seconds) {
  const size = Math.abs(seconds);
  if (size < 2) return "just now";
  const [, unit, name] = STEPS.find(([limit]) => size < limit);
  const text = `${Math.floor(size / unit)} ${name}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

export function renewTimes(root = document) {
  const now = Date.now();
  for (const element of root.querySelectorAll("time[data-ago]")) {
    const text = relative((now - Date.parse(element.dateTime)) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function startTimes() {
  renewTimes();
  setInterval(renewTimes, 1000);
}
