// A page that scanners read into: reads go to the server in their order, the answer comes back big, coloured and loud.

let waiting = []; // reads not answered yet
let busy = false;
let sound = null;

// ── sounds: high is good, two middle ones mean look, low means stop ──
const tone = (hertz, at, length, shape) => {
  const source = sound.createOscillator();
  const loud = sound.createGain();
  source.type = shape;
  source.frequency.value = hertz;
  loud.gain.setValueAtTime(0.25, sound.currentTime + at);
  loud.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + at + length);
  source.connect(loud).connect(sound.destination);
  source.start(sound.currentTime + at);
  source.stop(sound.currentTime + at + length);
};
const play = (how) => {
  try { sound ??= new AudioContext(); } catch { return; }
  if (how === "good") tone(1046, 0, 0.12, "sine");
  else if (how === "soft") { tone(660, 0, 0.12, "sine"); tone(660, 0.18, 0.12, "sine"); }
  else if (how === "bad") tone(196, 0, 0.5, "square");
};

const station = () => document.getElementById("station");
const openBox = () => station()?.querySelector("[data-reads] input[name=open]")?.value ?? "";
const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";

const away = (text) => {
  const line = station()?.querySelector(".away");
  if (line) { line.textContent = text ? `${text}（${waiting.length}）` : ""; line.hidden = !text; }
};

const read = (text) => ({ text, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` });

const show = (html, loud = true) => {
  const old = station();
  const heard = old.querySelector("[data-heard]");
  const typed = old.querySelector(".typed input[name=text]");
  const kept = typed?.value ?? "";
  const focused = typed && document.activeElement === typed;
  old.outerHTML = html;
  const now = station();
  const fresh = now.querySelector("[data-heard]");
  if (heard && fresh) fresh.append(...[...heard.children].slice(0, 60));
  const field = now.querySelector(".typed input[name=text]");
  if (field && kept) field.value = kept;
  if (field && focused) field.focus({ preventScroll: true });
  window.htmx?.process(now);
  watch();
  if (!loud) return;
  document.body.dataset.reads = String(Number(document.body.dataset.reads ?? 0) + 1);
  play(now.dataset.tone);
};

// While an e-waybill is on its way the station looks for it, unless somebody reads just then.
let watching = 0;
const watch = () => {
  clearTimeout(watching);
  const url = station()?.dataset.waits;
  if (url) watching = setTimeout(() => look(url), 1500);
};
const look = async (url) => {
  if (busy || waiting.length || document.hidden) { watch(); return; }
  try {
    const answer = await fetch(url, { headers: { "X-Station": "1" }, cache: "no-store" });
    if (answer.ok && !answer.redirected && !busy && !waiting.length && station()?.dataset.waits === url) show(await answer.text(), false);
    else watch();
  } catch { watch(); }
};

const send = async (url, body, reads) => {
  const answer = await fetch(url, { method: "POST", body, headers: { "X-Station": "1", "X-CSRFToken": token() } });
  if (answer.redirected || answer.status === 401 || answer.status === 403) { away(station().dataset.gone); play("bad"); return false; }
  if (!answer.ok && answer.status !== 422) throw new Error(String(answer.status));
  if (reads) waiting.splice(0, reads);
  show(await answer.text());
  return true;
};

const next = async () => {
  if (busy || !waiting.length || !station()?.dataset.station) return;
  busy = true;
  const reads = waiting.slice(0, 50);
  const body = new FormData();
  body.set("open", openBox());
  for (const { text, key } of reads) { body.append("text", text); body.append("key", key); }
  let wait = 0;
  try {
    if (!(await send(station().dataset.station, body, reads.length))) wait = 5000;
  } catch {
    away(station().dataset.away);
    play("bad");
    wait = 2000;
  }
  busy = false;
  if (waiting.length) setTimeout(next, wait);
};

window.addEventListener("bufa:read", (event) => {
  waiting.push(read(event.detail));
  next();
});

// What is typed or pressed here goes the same way; without this script the forms work by themselves.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-reads")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const body = new FormData(form, event.submitter);
  const field = form.querySelector("input[name=text]:not([type=hidden])");
  if (field) {
    if (field.value.trim()) waiting.push(read(field.value.trim()));
    field.value = "";
    next();
  } else if (body.get("text") && !body.get("carrier")) {
    waiting.push(read(body.get("text")));
    next();
  } else {
    if (body.get("text")) body.set("key", read("").key);
    send(form.action, body, 0).catch(() => { away(station().dataset.away); play("bad"); });
  }
}, true);

watch();
window.dispatchEvent(new Event("bufa:listening")); // what reader.js has read before this file came
