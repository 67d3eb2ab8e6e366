// Live updates: one stream a page; whatever changed is fetched again as the same partial that painted it first.
//
//   <… data-live="stream address" data-renews="partial address">         the element's content is renewed
//   <… data-live="stream address" data-renews-rows="partial address">    its [data-monitor] children are, one by one
//   <… data-only-trouble>       good news of what was good already renews nothing; now and then it is renewed all the same
//   <… data-seldom="milliseconds">    renewed at most so often by events
//   [data-unsettled] in it      something there is under way: looked at again soon
import { enhance } from "./base.js";
import { renewTimes } from "./times.js";

const DEBOUNCE_MS = 400;
const AT_MOST_EVERY_MS = 1500;
const POLL_MS = 10_000;
const RETRY_STREAM_MS = 60_000;
const UNSETTLED_MS = 3000;
const SELDOM_MS = 30_000;

function announce(kind) {
  const words = { stream: "Live", poll: "Every 10 s", off: "Live updates off" };
  for (const dot of document.querySelectorAll("[data-live-state]")) {
    dot.dataset.live = kind;
    dot.textContent = words[kind];
  }
}

async function fetchPart(address) {
  const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text(); // our own rendering: everything foreign in it is escaped
  return holder.content;
}

class Live {
  constructor(element) {
    this.element = element;
    this.touched = new Set();
    this.timer = null;
    this.last = 0;
    this.apart = Number(element.dataset.seldom ?? AT_MOST_EVERY_MS);
    this.kind = "off";
  }

  start() {
    this.listen();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(); });
    setInterval(() => { if (this.kind === "poll") this.soon(); }, POLL_MS);
    if ("onlyTrouble" in this.element.dataset) setInterval(() => this.soon(), SELDOM_MS);
    this.watchUnsettled();
  }

  /** Whether an event can have changed what is shown. */
  concerns(data) {
    return !("onlyTrouble" in this.element.dataset) || data?.status !== "up" || data?.previousStatus !== "up";
  }

  watchUnsettled() {
    if (this.element.querySelector("[data-unsettled]")) setTimeout(() => this.soon(), UNSETTLED_MS);
  }

  listen() {
    const source = new EventSource(this.element.dataset.live);
    source.onopen = () => this.become("stream");
    source.addEventListener(this.element.dataset.event ?? "status", (event) => {
      const data = JSON.parse(event.data);
      if (data && data.monitorId) this.touched.add(data.monitorId);
      if (this.concerns(data)) this.soon();
    });
    source.onerror = () => {
      this.become("poll");
      // A refused stream (503: all are taken) stays closed; a broken one reconnects by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.listen(), RETRY_STREAM_MS);
    };
  }

  become(kind) {
    this.kind = kind;
    announce(kind);
  }

  soon() {
    if (this.timer !== null || document.hidden) return;
    const wait = Math.max(DEBOUNCE_MS, this.last + this.apart - Date.now());
    this.timer = setTimeout(() => this.renew(), wait);
  }

  async renew() {
    this.last = Date.now();
    try {
      if (this.element.dataset.renews) await this.renewWhole();
      else await this.renewRows();
      announce(this.kind);
      renewTimes(this.element);
      enhance(this.element);
      this.element.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
    } catch {
      this.become("poll");
    } finally {
      this.timer = null;
      this.watchUnsettled();
    }
  }

  /** Someone who types or has a menu open in there is not disturbed. */
  busy() {
    return this.element.querySelector("details.menu[open], dialog[open], input:focus, select:focus, textarea:focus") !== null;
  }

  async renewWhole() {
    if (this.busy()) return;
    this.touched.clear();
    const focused = document.activeElement?.id;
    const part = await fetchPart(this.element.dataset.renews);
    if (this.busy()) return;
    // What somebody has unfolded to read stays unfolded.
    for (const unfolded of this.element.querySelectorAll("details[id][open]")) part.getElementById(unfolded.id)?.setAttribute("open", "");
    this.element.replaceChildren(part);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  async renewRows() {
    const shown = [...this.element.querySelectorAll("[data-monitor]")].map((row) => row.dataset.monitor);
    const wanted = this.kind === "poll" ? shown : shown.filter((id) => this.touched.has(id));
    this.touched.clear();
    if (wanted.length === 0) return;
    const address = new URL(this.element.dataset.renewsRows, location.href);
    address.searchParams.set("ids", wanted.join(","));
    const part = await fetchPart(address);
    for (const fresh of [...part.querySelectorAll("[data-monitor]")]) {
      const old = this.element.querySelector(`[data-monitor="${CSS.escape(fresh.dataset.monitor)}"]`);
      if (!old || old.contains(document.activeElement)) continue;
      const box = old.querySelector("input[type=checkbox]");
      if (box?.checked) fresh.querySelector("input[type=checkbox]").checked = true;
      if (old.dataset.status !== fresh.dataset.status) fresh.classList.add("fresh");
      old.replaceWith(fresh);
    }
  }
}

for (const element of document.querySelectorAll("[data-live][data-renews], [data-live][data-renews-rows]")) new Live(element).start();
