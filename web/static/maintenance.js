// The maintenance form: the browser's time zone, the chosen monitors, and what the window means before it is saved.
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
      const answer = await fetch(this.place.dataset.summary, { method: "POST", body: new URLSearchParams(new FormData(form)) });
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

/** The chosen monitors, each a ticked box, and the search box that adds one. */
class Chooser {
  constructor(place) {
    this.place = place;
    this.box = place.querySelector("[data-search]");
    this.list = document.getElementById(this.box.getAttribute("list"));
    this.chips = place.querySelector(".chips");
    this.template = place.querySelector("template");
    this.wrong = place.querySelector(`[data-wrong="${this.box.name}"]`);
    this.said = place.querySelector("[data-said]");
    this.found = [];
    this.timer = 0;
    this.asked = 0;
    this.box.addEventListener("focus", () => this.find(), { once: true });
    this.box.addEventListener("input", (event) => this.typed(event));
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || this.box.value.trim() === "") return;
      event.preventDefault();
      this.add();
    });
    place.querySelector('button[name="add"]').addEventListener("click", (event) => {
      event.preventDefault();
      this.add();
    });
    this.chips.addEventListener("change", (event) => {
      if (!event.target.checked) this.remove(event.target);
    });
    this.chips.addEventListener("keydown", (event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      this.remove(event.target);
    });
  }

  typed(event) {
    clearTimeout(this.timer);
    this.complain("");
    // An entry of the list was chosen: that is no typing, and Firefox calls it a replacement.
    if (!event.inputType || event.inputType === "insertReplacementText") {
      const one = this.named();
      if (one) return this.choose(one);
    }
    this.timer = setTimeout(() => this.find(), PAUSE_MS);
  }

  named() {
    const text = this.box.value.trim();
    return this.found.find((one) => one.label === text);
  }

  async find() {
    const turn = ++this.asked;
    try {
      const answer = await fetch(`${this.box.dataset.search}?${new URLSearchParams({ q: this.box.value })}`);
      if (!answer.ok) return;
      const found = await answer.json();
      if (turn !== this.asked) return;
      this.found = found;
      this.list.replaceChildren(...found.map(({ label }) => Object.assign(document.createElement("option"), { value: label })));
    } catch {
      // The name can be typed in full and is looked up when the form is saved.
    }
  }

  async add() {
    clearTimeout(this.timer);
    if (this.box.value.trim() === "") return this.box.focus();
    if (!this.named()) await this.find();
    const one = this.named() ?? (this.found.length === 1 ? this.found[0] : undefined);
    if (one) this.choose(one);
    else this.complain("No monitor, or more than one, has this name. Choose one from the list.");
  }

  choose({ id, label }) {
    if (!this.chips.querySelector(`[value="${CSS.escape(id)}"]`)) {
      const chip = this.template.content.cloneNode(true);
      Object.assign(chip.querySelector("input"), { name: this.chips.dataset.name, value: id });
      chip.querySelector("bdi").textContent = label;
      this.chips.append(chip);
    }
    this.box.value = "";
    this.complain("");
    this.box.focus();
    this.say(`${label} is added.`);
    this.find();
  }

  remove(input) {
    const chip = input.closest(".chip");
    const near = chip.nextElementSibling ?? chip.previousElementSibling;
    const name = chip.textContent.trim();
    chip.remove();
    (near?.querySelector("input") ?? this.box).focus();
    this.say(`${name} is removed.`);
  }

  complain(words) {
    this.box.classList.toggle("is-invalid", words !== "");
    this.box.toggleAttribute("aria-invalid", words !== "");
    this.wrong.textContent = words;
  }

  say(words) {
    this.said.textContent = words;
    form.dispatchEvent(new Event("change"));
  }
}

if (form) {
  if ("fresh" in form.dataset) useOwnZone();
  new Chooser(form.querySelector("[data-monitors]"));
  new Summary(form.querySelector("[data-summary]"));
}
