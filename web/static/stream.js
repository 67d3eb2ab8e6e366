// A page's events: by way of the browser's one stream (stream_worker.js), or of a stream of its own where the browser has
// no shared workers. A hidden page has neither.
const STILL_HERE_MS = 25_000;
const RETRY_MS = 30_000;

function shared(address, events, { onEvent, onOpen }, onBroken) {
  const worker = new SharedWorker(document.querySelector("meta[name=live-worker]").content);
  worker.onerror = onBroken;
  const { port } = worker;
  port.onmessage = ({ data }) => {
    if ("open" in data) onOpen(data.open);
    else onEvent(data.type, JSON.parse(data.data));
  };
  return {
    begin: (retry = false) => port.postMessage({ want: address, events, retry }),
    end: () => port.postMessage({ leave: true }),
  };
}

function own(address, events, { onEvent, onOpen }) {
  let source = null;
  let timer = null;
  const end = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const begin = (retry = false) => {
    if (source && !(retry && source.readyState === EventSource.CLOSED)) return;
    end();
    source = new EventSource(address);
    for (const type of events) source.addEventListener(type, (event) => onEvent(type, JSON.parse(event.data)));
    source.onopen = () => onOpen(true);
    source.onerror = () => {
      onOpen(false);
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(() => begin(true), RETRY_MS);
    };
  };
  return { begin, end };
}

/** The shared stream; the page's own if this browser has no shared workers, or theirs cannot be loaded. */
function opened(address, events, handlers) {
  let stream;
  const useOwn = () => {
    stream = own(address, events, handlers);
    if (!document.hidden) stream.begin();
  };
  try {
    stream = shared(address, events, handlers, useOwn);
  } catch {
    stream = own(address, events, handlers);
  }
  return { begin: (retry) => stream.begin(retry), end: () => stream.end() };
}

/** Listen to `address` while the page is visible. Returns a function that tries again now, if the stream was refused. */
export function listen(address, events, handlers) {
  const stream = opened(address, events, handlers);
  const follow = () => (document.hidden ? stream.end() : stream.begin());
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => stream.end());
  addEventListener("pageshow", follow);
  setInterval(() => { if (!document.hidden) stream.begin(); }, STILL_HERE_MS);
  follow();
  return () => { if (!document.hidden) stream.begin(true); };
}
