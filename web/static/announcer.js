// Says changes of state to people who cannot see the page: one polite sentence, however many there are.
const WORDS = { up: "is up", down: "is down", error: "could not be checked", paused: "is paused", maintenance: "is in maintenance", pending: "is pending" };
const MOST = 3;
const GATHER_MS = 1500;
const box = document.querySelector("[data-announcer]");
let waiting = [];
let timer = null;

function speak() {
  const said = waiting.slice(0, MOST).map(({ name, status }) => `${name} ${WORDS[status] ?? status}.`);
  if (waiting.length > MOST) said.push(`${waiting.length - MOST} more changed.`);
  box.textContent = said.join(" ");
  waiting = [];
  timer = null;
}

/** Announce `changes` as the stream carries them: `{name, status}`. */
export function announce(changes) {
  waiting.push(...changes.map((change) => ({ ...change, name: change.name ?? "A monitor" })));
  if (waiting.length && timer === null) timer = setTimeout(speak, GATHER_MS);
}
