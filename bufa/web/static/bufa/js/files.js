// Files by drag and paste, into the very fields that the form sends; without this the fields work as they are.
const words = document.documentElement.lang.startsWith("en") ? { remove: "Remove" } : { remove: "去掉" };

const fits = (input, file) => {
  const kinds = (input.accept || "").split(",").map((kind) => kind.trim()).filter(Boolean);
  return !kinds.length || kinds.some((kind) => kind === file.type || (kind.endsWith("/*") && file.type.startsWith(kind.slice(0, -1))));
};

const show = (input) => {
  let list = input.parentNode.querySelector(".chosen");
  if (!list) {
    list = document.createElement("ul");
    list.className = "chosen";
    input.after(list);
  }
  list.replaceChildren(...[...input.files].map((file, at) => {
    const row = document.createElement("li");
    row.append(`${file.name} ${Math.max(1, Math.round(file.size / 1024))} KB`);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "×";
    button.setAttribute("aria-label", `${words.remove} ${file.name}`);
    button.addEventListener("click", () => {
      const kept = new DataTransfer();
      [...input.files].forEach((each, other) => { if (other !== at) kept.items.add(each); });
      input.files = kept.files;
      show(input);
    });
    row.append(button);
    return row;
  }));
};

// A file goes to the field it was dropped on, else to the first that takes its kind.
const add = (area, files, target) => {
  const inputs = [...area.querySelectorAll('input[type="file"]')];
  for (const file of files) {
    const input = (target && fits(target, file) && target) || inputs.find((each) => fits(each, file));
    if (!input) continue;
    const all = new DataTransfer();
    for (const each of input.files) all.items.add(each);
    all.items.add(file);
    input.files = all.files;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    show(input);
  }
};

for (const area of document.querySelectorAll("[data-drop]")) {
  for (const input of area.querySelectorAll('input[type="file"]')) input.addEventListener("change", () => show(input));
  area.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", (event) => { if (!area.contains(event.relatedTarget)) area.classList.remove("over"); });
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    area.classList.remove("over");
    const field = event.target.closest?.(".field")?.querySelector('input[type="file"]');
    add(area, event.dataTransfer.files, field);
  });
}

// A screenshot on the clipboard goes to the form that is open.
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  const areas = [...document.querySelectorAll("[data-drop]")].filter((area) => area.checkVisibility());
  const area = areas.find((each) => each.closest("form")?.contains(document.activeElement)) ?? areas[0];
  if (!area) return;
  event.preventDefault();
  add(area, files, null);
});
