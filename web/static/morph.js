// Make an element's content equal to newly fetched content by changing only what differs: the nodes stay, and with them
// keyboard focus, scroll positions, unfolded details and what is being typed. Elements with an `id` are matched by it.

function focusables(root) {
  return [...root.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")];
}

function defaultIndex(select) {
  const chosen = [...select.options].findLastIndex((option) => option.defaultSelected);
  return Math.max(0, chosen);
}

function isChanged(field) {
  if (field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return field.selectedIndex !== defaultIndex(field);
  return field.validity?.badInput || (field.defaultValue !== undefined && field.value !== field.defaultValue);
}

/** Return whether the reader is filling in this form. It is not replaced then. */
function isEdited(form) {
  return form.tagName === "FORM" && (form.querySelector("input:focus, select:focus, textarea:focus") !== null || [...form.elements].some(isChanged));
}

function isAdded(node) {
  return node.nodeType === Node.ELEMENT_NODE && "added" in node.dataset;
}

/** Attributes that belong to the reader: what is unfolded, and what a script has shown. */
function isKept(element, name) {
  return (name === "open" && (element.tagName === "DETAILS" || element.tagName === "DIALOG")) || (name === "hidden" && "copy" in element.dataset);
}

function morphAttributes(old, wanted) {
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name) && !isKept(old, name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (old.getAttribute(name) !== value && !isKept(old, name)) old.setAttribute(name, value);
}

function morphNode(old, wanted) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  if (old.isEqualNode(wanted) || isEdited(old)) return;
  morphAttributes(old, wanted);
  morphChildren(old, wanted);
}

/** Bring `node` before `before`. An element that moves loses the focus: if it has it, the others move instead. */
function place(node, before) {
  const parent = node.parentNode;
  if (!node.contains(document.activeElement)) {
    parent.insertBefore(node, before);
    return;
  }
  const after = node.nextSibling;
  while (before !== node) {
    const next = before.nextSibling;
    parent.insertBefore(before, after);
    before = next;
  }
}

function nextAlike(node, wanted) {
  while (node && (node.nodeName !== wanted.nodeName || node.id || isAdded(node))) node = node.nextSibling;
  return node;
}

function morphChildren(old, fresh) {
  const ids = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
  for (const child of [...old.children]) if (child.id && !ids.has(child.id) && !isAdded(child)) child.remove();
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    while (at && isAdded(at)) at = at.nextSibling;
    const found = wanted.id ? known.get(wanted.id) : nextAlike(at, wanted);
    if (found?.nodeName !== wanted.nodeName) {
      old.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    if (found !== at) place(found, at);
    morphNode(found, wanted);
    at = found.nextSibling;
  }
  while (at) {
    const next = at.nextSibling;
    if (!isAdded(at)) at.remove();
    at = next;
  }
}

/** Make `root`'s children those of `fresh`. If the focused element is no longer there, what took its place gets the focus. */
export function morph(root, fresh) {
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const place = active ? focusables(root).indexOf(active) : -1;
  morphChildren(root, fresh);
  if (!active || active.isConnected) return;
  const left = focusables(root);
  (left[Math.min(place, left.length - 1)] ?? document.getElementById("main"))?.focus({ preventScroll: true });
}

/** The same for one element and its successor. */
export function morphElement(old, wanted) {
  morphNode(old, wanted);
}
