// Keys of the desk. Single letters count only while nobody types, composes or holds Ctrl, Alt or Cmd, so that none of the
// browser's keys and none of the chat desk's (Ctrl+F, Ctrl+R, Alt+F, Alt+R, Ctrl+Alt+X) is taken. The one exception is
// Ctrl+K (Cmd+K), which opens the palette from anywhere; pages may have it in every browser.
import { typing } from "./keep.js";
import { open as openPalette, isOpen as paletteIsOpen } from "./palette.js";

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.getClientRects().length);
const here = () => document.querySelector("[data-row].here");

const walk = (by) => {
  const all = rows();
  if (!all.length) return;
  const from = all.findIndex((row) => row.classList.contains("here"));
  const to = Math.min(all.length - 1, Math.max(0, from < 0 ? 0 : from + by));
  all[from]?.classList.remove("here");
  const row = all[to];
  row.classList.add("here");
  // The focus goes along, so that a screen reader says the row and Enter opens it.
  let goal = row.querySelector("a.lead, a[href]");
  if (!goal) { row.tabIndex = -1; goal = row; }
  goal.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
};

const press = (button) => {
  if (!button || button.disabled) return false;
  button.focus();
  button.click();
  return true;
};

const sheet = () => document.getElementById("keys");
const showKeys = () => {
  const box = sheet();
  if (!box || box.open) return;
  const list = box.querySelector("[data-here]");
  list.replaceChildren(...[...document.querySelectorAll("[data-key]")].filter((each) => !each.disabled && each.getClientRects().length).map((button) => {
    const row = document.createElement("div");
    const [name, key] = [document.createElement("dt"), document.createElement("dd")];
    name.textContent = button.dataset.label || button.innerText.replace(/\s*\S$/, (end) => (end.trim() === button.dataset.key ? "" : end)).trim();
    const shown = document.createElement("kbd");
    shown.textContent = button.dataset.key.toUpperCase();
    key.append(shown);
    row.append(name, key);
    return row;
  }));
  for (const part of box.querySelectorAll("[data-when]")) part.hidden = !document.querySelector(part.dataset.when);
  list.parentNode.hidden = !list.children.length;
  box.showModal();
};
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-open-keys]")) showKeys();
  if (event.target.closest("[data-open-palette]")) openPalette();
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  if (event.target.matches?.("dialog")) event.target.close(); // the dimmed page around it
});

const WITHIN_MS = 1200;
let goUntil = 0;

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || paletteIsOpen()) return;
  if (document.querySelector("dialog[open]")) {
    if (event.key === "?" && sheet()?.open && !typing(event.target)) sheet().close();
    return;
  }
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const going = performance.now() < goUntil;
  goUntil = 0;
  const letter = /^[a-z]$/.test(event.key) ? event.key : "";
  const goal = going && letter && document.querySelector(`[data-go="${letter}"]`);
  if (goal) { event.preventDefault(); goal.click(); return; }
  const own = /^[a-z1-9]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
  if (own) { if (press(own)) event.preventDefault(); return; }
  switch (event.key) {
    case "g": goUntil = performance.now() + WITHIN_MS; break;
    case "?": event.preventDefault(); showKeys(); break;
    case "/": {
      const find = document.getElementById("find");
      if (find) { event.preventDefault(); find.focus(); find.select(); }
      break;
    }
    case "j": walk(1); break;
    case "k": walk(-1); break;
    case "x": {
      const box = here()?.querySelector("input[type=checkbox]");
      if (box && !document.querySelector("[data-picks]")) box.click(); // such a table takes the key itself
      break;
    }
    case "z": press([...document.querySelectorAll("[data-undo]")].at(-1)); break;
    case "r": press(document.querySelector("#news:not([hidden]) [data-newest]:not([hidden])")); break;
    case "Enter":
      if (event.target === document.body || event.target === here()) here()?.querySelector("a[href]")?.click();
      break;
    case "Escape": here()?.classList.remove("here"); break;
    default:
  }
});
// A row that is touched by the mouse or Tab is the one from which J and K go on.
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (!row || row.classList.contains("here")) return;
  here()?.classList.remove("here");
  row.classList.add("here");
});
// On a phone tabs run out of the window: the open one is in sight.
const tab = document.querySelector(".tabs [aria-current]");
if (tab && tab.parentNode.scrollWidth > tab.parentNode.clientWidth) tab.parentNode.scrollLeft = tab.offsetLeft - tab.parentNode.offsetLeft - 40;
document.documentElement.dataset.keys = "ready";
