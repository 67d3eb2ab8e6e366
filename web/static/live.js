// Live updates: what changed is fetched again as the same partial that painted it first, and morphed into the page.
//
//   <… data-live="stream address" data-renews="partial address">    no stream address: only at intervals
//   data-renews-on="change"     a monitor's state changed            data-renews-on="round"  a new round of data-monitor
//   data-every="milliseconds"   at least so often (30 s), as long as the page is visible
//   [data-unsettled] in it      something there is in progress: fetched again soon
import { announce } from "./announcer.js";
import { enhance } from "./base.js";
import { arrivesBy, failed, heldBack, isFailing, succeeded } from "./connection.js";
import { morph } from "./morph.js";
import { fetchPart } from "./parts.js";
import { listen } from "./stream.js";
import { renewTimes } from "./times.js";

const DEBOUNCE_MS = 400;
const AT_MOST_EVERY_MS = 5000;
const SPREAD_MS = 1000;
const UNSETTLED_MS = 3000;
const POLL_MS = 10_000;
const EVERY_MS = 30_000;

/** Show the counts that came with an event, wherever the page has them. */
export function showCounts(counts) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  for (const element of document.querySelectorAll("[data-count]")) {
    const count = element.dataset.count === "total" ? total : counts[element.dataset.count] ?? 0;
    element.textContent = String(count);
    element.closest(".tile")?.classList.toggle("is-zero", count === 0);
  }
}

/** Why content should not change under the reader now; null if it may. */
function reasonToWait(element) {
  if (element.querySelector("details.menu[open], dialog[open]")) return "Updates paused: a menu is open";
  const selection = getSelection();
  const selects = selection && !selection.isCollapsed && selection.rangeCount && selection.getRangeAt(0).intersectsNode(element);
  return selects ? "Updates paused: text is selected" : null;
}

/** One element that is kept current. What it fetches and how it applies it is the subclass's. */
export class Live {
  constructor(element) {
    this.element = element;
    this.every = Number(element.dataset.every ?? EVERY_MS);
    this.timer = null;
    this.last = Date.now();
    this.streams = false;
    this.pending = null;
  }

  start() {
    const address = this.element.dataset.live;
    if (address) {
      arrivesBy("poll");
      this.retryStream = listen(address, ["live"], { onEvent: (_, data) => this.onEvent(data), onOpen: (open) => this.onOpen(open) });
    } else arrivesBy("stream");
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(DEBOUNCE_MS); });
    document.addEventListener("selectionchange", () => this.apply());
    setInterval(() => this.tick(), 1000);
  }

  onOpen(open) {
    const before = this.streams;
    this.streams = open;
    arrivesBy(open ? "stream" : "poll");
    // What happened while there was no stream, or whether the server is there at all. Not every browser at the same time.
    if (before !== open) this.soon(DEBOUNCE_MS + Math.random() * SPREAD_MS);
  }

  onEvent({ checked, changed, counts }) {
    const own = this.element.dataset.monitor;
    if (counts) showCounts(counts);
    announce(own ? changed.filter((change) => change.monitorId === own) : changed);
    if (this.concerns(checked, changed)) this.soon();
  }

  concerns(checked, changed) {
    return this.element.dataset.renewsOn === "round" ? checked.includes(this.element.dataset.monitor) : changed.length > 0;
  }

  tick() {
    this.apply();
    const alone = this.element.dataset.live && !this.streams;
    const unsettled = this.element.querySelector("[data-unsettled]") !== null;
    const every = unsettled ? UNSETTLED_MS : alone || isFailing() ? Math.min(POLL_MS, this.every) : this.every;
    if (Date.now() - this.last >= every) this.soon();
  }

  soon(wait = Math.max(DEBOUNCE_MS, this.last + Math.min(AT_MOST_EVERY_MS, this.every) - Date.now())) {
    if (this.timer !== null || document.hidden) return;
    this.timer = setTimeout(() => this.renew(), wait);
  }

  async renew() {
    this.last = Date.now();
    try {
      await this.fetch();
      if (isFailing() && !this.streams) this.retryStream?.();
      succeeded();
      this.apply();
    } catch (error) {
      failed(error);
    } finally {
      this.timer = null;
    }
  }

  async fetch() {
    this.pending = (await fetchPart(this.element.dataset.renews)) ?? this.pending;
  }

  /** Show what was fetched, as soon as it does not disturb the reader. */
  apply() {
    if (this.pending === null) return;
    const reason = reasonToWait(this.element);
    heldBack(reason);
    if (reason) return;
    const part = this.pending;
    this.pending = null;
    this.show(part);
    this.renewed();
  }

  show(part) {
    morph(this.element, part);
  }

  renewed() {
    arrivesBy(this.streams || !this.element.dataset.live ? "stream" : "poll");
    renewTimes(this.element);
    enhance(this.element);
    this.element.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
  }
}

for (const element of document.querySelectorAll("[data-live][data-renews]")) new Live(element).start();
