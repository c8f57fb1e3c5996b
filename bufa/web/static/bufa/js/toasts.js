// Flashes leave by themselves, but not while somebody reads or reaches for them; errors stay until they are put away.
// One that can be undone only steps aside: Z takes it back for as long as the page is open.
const SHOWN_MS = 8000;
const UNDO_MS = 20000;
const area = document.getElementById("flashes");

const begin = (flash) => {
  if (flash.dataset.begun) return;
  flash.dataset.begun = "1";
  flash.querySelector("[data-put-away]")?.addEventListener("click", () => away(flash));
  if (flash.classList.contains("error") || flash.hasAttribute("data-kept")) return;
  let left = flash.querySelector("[data-undo]") ? UNDO_MS : SHOWN_MS;
  let from = 0;
  let timer = 0;
  const go = () => { clearTimeout(timer); from = performance.now(); timer = setTimeout(() => away(flash), left); };
  const rest = () => { clearTimeout(timer); if (from) left = Math.max(2000, left - (performance.now() - from)); from = 0; };
  const goOn = () => { if (!document.hidden && !flash.matches(":hover, :focus-within")) go(); };
  flash.addEventListener("pointerenter", rest);
  flash.addEventListener("focusin", rest);
  flash.addEventListener("pointerleave", goOn);
  flash.addEventListener("focusout", () => setTimeout(goOn));
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : goOn()));
  goOn();
};
const away = (flash) => {
  if (flash.contains(document.activeElement)) document.getElementById("page")?.focus({ preventScroll: true });
  if (flash.querySelector("[data-undo]")) flash.classList.add("aside");
  else flash.remove();
};

if (area) {
  // What is there when a page opens is not read out; what comes later is.
  const first = [...area.children];
  area.replaceChildren();
  setTimeout(() => { area.prepend(...first); first.forEach(begin); }, 60);
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => node.classList?.contains("flash") && begin(node)))).observe(area, { childList: true });
}
