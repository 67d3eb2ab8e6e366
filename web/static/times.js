// Relative times that stay true while the page is open; the words are those of web/ui/labels.py.
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

/** `3 min 20 s`: the two largest units. */
export function duration(seconds) {
  let left = Math.max(0, Math.floor(seconds));
  const words = [];
  for (const [, unit, name] of [...STEPS].reverse()) {
    if (left >= unit) {
      words.push(`${Math.floor(left / unit)} ${name}`);
      left %= unit;
    } else if (words.length) break;
  }
  return words.slice(0, 2).join(" ") || "0 s";
}

/** `22:07` for today, `25 Nov, 22:07` for another day, in the reader's time zone. */
export function clock(moment) {
  const at = new Date(moment);
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString("en-GB", today ? time : { day: "numeric", month: "short", ...time });
}

function wordOf(element, now) {
  const at = Date.parse(element.dateTime);
  const past = (now - at) / 1000;
  if ("lasting" in element.dataset) return duration(past);
  if ("clock" in element.dataset) return clock(at);
  if ("due" in element.dataset) return past > -2 ? "now" : relative(past);
  return relative(past);
}

export function renewTimes(root = document) {
  const now = Date.now();
  for (const element of root.querySelectorAll("time[data-ago], time[data-lasting], time[data-clock], time[data-due]")) {
    const text = wordOf(element, now);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function startTimes() {
  renewTimes();
  setInterval(renewTimes, 1000);
}
