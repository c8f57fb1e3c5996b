// News come by themselves: what colleagues and the system did, who else is looking. By a stream of events, and where
// there is none by asking every ten seconds. A part that somebody is using is not replaced under their hands.
import { again, carry, halfTyped, typing } from "./keep.js";

const ASK_MS = 10000;
const REFRESH_MS = 5000;
const HIDDEN_MS = 20000;
const bar = document.getElementById("news");
const seen = new Set();
const me = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
let marks = "";
let stream = null;
let asking = 0;
let quietUntil = 0;

const page = () => document.getElementById("page");
const query = () => {
  const asked = new URLSearchParams({ window: me });
  const { subject, shop } = page()?.dataset ?? {};
  if (subject) { asked.set("at", subject); asked.set("shop", shop); }
  if (marks) asked.set("marks", marks);
  else asked.set("age", String(Math.round(performance.now() - (performance.getEntriesByType("navigation")[0]?.responseStart ?? 0))));
  return asked;
};

// --- what changed, and which parts it is about ------------------------------------------------------------------------
const parts = () => [...document.querySelectorAll("[data-live]")];
const wants = (part, change) => {
  if (part.dataset.subject) return part.dataset.subject === change.subject && part.dataset.shop === String(change.shop);
  const kinds = (part.dataset.live || "*").split(" ");
  return kinds.includes("*") || kinds.includes(change.kind);
};
const touched = new WeakSet();
document.addEventListener("click", (event) => { const fold = event.target.closest?.("summary")?.parentNode; if (fold) touched.add(fold); });
const busy = (part) => {
  const active = document.activeElement;
  if (halfTyped() || document.querySelector("dialog[open]")) return true;
  if (part.contains(active) && active !== part && typing(active)) return true;
  if ([...part.querySelectorAll("details[open]")].some((fold) => touched.has(fold))) return true;
  if (part.querySelector("input[type=checkbox][form]:checked")) return true;
  return Boolean(String(getSelection() ?? "")) && part.contains(getSelection().anchorNode);
};

const renew = async (part) => {
  const id = part.id;
  delete part.dataset.stale;
  part.dataset.renewed = String(performance.now());
  const restore = carry(part);
  let answer;
  try {
    answer = await fetch(part.getAttribute("hx-get") || part.dataset.url || location.href, { headers: { "X-Part": "1", ...(part.hasAttribute("hx-get") && { "HX-Request": "true" }) }, cache: "no-store" });
  } catch { part.dataset.stale = "1"; return; }
  if (answer.status === 401) { leave(true); return; }
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  const current = document.getElementById(id);
  if (!fresh || !current) return;
  fresh.dataset.renewed = String(performance.now());
  current.replaceWith(fresh);
  window.htmx?.process(fresh);
  restore(fresh);
  document.dispatchEvent(new CustomEvent("renewed", { detail: fresh }));
};
const settle = () => {
  if (document.hidden) return;
  let waiting = false;
  for (const part of parts().filter((each) => each.dataset.stale)) {
    if (busy(part)) { waiting = true; continue; }
    if (performance.now() - Number(part.dataset.renewed ?? 0) < REFRESH_MS) continue;
    renew(part);
  }
  show(waiting);
};
setInterval(settle, 1000);

// --- what is said about it --------------------------------------------------------------------------------------------
let text = "";
let out = false;
const newest = bar?.querySelector("[data-newest]");
const signIn = bar?.querySelector("[data-sign-in]");
const show = (waiting) => {
  if (!bar) return;
  const words = bar.querySelector("[data-text]");
  const said = out ? bar.dataset.out : text || (waiting ? bar.dataset.changed : "");
  if (words.textContent !== said) words.textContent = said;
  newest.hidden = out || !waiting;
  signIn.hidden = !out;
  bar.hidden = !said;
  if (!waiting && performance.now() > quietUntil) text = "";
};
newest?.addEventListener("click", () => { for (const part of parts().filter((each) => each.dataset.stale)) renew(part); text = ""; show(false); });
signIn?.addEventListener("click", () => again().then((well) => { if (well) { leave(false); open(); } }));
// A session that ended is said, not thrown at somebody who types; sending the form asks for the password.
const leave = (gone) => { out = gone; show(false); };

const hear = (news) => {
  const fresh = news.filter((each) => !seen.has(each.key));
  for (const each of fresh) seen.add(each.key);
  for (const part of parts()) {
    const about = fresh.filter((each) => wants(part, each));
    if (about.length) part.dataset.stale = "1";
    const by = about.filter((each) => part.dataset.subject && each.by && !each.mine).at(-1);
    if (by) {
      text = (by.what ? bar.dataset.did : bar.dataset.someone).replace("{who}", by.by).replace("{at}", by.at).replace("{what}", by.what);
      quietUntil = performance.now() + 12000;
    }
  }
  document.dispatchEvent(new CustomEvent("news", { detail: fresh }));
  settle();
};

const meet = (viewers) => {
  const place = document.getElementById("viewers");
  if (!place) return;
  place.replaceChildren(...viewers.map(({ name, since }) => {
    const mark = document.createElement("span");
    mark.className = "viewer";
    mark.textContent = name;
    mark.title = place.dataset.since.replace("{who}", name).replace("{at}", since);
    return mark;
  }));
  place.hidden = !viewers.length;
};

// --- the line ---------------------------------------------------------------------------------------------------------
const ask = async () => {
  if (document.hidden) return;
  let answer;
  try { answer = await fetch(`/live/ask/?${query()}`, { headers: { Accept: "application/json" }, cache: "no-store" }); } catch { return; }
  if (answer.status === 401) { leave(true); return; }
  if (!answer.ok) return;
  if (out) leave(false);
  const said = await answer.json();
  marks = said.marks;
  hear(said.news);
  meet(said.viewers);
};
const askMore = () => { if (!asking) { asking = setInterval(ask, ASK_MS); ask(); } };
const askLess = () => { clearInterval(asking); asking = 0; };

const open = () => {
  if (stream || !page() || document.hidden) return;
  if (!window.EventSource) { askMore(); return; }
  stream = new EventSource(`/live/?${query()}`);
  // A proxy that gathers bytes lets nothing through: then it is asked for.
  const patience = setTimeout(askMore, ASK_MS / 2);
  const heard = (event) => { if (event.lastEventId) marks = event.lastEventId; };
  stream.addEventListener("hello", (event) => { clearTimeout(patience); askLess(); heard(event); document.documentElement.dataset.line = "open"; });
  stream.addEventListener("news", (event) => { heard(event); hear(JSON.parse(event.data)); });
  stream.addEventListener("viewers", (event) => { heard(event); meet(JSON.parse(event.data)); });
  stream.addEventListener("error", () => {
    delete document.documentElement.dataset.line;
    clearTimeout(patience);
    askMore();
    if (stream?.readyState === EventSource.CLOSED) { close(); setTimeout(open, 60000); }
  });
};
const close = () => { stream?.close(); stream = null; };

let sleeping = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(sleeping);
  if (document.hidden) sleeping = setTimeout(() => { close(); askLess(); }, HIDDEN_MS);
  else { open(); settle(); }
});
window.addEventListener("pagehide", () => { close(); askLess(); });
window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
if (bar) open();

// What htmx renews by itself (a submission under way) waits, too, while somebody types.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.hasAttribute("data-refresh") && (document.hidden || halfTyped())) event.preventDefault();
});

// Menus close when the next thing is touched.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (event) => { for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false; });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) { menu.open = false; menu.querySelector("summary")?.focus(); }
});
