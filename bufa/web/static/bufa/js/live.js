// Keeps htmx out of people's way: a part of the page that somebody is using is not replaced under their hands.
const typed = new Set();
document.addEventListener("input", (event) => {
  if (event.target.form?.hasAttribute("data-keep")) typed.add(event.target.form);
});
document.addEventListener("submit", (event) => typed.delete(event.target));
const halfTyped = () => [...typed].some((form) => form.isConnected);

document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  // Its answer may load the whole page anew.
  if (part.hasAttribute("data-refresh") && (document.hidden || halfTyped())) event.preventDefault();
  if (!part.hasAttribute("data-live")) return;
  const busy = part.contains(document.activeElement) || part.querySelector("details[open]") || part.querySelector(".here");
  if (document.hidden || busy) event.preventDefault();
});

// A session that ended, or a server that is gone, must not leave a stale page without a word.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403 || event.detail.xhr.status === 401) location.reload();
});

// Menus close when the next thing is touched.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

// Only one press of a button counts while its page is on the way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 4000);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Flashes leave by themselves; errors stay until they are read.
const fade = () => {
  for (const flash of document.querySelectorAll(".flash:not(.error)")) setTimeout(() => flash.remove(), 8000);
};
fade();

// Nothing typed is lost by a mistaken click: a half-filled form asks the browser to ask.
window.addEventListener("beforeunload", (event) => {
  if (halfTyped()) event.preventDefault();
});
