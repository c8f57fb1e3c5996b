// Picking rows: all of a page at once, a stretch with Shift, and how many are picked. Without this, boxes still work.
let last = null;

const table = () => document.querySelector("[data-picks]");
const all = () => table()?.querySelector("[data-pick-all]");
const boxes = () => [...(table()?.querySelectorAll("td.pick input") ?? [])];

const show = () => {
  const every = all();
  if (!every) return;
  every.hidden = false;
  const picked = boxes().filter((box) => box.checked).length;
  boxes().forEach((box) => box.closest("tr").classList.toggle("picked", box.checked));
  every.checked = picked > 0 && picked === boxes().length;
  every.indeterminate = picked > 0 && !every.checked;
  const said = document.querySelector("[data-picked]");
  if (said) said.textContent = picked ? String(picked) : "";
  const many = document.querySelector("[data-many]");
  if (picked && many) many.open = true;
};

document.addEventListener("change", (event) => {
  if (event.target !== all()) return;
  boxes().forEach((box) => { box.checked = event.target.checked; });
  show();
});
document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-picks] td.pick input");
  if (!box) return;
  if (event.shiftKey && last?.isConnected) {
    const list = boxes();
    const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
    list.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
  }
  last = box;
  show();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!table() || event.target.closest?.("input:not([type=checkbox]), textarea, select")) return;
  const box = document.querySelector("[data-row].here td.pick input");
  if (box) { box.checked = !box.checked; last = box; show(); }
});
// A list that renewed itself (live.js) is another table.
document.addEventListener("renewed", show);
show();
