// A form that was changed and not sent: the browser asks before the page is left.
const form = document.querySelector("form[data-leaving]");

/** Everything that would be sent, as one text. */
function contents() {
  return JSON.stringify([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}

if (form) {
  const untouched = contents();
  let sent = false;
  const dirty = () => "dirty" in form.dataset || contents() !== untouched;
  form.addEventListener("submit", () => { sent = true; });
  // Back from the next page with what was typed still there: it counts again.
  addEventListener("pageshow", () => { sent = false; });
  addEventListener("beforeunload", (event) => {
    if (!sent && dirty()) event.preventDefault();
  });
  // "Cancel" says that the changes may go.
  form.querySelector("[data-cancel]")?.addEventListener("click", () => { sent = true; });
}
