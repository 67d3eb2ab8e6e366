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
  if (seconds > 0) return `${inUnits(size)} ago`;
  // What is to come is rounded: 22 h 57 min ahead are 23 h, and not 22 h.
  const [, unit] = stepOf(size);
  return `in ${inUnits(Math.floor(size / unit + 0.5) * unit)}`;
}

function stepOf(size) {
  return STEPS.find(([limit]) => size < limit);
}

function inUnits(size) {
  const [, unit, name] = stepOf(size);
  return `${Math.floor(size / unit)} ${name}`;
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
