// A menu or a choice of reasons that floats over the page closes on Escape and on a click elsewhere.

const FLOATING = ".me[open], .verdict-buttons details[open]";

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(FLOATING)) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll(FLOATING)) {
    if (open.contains(document.activeElement)) open.querySelector("summary").focus();
    open.open = false;
  }
});
