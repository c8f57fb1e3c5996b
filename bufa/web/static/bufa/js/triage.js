// Triage: H puts the finding off; in the list 1, 3 and H press the buttons of the row that J and K stand on, and the
// row below is where one goes on. Without this, every button is still there to be pressed.
const AT = "triage-row";
const rows = () => [...document.querySelectorAll("[data-row]")];
const typing = (node) => node.closest?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const key = event.key.toLowerCase();
  if (!["1", "3", "h"].includes(key)) return;
  const row = document.querySelector("[data-row].here") ?? rows()[0];
  const button = row?.querySelector(`[data-row-key="${key}"]`) ?? (key === "h" ? document.querySelector('[data-key="h"]') : null);
  if (!button || button.disabled) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (row) sessionStorage.setItem(AT, String(rows().indexOf(row)));
  button.click();
}, { capture: true });

const kept = sessionStorage.getItem(AT);
if (kept !== null && rows().length) {
  sessionStorage.removeItem(AT);
  const row = rows()[Math.min(Number(kept), rows().length - 1)];
  row.classList.add("here");
  row.querySelector("a[href]")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
