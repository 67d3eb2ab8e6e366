// A shared worker: one event stream for all tabs of this browser. Browsers open six connections to a server at most
// (HTTP/1.1); with a stream in each tab the seventh tab would never load.
//
// A page sends   {want: address, events: [type…], retry: boolean}   while it is visible, again and again
//                {leave: true}                                       when it is hidden or closed
// and receives   {open: boolean}   and   {type, data}                for each event of its stream
const FORGET_MS = 70_000;
const RETRY_MS = 30_000;
const streams = new Map();
const pages = new Map();

function tell(stream, message) {
  for (const [port, page] of pages) if (page.address === stream.address) port.postMessage(message);
}

function connect(stream) {
  clearTimeout(stream.timer);
  stream.source?.close();
  const source = new EventSource(stream.address);
  stream.source = source;
  for (const type of stream.events) source.addEventListener(type, (event) => tell(stream, { type, data: event.data }));
  source.onopen = () => {
    stream.open = true;
    tell(stream, { open: true });
  };
  source.onerror = () => {
    stream.open = false;
    tell(stream, { open: false });
    // A refused stream stays closed; a broken one reconnects by itself.
    if (source.readyState === EventSource.CLOSED) stream.timer = setTimeout(() => connect(stream), RETRY_MS);
  };
}

function want(port, { want: address, events, retry }) {
  const known = pages.get(port)?.address === address;
  pages.set(port, { address, at: Date.now() });
  let stream = streams.get(address);
  if (!stream) {
    stream = { address, events, open: false };
    streams.set(address, stream);
    connect(stream);
  } else if (retry && stream.source.readyState === EventSource.CLOSED) connect(stream);
  if (!known && stream.open) port.postMessage({ open: true });
}

/** Close the streams that no page wants. A tab that crashed says nothing: it is forgotten after a while. */
function prune() {
  const oldest = Date.now() - FORGET_MS;
  for (const [port, page] of pages) if (page.at < oldest) pages.delete(port);
  const wanted = new Set([...pages.values()].map((page) => page.address));
  for (const [address, stream] of streams) {
    if (wanted.has(address)) continue;
    clearTimeout(stream.timer);
    stream.source.close();
    streams.delete(address);
  }
}

self.addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.leave) pages.delete(port);
    else want(port, data);
    prune();
  };
});
setInterval(prune, FORGET_MS / 3);
