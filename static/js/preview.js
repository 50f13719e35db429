// At sign-up: shows a name as colleagues will see it. What is typed in the input named x fills [data-preview-of="x"].

function initials(name) {
  const parts = name.match(/\p{L}+/gu) ?? [];
  const letters = parts.length > 1 ? parts[0][0] + parts[1][0] : (parts[0] ?? name.replace(/[\W_]/g, ""));
  return letters.slice(0, 2).toUpperCase();
}

function show(input) {
  const name = input.value.trim();
  for (const place of document.querySelectorAll(`[data-preview-of="${CSS.escape(input.name)}"]`)) {
    place.dataset.empty ??= place.textContent;
    place.textContent = name || place.dataset.empty;
  }
  for (const tile of document.querySelectorAll(`[data-preview-initials-of="${CSS.escape(input.name)}"]`)) {
    tile.textContent = initials(name);
  }
}

document.addEventListener("input", (event) => {
  if (event.target.name) show(event.target);
});

for (const place of document.querySelectorAll("[data-preview-of]")) {
  const input = document.querySelector(`input[name="${CSS.escape(place.dataset.previewOf)}"]`);
  if (input) show(input);
}
