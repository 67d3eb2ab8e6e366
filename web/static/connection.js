// How current the page is: a small label, and a notice when the page is out of date.
import { Refused, SignedOut } from "./parts.js";
import { clock } from "./times.js";

const LABELS = { stream: "Live", off: "No connection" };
const notice = document.querySelector("[data-connection]");
let kind = "off";
let failingSince = null;
let streamed = false;
let shownAt = Date.now();

function label(word, text) {
  for (const dot of document.querySelectorAll("[data-live-state]")) {
    dot.dataset.live = word;
    if (dot.textContent !== text) dot.textContent = text;
  }
}

/** The label for `kind`: a page without a stream says when it was refreshed last. */
function labelText() {
  if (kind !== "poll") return LABELS[kind];
  const at = new Date(shownAt).toLocaleTimeString("en-GB", { hourCycle: "h23" });
  return `${streamed ? "Reconnecting" : "Connecting"}, refreshed ${at}`;
}

function link(text, address) {
  const element = document.createElement("a");
  element.href = address;
  element.textContent = text;
  return element;
}

function show(...parts) {
  const text = notice.querySelector("p");
  const said = parts.map((part) => part.textContent ?? part).join("");
  // Screen readers read a change: the same sentence is said once.
  if (text.textContent !== said) text.replaceChildren(...parts);
  notice.hidden = false;
  document.documentElement.dataset.stale = "";
}

/** How updates arrive now: `stream` or `poll`. */
export function arrivesBy(word) {
  kind = word;
  streamed ||= word === "stream";
  if (failingSince === null) label(kind, labelText());
}

/** Updates are held back, and why; null ends it. */
export function heldBack(reason) {
  if (failingSince === null) label(reason ? "off" : kind, reason ?? labelText());
}

/** What is shown is the state of now. */
export function succeeded() {
  shownAt = Date.now();
  failingSince = null;
  notice.hidden = true;
  delete document.documentElement.dataset.stale;
  label(kind, labelText());
}

/** An update failed: say since when, and of what time the shown state is. */
export function failed(error) {
  failingSince ??= Date.now();
  if (error instanceof SignedOut) {
    label("off", "Signed out");
    const back = encodeURIComponent(location.pathname + location.search);
    show(`Signed out. Shown: state of ${clock(shownAt)}. `, link("Sign in again", `/login?next=${back}`));
  } else if (error instanceof Refused) {
    label("off", "No updates");
    show(`This is no longer available. Shown: state of ${clock(shownAt)}. `, link("Reload the page", location.href));
  } else {
    label("off", LABELS.off);
    show(`No connection since ${clock(failingSince)}. Shown: state of ${clock(shownAt)}.`);
  }
}

/** Whether the newest update failed. */
export function isFailing() {
  return failingSince !== null;
}
