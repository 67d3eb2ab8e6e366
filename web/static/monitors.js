// Choosing many monitors: the bar wakes up with the first, and says how many there are.
const form = document.querySelector("[data-bulk]");
const bar = form?.querySelector("[data-bulk-bar]");

if (bar) {
  const all = bar.querySelector("[data-bulk-all]");
  const count = bar.querySelector("[data-bulk-count]");
  const boxes = () => [...form.querySelectorAll("input[name=ids]")];

  const show = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    count.textContent = chosen ? `${chosen} chosen` : "Choose all";
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && chosen < boxes().length;
    bar.toggleAttribute("data-bulk-idle", chosen === 0);
  };

  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", (event) => { if (event.target.name === "ids") show(); });
  // The browser restores ticked boxes after this script has run, when the reader comes back to the list.
  addEventListener("pageshow", show);
  addEventListener("renewed", show);
  show();
}
