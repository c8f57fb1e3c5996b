// A button with data-copy puts that text on the clipboard; its form then remembers that it was copied.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) navigator.clipboard?.writeText(button.dataset.copy).catch(() => {});
});
