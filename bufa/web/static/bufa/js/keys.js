// J and K walk through the rows, Enter opens, / searches, 1 to 9 press the numbered buttons of a page,
// G and a letter go to a place of the rail.
const typing = (node) => node.closest?.("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.getClientRects().length);

const walk = (by) => {
  const all = rows();
  if (!all.length) return;
  const from = all.findIndex((row) => row.classList.contains("here"));
  const to = Math.min(all.length - 1, Math.max(0, from < 0 ? 0 : from + by));
  all[from]?.classList.remove("here");
  all[to].classList.add("here");
  all[to].scrollIntoView({ block: "nearest" });
};

const WITHIN_MS = 1200;
let goUntil = 0;

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const going = performance.now() < goUntil;
  goUntil = 0;
  const place = going && /^[a-z]$/.test(event.key) && document.querySelector(`[data-go="${event.key}"]`);
  if (place) { event.preventDefault(); place.click(); return; }
  if (event.key === "g") {
    goUntil = performance.now() + WITHIN_MS;
  } else if (event.key === "/") {
    const find = document.getElementById("find");
    if (find) { event.preventDefault(); find.focus(); find.select(); }
  } else if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
  } else if (event.key === "Enter" && event.target === document.body) {
    document.querySelector("[data-row].here a[href]")?.click();
  } else if (event.key === "Escape") {
    document.querySelector("[data-row].here")?.classList.remove("here");
  } else if (/^[1-9]$/.test(event.key)) {
    const button = document.querySelector(`[data-key="${event.key}"]`);
    if (button && !button.disabled) { event.preventDefault(); button.focus(); button.click(); }
  }
});
