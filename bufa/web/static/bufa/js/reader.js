// A keyboard-wedge scanner types like a very fast person. This tells the two apart and hands whole reads on.
//
// It reads physical keys (`event.code`), so an input method that turns letters into a composition does not matter, and
// it listens before everything else on the page, so neither does focus. Time is the events' own (`timeStamp`): a busy
// page, where keys wait in line, still sees how far apart they were struck. What a read typed into a field is taken out
// again; keys of a person that were held back for a moment are given on.
//
// Not a module: modules run once the whole page has come, and a packer scans as soon as there is something to see. What
// is read before the page's own module listens waits for it.
{
const SHORTEST = 6; // characters of a read: nobody strikes six keys and Enter this fast
const WITHIN_MS = 60; // between two keys of one read; scanners take 7 to 8, slow ones up to 60
const SURE_AFTER = 4; // keys that fast: from here on nothing more is let through
const HOLD_MS = 35; // how long a key outside of a field waits to see whether it is a scanner's
const SETTLE_MS = 150; // an input method may hand over its text this long after the last key

const SHIFTED = { Minus: "_", Equal: "+", Semicolon: ":", Slash: "?", Digit5: "%", Digit4: "$", Digit7: "&" };
const PLAIN = { Minus: "-", Equal: "=", Semicolon: ";", Slash: "/", Period: ".", NumpadDecimal: ".", NumpadSubtract: "-", NumpadAdd: "+", NumpadDivide: "/" };

const charOf = (event) => {
  const { code } = event;
  if (/^Key[A-Z]$/.test(code)) return event.shiftKey || event.getModifierState?.("CapsLock") ? code[3] : code[3].toLowerCase();
  if (event.shiftKey && SHIFTED[code]) return SHIFTED[code];
  if (/^Digit[0-9]$/.test(code)) return code[5];
  if (/^Numpad[0-9]$/.test(code)) return code[6];
  return PLAIN[code] ?? "";
};
const isField = (node) => node instanceof Element && node.closest("input, textarea, select, [contenteditable]");

let keys = []; // {char, event, target, given}
let field = null;
let before = null; // the field's text when the first key came
let holding = 0;

let listening = false;
const unheard = []; // reads that came before anybody listened
const tell = (text) => window.dispatchEvent(new CustomEvent("bufa:read", { detail: text }));
window.addEventListener("bufa:listening", () => {
  listening = true;
  for (const text of unheard.splice(0)) tell(text);
});

const giveOn = () => {
  clearTimeout(holding);
  for (const one of keys) {
    if (one.given || one.field) continue;
    one.given = true;
    const { key, code, shiftKey } = one.event;
    one.target.dispatchEvent(new KeyboardEvent("keydown", { key, code, shiftKey, bubbles: true, cancelable: true, composed: true }));
  }
};

const forget = () => {
  giveOn();
  keys = [];
  field = null;
  before = null;
};

const stateOf = (node) => ("value" in node ? { value: node.value, start: node.selectionStart, end: node.selectionEnd } : null);

// Puts a field back to what it held before a read typed into it, also once a composition has ended.
const restore = (node, state) => {
  if (!node || !state) return;
  const put = () => {
    if (node.value === state.value) return;
    node.value = state.value;
    try { node.setSelectionRange(state.start, state.end); } catch { /* not a text field */ }
    node.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const had = document.activeElement === node;
  node.blur(); // ends a composition
  put();
  if (had) node.focus({ preventScroll: true });
  const again = (event) => { if (event.isTrusted && event.target === node) { event.stopImmediatePropagation(); put(); } };
  window.addEventListener("input", again, true);
  window.addEventListener("compositionend", again, true);
  setTimeout(() => {
    window.removeEventListener("input", again, true);
    window.removeEventListener("compositionend", again, true);
  }, SETTLE_MS);
};

const stop = (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
};

const last = () => keys[keys.length - 1];

const take = (event) => {
  if (!event.isTrusted) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) { forget(); return; }
  if (/^(Shift|CapsLock)/.test(event.code)) return;
  if (keys.length && event.timeStamp - last().event.timeStamp > WITHIN_MS) forget();
  if (/^(Enter|NumpadEnter|Tab)$/.test(event.code)) {
    if (keys.length < SHORTEST) { forget(); return; }
    stop(event);
    clearTimeout(holding);
    const text = keys.map((one) => one.char).join("");
    restore(field, before);
    keys = [];
    field = null;
    before = null;
    if (listening) tell(text);
    else unheard.push(text);
    return;
  }
  const char = charOf(event);
  if (!char) { forget(); return; }
  const inField = isField(event.target);
  if (!keys.length) {
    field = inField || null;
    before = inField ? stateOf(inField) : null;
  }
  keys.push({ char, event, target: event.target, field: Boolean(inField), given: false });
  if (inField && keys.length < SURE_AFTER) return; // a person's first letters must not wait
  stop(event);
  clearTimeout(holding);
  if (!inField && keys.length < SURE_AFTER) holding = setTimeout(giveOn, HOLD_MS);
};

window.addEventListener("keydown", take, true);
}
