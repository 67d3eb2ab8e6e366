// The chart's pointer: the nearest column's figures in a small box. Live updates bring a new chart, so nothing is kept.

function parts(plot) {
  let tip = plot.querySelector(".chart-tip");
  if (!tip) {
    for (const name of ["chart-cursor", "chart-dot", "chart-tip"]) {
      const element = document.createElement("div");
      element.className = name;
      plot.append(element);
    }
    tip = plot.querySelector(".chart-tip");
  }
  return [plot.querySelector(".chart-cursor"), plot.querySelector(".chart-dot"), tip];
}

function line(text, strong = false) {
  const element = document.createElement(strong ? "b" : "div");
  element.textContent = text;
  return element;
}

function show(slot, plot) {
  const [cursor, dot, tip] = parts(plot);
  const box = plot.getBoundingClientRect();
  const picture = plot.querySelector("svg").getBoundingClientRect();
  const column = slot.getBoundingClientRect();
  const x = column.left + column.width / 2 - box.left;
  const { y, at, typical, slow, counts } = slot.dataset;
  cursor.style.left = `${x}px`;
  dot.hidden = y === "";
  dot.style.left = `${x}px`;
  dot.style.top = `${(Number(y) / 240) * picture.height}px`;
  tip.replaceChildren(line(typical ?? "No time", true));
  if (slow) tip.append(line(`95 % under ${slow}`));
  if (counts) tip.append(line(counts));
  tip.append(line(at));
  const room = x + tip.offsetWidth + 14 < box.width;
  tip.style.left = `${room ? x + 12 : Math.max(0, x - tip.offsetWidth - 12)}px`;
}

function hide(plot) {
  for (const element of plot.querySelectorAll(".chart-cursor, .chart-dot, .chart-tip")) element.remove();
}

document.addEventListener("pointermove", (event) => {
  const slot = event.target.closest?.(".chart-slot");
  const plot = slot?.closest(".chart-plot");
  for (const other of document.querySelectorAll(".chart-plot:has(.chart-tip)")) if (other !== plot) hide(other);
  if (slot) show(slot, plot);
});
document.addEventListener("pointerleave", () => document.querySelectorAll(".chart-plot").forEach(hide));
