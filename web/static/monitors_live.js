// The list of monitors: its lines are renewed one by one, and the set of them as a whole. Lines do not move under a reader:
// a list that has changed is offered, and shown by itself only if the reader has not touched the page for a while.
import { arrivesBy, failed, succeeded } from "./connection.js";
import { Live } from "./live.js";
import { morph, morphElement } from "./morph.js";
import { fetchPart } from "./parts.js";

const ROWS_AT_MOST_EVERY_MS = 2000;
const UNTOUCHED_MS = 60_000;
const offer = document.querySelector("[data-set-changes]");
const head = document.querySelector("[data-set-head]");
let touchedAt = Date.now();

/** How many monitors came, went or stand elsewhere now. */
function differences(shown, members) {
  const came = members.filter((id) => !shown.includes(id));
  const went = shown.filter((id) => !members.includes(id));
  if (came.length + went.length) return came.length + went.length;
  return members.filter((id, place) => id !== shown[place]).length;
}

class LiveList extends Live {
  constructor(element) {
    super(element);
    this.stale = new Set();
    this.rowsAt = 0;
    offer.querySelector("button").addEventListener("click", () => this.showList());
    for (const type of ["pointerdown", "pointermove", "keydown", "scroll"]) addEventListener(type, () => { touchedAt = Date.now(); }, { passive: true });
  }

  rows() {
    return [...this.element.querySelectorAll("[data-monitor]")];
  }

  onEvent(data) {
    for (const id of data.checked) this.stale.add(id);
    super.onEvent(data);
  }

  onOpen(open) {
    // Without a stream, or after one was missing, every line may be old.
    for (const row of this.rows()) this.stale.add(row.dataset.monitor);
    super.onOpen(open);
  }

  tick() {
    super.tick();
    if (!document.hidden && this.stale.size && Date.now() - this.rowsAt >= ROWS_AT_MOST_EVERY_MS) this.renewRows();
  }

  async renewRows() {
    this.rowsAt = Date.now();
    const ids = this.rows().map((row) => row.dataset.monitor).filter((id) => this.stale.has(id));
    this.stale.clear();
    if (ids.length === 0) return;
    const address = new URL(this.element.dataset.rowsAddress, location.href);
    address.searchParams.set("ids", ids.join(","));
    try {
      const part = await fetchPart(address);
      succeeded();
      for (const fresh of part?.querySelectorAll("[data-monitor]") ?? []) {
        const row = document.getElementById(fresh.id);
        if (!row) continue;
        const changed = row.dataset.status !== fresh.dataset.status;
        morphElement(row, fresh);
        if (changed) row.classList.add("fresh");
      }
      this.renewed();
    } catch (error) {
      failed(error);
    }
  }

  /** Which monitors the list has now, and the head's counts. */
  async fetch() {
    if (!this.streams) for (const row of this.rows()) this.stale.add(row.dataset.monitor);
    const part = await fetchPart(this.element.dataset.members);
    if (part === null) return;
    this.members = part.querySelector("[data-set]").dataset.set.split(",").filter(Boolean);
    morph(head, part);
    await this.compare();
  }

  async compare() {
    const count = differences(this.rows().map((row) => row.dataset.monitor), this.members);
    offer.hidden = count === 0;
    const text = `${count} ${count === 1 ? "change" : "changes"} in this list.`;
    if (count && offer.firstElementChild.textContent !== text) offer.firstElementChild.textContent = text;
    const untouched = Date.now() - touchedAt > UNTOUCHED_MS && !this.element.querySelector("input:checked");
    if (count && (untouched || this.rows().length === 0)) await this.fetchList();
  }

  async fetchList() {
    this.pending = (await fetchPart(this.element.dataset.monitors)) ?? this.pending;
  }

  async showList() {
    try {
      await this.fetchList();
      succeeded();
      if (this.pending) this.show(this.pending);
      this.pending = null;
      this.renewed();
    } catch (error) {
      failed(error);
    }
  }

  show(part) {
    const focused = offer.contains(document.activeElement);
    morph(this.element, part);
    offer.hidden = true;
    if (focused) (this.element.querySelector("a[href]") ?? document.getElementById("main")).focus();
  }
}

for (const element of document.querySelectorAll("[data-live][data-members]")) {
  arrivesBy("poll");
  new LiveList(element).start();
}
