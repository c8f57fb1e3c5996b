// On the case page a scanned waybill goes into the reissue form from wherever the focus is: the carrier is named by the
// number's form and shown, the gate answers, and Enter submits.

let asking = null;

const form = () => document.getElementById("reissue");

// While no number is wanted here, a scan means what it means in the search box.
const find = (text) => {
  const box = document.getElementById("find");
  if (!box) return;
  box.value = text.trim();
  box.form.requestSubmit();
};

const fill = async (text) => {
  const here = form();
  if (!here) { find(text); return; }
  const number = here.elements.namedItem("number");
  const carrier = here.elements.namedItem("carrier");
  number.value = text.trim().toUpperCase();
  here.querySelector("[name=do][value=submit]")?.focus();
  const answer = await fetch(`${here.dataset.guess}?number=${encodeURIComponent(number.value)}&carrier=${carrier.value}`);
  if (answer.ok) {
    const found = await answer.json();
    number.value = found.number;
    if (found.carrier) carrier.value = found.carrier;
    const said = here.querySelector("[data-guessed]");
    if (said) { said.textContent = found.said; said.hidden = !found.said; }
    if (!found.carrier) carrier.focus();
  }
  number.dispatchEvent(new Event("change", { bubbles: true }));
};

window.addEventListener("bufa:read", (event) => {
  asking = fill(event.detail).finally(() => { asking = null; });
});

// Enter may come before the carrier is known.
document.addEventListener("submit", (event) => {
  if (event.target !== form() || !asking) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { submitter } = event;
  asking.then(() => form()?.requestSubmit(submitter));
}, true);

window.dispatchEvent(new Event("bufa:listening")); // what reader.js has read before this file came
