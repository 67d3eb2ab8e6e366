// What every page can do: scheme toggle, copy buttons, relative times, menus, confirmations.
import { startMenus } from "./menus.js";
import { startTimes } from "./times.js";

const SCHEMES = ["system", "light", "dark"];

function currentScheme() {
  return document.documentElement.dataset.theme ?? "system";
}

function showScheme() {
  const word = currentScheme();
  for (const label of document.querySelectorAll("[data-scheme-word]")) label.textContent = word[0].toUpperCase() + word.slice(1);
  for (const button of document.querySelectorAll("[data-scheme-toggle]")) {
    button.hidden = false;
    button.setAttribute("aria-label", `Colour scheme: ${word}. Change it`);
  }
}

function turnScheme() {
  const next = SCHEMES[(SCHEMES.indexOf(currentScheme()) + 1) % SCHEMES.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("scheme", next);
  } catch {
    // Not remembered, but it holds for this page.
  }
  showScheme();
}

async function copy(button) {
  const label = button.querySelector("span");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Copy failed, select the text";
  }
  setTimeout(() => { label.textContent = before; }, 1600);
}

function onClick(event) {
  const target = event.target.closest("[data-scheme-toggle], [data-copy], [data-opens], [data-cancels]");
  if (!target) return;
  if (target.matches("[data-scheme-toggle]")) turnScheme();
  else if (target.matches("[data-copy]")) copy(target);
  else if (target.matches("[data-cancels]")) target.closest("dialog").close();
  else {
    event.preventDefault();
    target.closest("details")?.removeAttribute("open");
    document.getElementById(target.dataset.opens).showModal();
  }
}

/** Show what only works with a script: buttons that copy. Runs again after a live update. */
export function enhance(root = document) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", onClick);
startMenus();
showScheme();
enhance();
startTimes();

// --- a form is sent once ------------------------------------------------------------------

function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  // After the browser has put together what is sent: a disabled button would not be part of it.
  setTimeout(() => {
    for (const button of form.elements) if (button.matches("button:not([type=button])")) button.disabled = true;
  });
}

/** A page that comes back from the browser's history can send its forms again. */
function onPageShow() {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.elements) if (button.matches("button:not([type=button])")) button.disabled = false;
  }
}

document.addEventListener("submit", onSubmit);
addEventListener("pageshow", onPageShow);
