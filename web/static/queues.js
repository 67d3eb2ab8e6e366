// The queues, as the server streams them every two seconds.
const section = document.querySelector("[data-queues]");

function cell(text, label = "") {
  const element = document.createElement("td");
  element.textContent = text;
  if (label) {
    element.className = "number";
    element.dataset.label = label;
  }
  return element;
}

function waited(seconds) {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function show(queues) {
  const rows = queues.map(({ queue, depth, delayed, dead, consumers, lagSeconds }) => {
    const row = document.createElement("tr");
    row.append(
      cell(queue),
      cell(depth, "Waiting"),
      cell(depth ? waited(lagSeconds) : "–", "Lag"),
      cell(delayed, "Delayed"),
      cell(dead, "Dead"),
      cell(consumers, "Consumers"),
    );
    row.firstChild.classList.add("mono");
    return row;
  });
  section.querySelector("tbody").replaceChildren(...rows);
  section.hidden = rows.length === 0;
}

function announce(live) {
  for (const dot of document.querySelectorAll("[data-live-state]")) {
    dot.dataset.live = live ? "stream" : "off";
    dot.textContent = live ? "Live" : "Live updates off";
  }
}

function listen() {
  const source = new EventSource(section.dataset.queues);
  source.onopen = () => announce(true);
  source.addEventListener("queues", (event) => show(JSON.parse(event.data)));
  source.onerror = () => {
    announce(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 10_000);
  };
}

if (section) listen();
