// Select monitors: the bar of actions is active when one is selected, and shows how many are.
const form = document.querySelector("[data-bulk]");
const bar = form?.querySelector("[data-bulk-bar]");

if (bar) {
  const all = bar.querySelector("[data-bulk-all]");
  const count = bar.querySelector("[data-bulk-count]");
  const boxes = () => [...form.querySelectorAll("input[name=ids]")];

  const show = () => {
    const selected = boxes().filter((box) => box.checked).length;
    count.textContent = selected ? `${selected} selected` : "Select all on this page";
    all.checked = selected > 0 && selected === boxes().length;
    all.indeterminate = selected > 0 && selected < boxes().length;
    bar.toggleAttribute("data-bulk-idle", selected === 0);
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
