// Parts of the page, fetched again. A part that has not changed is not sent again (ETag, 304).

/** The session is over: the server sends to the sign-in page. */
export class SignedOut extends Error {}
/** The server answered that this is not there any more, or not for this person. */
export class Refused extends Error {}

const TIMEOUT_MS = 15_000;
const tags = new Map();

/** The part at `address` as a fragment; null if it is still the one that was fetched last. */
export async function fetchPart(address) {
  const key = String(address);
  // The page stays with its project, even if another tab has switched to another one.
  const { project } = document.querySelector("meta[name=live-worker]").dataset;
  const headers = { "X-Requested-With": "fetch", "X-Project-Id": project };
  if (tags.has(key)) headers["If-None-Match"] = tags.get(key);
  const answer = await fetch(address, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
  if (answer.status === 304) return null;
  if (answer.status === 403 || answer.status === 404) throw new Refused(answer.status);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text(); // our own rendering: everything foreign in it is escaped
  if (tags.size > 20) tags.clear();
  if (answer.headers.get("ETag")) tags.set(key, answer.headers.get("ETag"));
  return holder.content;
}
