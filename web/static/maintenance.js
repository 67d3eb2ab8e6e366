// The maintenance form: the browser's time zone, a search for monitors, and what the window means before it is saved.
const PAUSE_MS = 300;
const form = document.querySelector("form[data-maintenance]");

function input(name) {
  return form.querySelector(`[name="${name}"]`);
}

/** `2030-01-31T22:00`: the next full hour on the clocks of this browser. */
function nextFullHour() {
  const at = new Date();
  at.setHours(at.getHours() + 1, 0, 0, 0);
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:00`;
}

/** A new window begins on the clocks that the person reads. */
function useOwnZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!document.querySelector(`#zones option[value="${CSS.escape(zone)}"]`)) return;
  input("timezone").value = zone;
  input("startsAt").value = nextFullHour();
}

class Summary {
  constructor(place) {
    this.place = place;
    this.timer = 0;
    this.asked = 0;
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.soon());
    this.show();
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(), PAUSE_MS);
  }

  async show() {
    const turn = ++this.asked;
    try {
      const answer = await fetch(this.place.dataset.summary, { method: "POST", body: new FormData(form) });
      if (!answer.ok) return;
      const { summary } = await answer.json();
      if (turn !== this.asked) return;
      this.place.hidden = summary === "";
      this.place.querySelector("span").textContent = summary;
    } catch {
      // The server checks again when the form is saved.
    }
  }
}

class Search {
  constructor(box) {
    this.box = box;
    this.list = document.getElementById(box.getAttribute("list"));
    this.timer = 0;
    this.asked = 0;
    box.addEventListener("focus", () => this.find(), { once: true });
    box.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.find(), PAUSE_MS);
    });
  }

  async find() {
    const turn = ++this.asked;
    try {
      const answer = await fetch(`${this.box.dataset.search}?${new URLSearchParams({ q: this.box.value })}`);
      if (!answer.ok) return;
      const labels = await answer.json();
      if (turn !== this.asked) return;
      this.list.replaceChildren(...labels.map((label) => Object.assign(document.createElement("option"), { value: label })));
    } catch {
      // The name can be typed in full.
    }
  }
}

if (form) {
  if ("fresh" in form.dataset) useOwnZone();
  new Search(input("monitorId"));
  new Summary(form.querySelector("[data-summary]"));
}
