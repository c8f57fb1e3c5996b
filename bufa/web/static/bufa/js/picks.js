// Picking rows: all of a page at once, a stretch with Shift, and how many are picked. Without this, boxes still work.
const table = document.querySelector("[data-picks]");
const boxes = () => [...table.querySelectorAll("td.pick input")];
const all = table?.querySelector("[data-pick-all]");
const said = document.querySelector("[data-picked]");
const many = document.querySelector("[data-many]");
let last = null;

const show = () => {
  const picked = boxes().filter((box) => box.checked).length;
  boxes().forEach((box) => box.closest("tr").classList.toggle("picked", box.checked));
  all.checked = picked > 0 && picked === boxes().length;
  all.indeterminate = picked > 0 && !all.checked;
  if (said) said.textContent = picked ? String(picked) : "";
  if (picked && many) many.open = true;
};

if (table && all) {
  all.hidden = false;
  all.addEventListener("change", () => { boxes().forEach((box) => { box.checked = all.checked; }); show(); });
  table.addEventListener("click", (event) => {
    const box = event.target.closest?.("td.pick input");
    if (!box) return;
    if (event.shiftKey && last) {
      const list = boxes();
      const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
      list.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
    }
    last = box;
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select")) return;
    const box = document.querySelector("[data-row].here td.pick input");
    if (box) { box.checked = !box.checked; last = box; show(); }
  });
  show();
}
