// The palette: pages, what can be done on this one, and what the shop has under a number. What is typed goes to the
// server by POST and is kept nowhere.
const WAIT_MS = 120;
const MOST = 40;
const box = document.getElementById("palette");
const input = box?.querySelector("input[role=combobox]");
const list = box?.querySelector("[role=listbox]");
const empty = box?.querySelector("[data-empty]");
let entries = [];
let hits = [];
let shown = [];
let at = 0;
let asked = null;
let timer = 0;

export const isOpen = () => Boolean(box?.open);

const said = (node) => (node.dataset.label || node.innerText || node.textContent).replace(/\s+/g, " ").trim();
const entry = (group, label, key, run, more = "") => ({ group, label, key, run, more, low: `${label} ${more}`.toLowerCase() });

const gather = () => {
  const words = box.dataset;
  const acts = [...document.querySelectorAll("main [data-key], main button.btn, main a.btn, main summary, [data-undo]")]
    .filter((node, n, all) => all.indexOf(node) === n && !node.disabled && node.getClientRects().length && said(node))
    .map((node) => {
      const key = node.dataset.key ?? "";
      const label = said(node).replace(new RegExp(`\\s${key}$`), "");
      return entry(words.acts, label, key.toUpperCase(), () => { node.scrollIntoView({ block: "center" }); node.focus(); node.click(); });
    });
  const places = [...document.querySelectorAll(".rail [data-go]")]
    .map((link) => entry(words.places, said(link), `G ${link.dataset.go.toUpperCase()}`, () => link.click(), link.getAttribute("href")));
  const mine = [...document.querySelectorAll(".top .menu .menu-item")].filter((node) => node.matches("a, button") && node.textContent.trim())
    .map((node) => entry(words.mine, node.textContent.replace(/\s+/g, " ").trim(), "", () => node.click()));
  const seen = new Set();
  return [...acts, ...places, ...mine].filter((each) => !seen.has(each.group + each.label) && seen.add(each.group + each.label));
};

// 0: no match. A whole hit beats a hit somewhere, and that beats letters which only come in this order.
const score = (low, query) => {
  const found = low.indexOf(query);
  if (found === 0) return 1000 - low.length;
  if (found > 0) return 600 - found - low.length / 10;
  let from = 0;
  let gaps = 0;
  for (const char of query) {
    const next = low.indexOf(char, from);
    if (next < 0) return 0;
    gaps += from ? next - from : 0;
    from = next + 1;
  }
  return Math.max(1, 200 - gaps);
};

const draw = () => {
  const query = input.value.trim().toLowerCase();
  const fitting = query
    ? entries.map((each) => [score(each.low, query), each]).filter(([points]) => points).sort((a, b) => b[0] - a[0]).map(([, each]) => each)
    : entries;
  shown = [...hits, ...fitting].slice(0, MOST);
  at = Math.min(at, Math.max(0, shown.length - 1));
  let group = "";
  const nodes = [];
  // A group's name stands once over its entries, in the order of the best of each.
  const order = [...new Set(shown.map((each) => each.group))];
  shown = order.flatMap((name) => shown.filter((each) => each.group === name));
  shown.forEach((each, n) => {
    if (each.group !== group) {
      group = each.group;
      const head = document.createElement("li");
      head.className = "group";
      head.role = "presentation";
      head.textContent = group;
      nodes.push(head);
    }
    const row = document.createElement("li");
    row.role = "option";
    row.id = `palette-${n}`;
    row.dataset.at = n;
    row.setAttribute("aria-selected", String(n === at));
    const label = document.createElement("span");
    label.textContent = each.label;
    row.append(label);
    if (each.sub) { const sub = document.createElement("small"); sub.textContent = each.sub; row.append(sub); }
    if (each.key) { const key = document.createElement("kbd"); key.textContent = each.key; row.append(key); }
    nodes.push(row);
  });
  list.replaceChildren(...nodes);
  empty.hidden = Boolean(shown.length);
  input.setAttribute("aria-expanded", String(Boolean(shown.length)));
  point();
};

const point = () => {
  for (const row of list.querySelectorAll("[role=option]")) {
    const chosen = Number(row.dataset.at) === at;
    row.setAttribute("aria-selected", String(chosen));
    if (chosen) row.scrollIntoView({ block: "nearest" });
  }
  if (shown.length) input.setAttribute("aria-activedescendant", `palette-${at}`);
  else input.removeAttribute("aria-activedescendant");
};

const look = async () => {
  const query = input.value.trim();
  asked?.abort();
  if (query.length < 3) { hits = []; return; }
  asked = new AbortController();
  const body = new FormData();
  body.set("q", query);
  body.set("csrfmiddlewaretoken", box.querySelector("[name=csrfmiddlewaretoken]").value);
  try {
    const answer = await fetch(box.dataset.find, { method: "POST", body, headers: { Accept: "application/json" }, signal: asked.signal });
    if (!answer.ok) return;
    const { hits: found } = await answer.json();
    if (input.value.trim() !== query) return;
    hits = found.map((each) => ({ ...entry(box.dataset.found, each.label, "", () => { location.href = each.url; }), sub: each.sub }));
    at = 0;
    draw();
  } catch { /* a newer question took its place, or the net is cut: what is on the page can still be found */ }
};

const choose = () => {
  const chosen = shown[at];
  if (!chosen) return;
  box.close();
  chosen.run();
};

export const open = () => {
  if (!box || box.open) return;
  entries = gather();
  hits = [];
  at = 0;
  input.value = "";
  draw();
  box.showModal();
  input.focus();
};

input?.addEventListener("input", () => {
  at = 0;
  hits = [];
  draw();
  clearTimeout(timer);
  timer = setTimeout(look, WAIT_MS);
});
input?.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && shown.length) { event.preventDefault(); at = (at + step + shown.length) % shown.length; point(); }
  else if (event.key === "Enter") { event.preventDefault(); choose(); }
});
list?.addEventListener("click", (event) => {
  const row = event.target.closest("[role=option]");
  if (row) { at = Number(row.dataset.at); choose(); }
});
box?.addEventListener("close", () => { input.value = ""; hits = []; list.replaceChildren(); });
