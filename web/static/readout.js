// Reading a chart or a bar of rounds point by point: by pointer, by touch, and by arrow keys, with a text for screen readers.
//
//   [data-readout]        what the points belong to; with a tabindex, arrow keys read it
//   [data-point]          one point: its key, which stays the same when a live update brings the next one
//   [data-lines]          what is said of it, lines separated by "|"
//   .beats rect           is a point, too: its title is its key and its text
const POINT = "[data-point], .beats rect:not(.beat-none)";
const places = new WeakMap();

function points(host) {
  return [...host.querySelectorAll(POINT)];
}

function title(point) {
  return point.querySelector("title")?.textContent ?? "";
}

function key(point) {
  return point.dataset.point ?? title(point);
}

/** The elements that show a point; made once for each host, and kept by live updates. */
function pieces(host) {
  const found = host.querySelectorAll("[data-added]");
  if (found.length) return [...found];
  const made = ["readout-cursor", "readout-dot", "readout-tip"].map((name) => {
    const element = document.createElement("div");
    element.className = name;
    element.dataset.added = "";
    return element;
  });
  host.append(...made);
  return made;
}

function lines(point) {
  return point.dataset.lines?.split("|") ?? title(point).split(" · ");
}

function show(host, point, { says = false } = {}) {
  const [cursor, dot, tip] = pieces(host);
  const box = host.getBoundingClientRect();
  const picture = host.querySelector("svg").getBoundingClientRect();
  const column = point.getBoundingClientRect();
  const x = column.left + column.width / 2 - box.left;
  const { y } = point.dataset;
  cursor.style.left = `${x}px`;
  dot.hidden = !y;
  dot.style.left = `${x}px`;
  dot.style.top = `${(Number(y) / 240) * picture.height}px`;
  tip.replaceChildren(...lines(point).map((text, place) => {
    const line = document.createElement(place === 0 ? "b" : "div");
    line.textContent = text;
    return line;
  }));
  const room = x + tip.offsetWidth + 14 < box.width;
  tip.style.left = `${room ? x + 12 : Math.max(0, x - tip.offsetWidth - 12)}px`;
  places.set(host, key(point));
  if (says) document.querySelector("[data-announcer]").textContent = lines(point).join(", ");
}

function hide(host) {
  for (const element of host.querySelectorAll("[data-added]")) element.remove();
  places.delete(host);
}

function hideOthers(host) {
  for (const other of document.querySelectorAll("[data-readout]:has([data-added])")) if (other !== host) hide(other);
}

function onPointer(event) {
  const point = event.target.closest?.(POINT);
  // A mouse that rests on a round gets the browser's own tooltip.
  const host = event.pointerType === "mouse" && !point?.dataset.point ? null : point?.closest("[data-readout]");
  hideOthers(host);
  if (host) show(host, point);
}

function onKey(event) {
  const host = event.target.closest?.("[data-readout]");
  if (!host || host !== event.target) return;
  if (event.key === "Escape") {
    hide(host);
    return;
  }
  const all = points(host);
  const at = all.findIndex((point) => key(point) === places.get(host));
  const last = all.length - 1;
  const before = at < 0 ? last : Math.max(0, at - 1);
  const after = at < 0 ? last : Math.min(last, at + 1);
  const next = { ArrowLeft: before, ArrowRight: after, ArrowDown: before, ArrowUp: after, Home: 0, End: last }[event.key];
  if (next === undefined || last < 0) return;
  event.preventDefault();
  show(host, all[next], { says: true });
}

/** After a live update: the same point is shown where it is now; one that has gone is shown no longer. */
function onRenewed() {
  for (const host of document.querySelectorAll("[data-readout]:has([data-added])")) {
    const point = points(host).find((one) => key(one) === places.get(host));
    if (point) show(host, point);
    else hide(host);
  }
}

document.addEventListener("pointermove", onPointer);
document.addEventListener("pointerdown", onPointer);
document.addEventListener("keydown", onKey);
document.addEventListener("renewed", onRenewed);
document.addEventListener("focusout", (event) => { if (event.target.matches?.("[data-readout]")) hide(event.target); });
