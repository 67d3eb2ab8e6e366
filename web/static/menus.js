// Menus that a `details` element opens: Escape, a click elsewhere and leaving with Tab close them, arrow keys walk.
const MENU = "details[data-closes]";

function items(menu) {
  return [...menu.querySelectorAll("a[href], button, input, select")].filter((item) => item.type !== "hidden" && !item.disabled && item.checkVisibility());
}

function closeOthers(target) {
  for (const menu of document.querySelectorAll(`${MENU}[open]`)) if (!menu.contains(target)) menu.open = false;
}

function walk(menu, key) {
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  const last = all.length - 1;
  const next = { ArrowDown: at >= last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, Home: 0, End: last }[key];
  all[next]?.focus();
}

function onKey(event) {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll(`${MENU}[open]`)) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  const menu = event.target.closest?.(MENU);
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  if (event.target.matches("input, select, textarea")) return; // there these keys move the caret or the choice
  const onSummary = event.target.matches("summary");
  if (!menu.open && !(onSummary && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  menu.open = true;
  walk(menu, event.key);
}

export function startMenus() {
  document.addEventListener("click", (event) => closeOthers(event.target));
  document.addEventListener("keydown", onKey);
  document.addEventListener("focusin", (event) => closeOthers(event.target));
}
