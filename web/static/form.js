// Live validation: what has been touched is judged while typing, by the server's own rules; and a heartbeat's deadline.
const PAUSE_MS = 350;
const form = document.querySelector("form[data-examine]");

function complaintOf(name) {
  return form.querySelector(`[data-wrong="${CSS.escape(name)}"]`);
}

function mark(name, message) {
  const place = complaintOf(name);
  if (!place) return;
  if (place.textContent.trim() !== message) place.textContent = message;
  for (const input of form.querySelectorAll(`[name="${CSS.escape(name)}"]:not([type=hidden])`)) {
    input.classList.toggle("is-invalid", message !== "");
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

class Examiner {
  constructor() {
    this.touched = new Set([...form.querySelectorAll("[data-wrong]")].filter((place) => place.textContent.trim()).map((place) => place.dataset.wrong));
    this.timer = 0;
    this.asked = 0;
    form.addEventListener("input", (event) => this.later(event.target));
    form.addEventListener("change", (event) => this.now(event.target));
  }

  later(input) {
    // A first word is not judged before it is finished; one that was wrong is judged at every letter.
    if (!this.touched.has(input.name) && input.matches("input:not([type=checkbox], [type=radio]), textarea")) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE_MS);
  }

  now(input) {
    if (!input.name) return;
    this.touched.add(input.name);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), 0);
  }

  async ask() {
    const turn = ++this.asked;
    let fields;
    try {
      const answer = await fetch(form.dataset.examine, { method: "POST", body: new FormData(form) });
      if (!answer.ok) return;
      ({ fields } = await answer.json());
    } catch {
      return; // the server checks again when the form is saved
    }
    if (turn !== this.asked) return;
    for (const name of this.touched) mark(name, fields[name] ?? "");
    const left = Object.keys(fields).length;
    form.querySelector("[data-verdict]").textContent = left === 0 ? "Ready to save." : "";
  }
}

// --- a heartbeat's deadline ---------------------------------------------------------------

function seconds(name) {
  const [amount, unit] = form.querySelectorAll(`[name="${CSS.escape(name)}"]`);
  return amount && amount.value !== "" ? Number(amount.value) * Number(unit.value) : NaN;
}

function value(name) {
  return form.querySelector(`[name="${CSS.escape(name)}"]`)?.value.trim() ?? "";
}

/** `12:00`, with the day where it is not today's. */
function clock(text) {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(undefined, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

class Deadline {
  constructor(place) {
    this.place = place;
    this.timer = 0;
    this.asked = "";
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.soon());
    this.show();
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(), PAUSE_MS);
  }

  question() {
    const byCron = form.querySelector("[name=scheduleKind][value=cron]").checked;
    const asked = new URLSearchParams({ grace: seconds("config.gracePeriodMinutes") || 0 });
    if (byCron) {
      asked.set("cron", value("config.cronExpression"));
      asked.set("zone", value("config.timezone"));
    } else asked.set("every", seconds("config.expectedIntervalMinutes"));
    return [byCron, asked.toString()];
  }

  async show() {
    const [byCron, asked] = this.question();
    if (asked === this.asked) return;
    this.asked = asked;
    let expected;
    try {
      const answer = await fetch(`${this.place.dataset.deadline}?${asked}`);
      if (!answer.ok) return;
      expected = await answer.json();
    } catch {
      return; // the deadline is only a hint
    }
    if (asked === this.asked) this.render(byCron, expected);
  }

  render(byCron, { now, deadlines }) {
    this.place.hidden = deadlines.length === 0;
    if (this.place.hidden) return;
    const times = deadlines.map(clock);
    this.place.querySelector("p").textContent = byCron
      ? `Next three deadlines, including the grace period: ${times.join("; ")}.`
      : `After a ping at ${clock(now)}, the next one is due by ${times[0]}.`;
  }
}

if (form) {
  form.noValidate = true; // the server's rules are asked instead, and a wrong input may lie in a folded part
  new Examiner();
  const place = form.querySelector("[data-deadline]");
  if (place) new Deadline(place);
  form.querySelector(".is-invalid")?.focus();
}
