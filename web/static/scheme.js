// Before the first paint: the colour scheme that this person pinned, if any. Loaded without `defer` on purpose.
try {
  const pinned = localStorage.getItem("scheme");
  if (pinned === "light" || pinned === "dark") document.documentElement.dataset.theme = pinned;
} catch {
  // Storage may be forbidden: then the system's scheme rules.
}
