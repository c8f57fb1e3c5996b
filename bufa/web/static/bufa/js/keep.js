// Nothing typed is lost: not by a part that is renewed, a session that ended, a net that is cut, or a mistaken click.
// What is typed stays in the page; nothing is written into the browser's storage, because it may name a buyer.
const differs = (field) => {
  if (!field.name || ["hidden", "submit", "button", "fieldset"].includes(field.type)) return false;
  if (field.type === "file") return field.files.length > 0;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) {
    const chosen = [...field.options].some((option) => option.defaultSelected);
    return [...field.options].some((option, n) => option.selected !== (chosen ? option.defaultSelected : !field.multiple && n === 0));
  }
  return field.value !== field.defaultValue;
};
// By what stands in the fields, not by what was heard: somebody may type before this file is there.
const isTyped = (form) => form.hasAttribute("data-keep") && !form.dataset.sent && [...form.elements].some(differs);
const typedForms = (root = document) => [...root.querySelectorAll("form[data-keep]")].filter(isTyped);
export const halfTyped = () => typedForms().length > 0;
export const typing = (node) => node?.closest?.("input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]");
let leaving = false;
window.addEventListener("beforeunload", (event) => { if (!leaving && halfTyped()) event.preventDefault(); });

// --- a part is renewed: the focus, the chosen row and everything typed go over into the new one -----------------------
const same = (form, root) => [...root.querySelectorAll("form")].find((each) => each.getAttribute("action") === form.getAttribute("action")
  && (each.id || "") === (form.id || ""));
const place = (node) => {
  if (!node || node === document.body) return null;
  if (node.id) return `#${CSS.escape(node.id)}`;
  const form = node.closest("form")?.getAttribute("action");
  const named = node.getAttribute("name") && `[name="${CSS.escape(node.getAttribute("name"))}"]${node.value ? `[value="${CSS.escape(node.value)}"]` : ""}`;
  if (form && named) return `form[action="${CSS.escape(form)}"] ${named}`;
  const href = node.getAttribute("href");
  if (href) return `a[href="${CSS.escape(href)}"]`;
  return form ? `form[action="${CSS.escape(form)}"] button` : null;
};

export const carry = (part) => {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const where = place(focused);
  const caret = focused?.selectionStart;
  const row = part.querySelector("[data-row].here a[href]")?.getAttribute("href");
  const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
  const forms = typedForms(part);
  const boxes = [...part.querySelectorAll("input[type=checkbox][form]:checked")].map((box) => box.value);
  return (fresh) => {
    for (const id of open) { const fold = document.getElementById(id); if (fold) fold.open = true; }
    for (const old of forms) {
      const form = same(old, fresh);
      if (!form) continue;
      for (const field of old.elements) {
        const twin = [...form.elements].find((each) => each.name === field.name && each.type === field.type
          && (field.type !== "radio" || each.value === field.value));
        if (!field.name || !twin || ["hidden", "submit", "button"].includes(field.type)) continue;
        if (field.type === "file") twin.files = field.files;
        else if (field.type === "checkbox" || field.type === "radio") twin.checked = field.checked;
        else twin.value = field.value;
        const fold = twin.closest("details");
        if (fold && field.closest("details")?.open) fold.open = true;
      }
    }
    for (const box of fresh.querySelectorAll("input[type=checkbox][form]")) if (boxes.includes(box.value)) box.checked = true;
    if (row) fresh.querySelector(`[data-row] a[href="${CSS.escape(row)}"]`)?.closest("[data-row]").classList.add("here");
    if (!where || (document.activeElement && document.activeElement !== document.body)) return;
    const again = fresh.querySelector(where) ?? document.querySelector(where);
    if (!again) { document.getElementById("page")?.focus({ preventScroll: true }); return; }
    again.focus({ preventScroll: true });
    if (caret != null && again.setSelectionRange && again.type !== "search") try { again.setSelectionRange(caret, caret); } catch { /* a field without a caret */ }
  };
};

// Whatever htmx swaps keeps the focus.
let back = null;
document.addEventListener("htmx:beforeSwap", (event) => { back = event.detail.target?.contains?.(document.activeElement) ? carry(event.detail.target) : null; });
document.addEventListener("htmx:afterSettle", (event) => { back?.(document); back = null; });

// --- a form is sent: once, and only when somebody is there to take it -------------------------------------------------
const words = () => document.getElementById("kept-words")?.dataset ?? {};
export const say = (text, tone = "warning") => {
  const flashes = document.getElementById("flashes");
  if (!flashes) return;
  flashes.querySelector("[data-kept]")?.remove();
  const flash = document.createElement("div");
  flash.className = `flash ${tone}`;
  flash.dataset.kept = "";
  flash.append(text);
  flashes.append(flash);
};

// Every form of this page gets the token of the session that the browser has now: a second tab may have begun another.
const retoken = (token) => { for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token; };
const dialog = () => document.getElementById("again");
const isMe = (operator) => operator === Number(dialog()?.dataset.operator);

// Is the session alive, and the net? "yes", "out" (sign in again), "other" (somebody else signed in) or "cut".
const alive = async () => {
  if (!navigator.onLine) return "cut";
  try {
    const answer = await fetch("/session/", { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok && answer.status !== 401) return "yes"; // whatever it is, the form's own answer will say it
    const { token, operator } = await answer.json();
    retoken(token);
    return answer.ok ? (isMe(operator) ? "yes" : "other") : "out";
  } catch { return "cut"; }
};

const signInAgain = () => new Promise((done) => {
  const box = dialog();
  if (!box) { done(false); return; }
  const form = box.querySelector("form");
  const wrong = box.querySelector("[data-wrong]");
  const before = document.activeElement;
  const ended = (well) => { form.removeEventListener("submit", send); box.removeEventListener("close", closed); if (box.open) box.close(); before?.focus?.(); done(well); };
  const closed = () => ended(false);
  const send = async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    wrong.hidden = true;
    let answer;
    try { answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } }); }
    catch { wrong.textContent = words().cut; wrong.hidden = false; return; }
    if (!answer.ok) { wrong.textContent = words().wrong; wrong.hidden = false; form.elements.password.select(); return; }
    const { token, operator } = await answer.json();
    form.elements.password.value = "";
    // Another person must not send what this one has typed without a look.
    if (!isMe(operator)) { leaving = true; location.reload(); return; }
    retoken(token);
    ended(true);
  };
  form.addEventListener("submit", send);
  box.addEventListener("close", closed);
  box.showModal();
  form.elements.password.focus();
});
let asking = null;
export const again = () => (asking ??= signInAgain().finally(() => { asking = null; }));

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.closest("dialog")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.dataset.sure || !isTyped(form)) {
    delete form.dataset.sure;
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 4000);
    return;
  }
  event.preventDefault();
  if (form.dataset.asking) return;
  form.dataset.asking = "1";
  const button = event.submitter;
  let state = await alive();
  if (state === "out" && (await again())) state = "yes";
  delete form.dataset.asking;
  if (state === "cut") { say(words().cut, "error"); return; }
  if (state !== "yes") { say(state === "other" ? words().other : words().out, "error"); return; }
  form.dataset.sure = "1";
  form.requestSubmit(button?.isConnected ? button : undefined);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
window.addEventListener("offline", () => say(words().cut));
window.addEventListener("online", () => document.querySelector("#flashes [data-kept]")?.remove());
