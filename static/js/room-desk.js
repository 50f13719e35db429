// Long lists of boxes on the desk: what is typed above narrows them, and what is ticked is said beside their name.

document.querySelectorAll("[data-narrows]").forEach((box) => {
  const input = box.querySelector("input");
  const labels = [...document.getElementById(box.dataset.narrows).querySelectorAll("label")];
  box.hidden = false;
  input.addEventListener("input", () => {
    const typed = input.value.trim().toLowerCase();
    for (const label of labels) label.hidden = !label.textContent.toLowerCase().includes(typed);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
});

document.querySelectorAll("details.ticks").forEach((list) => {
  list.addEventListener("change", () => {
    const names = [...list.querySelectorAll("label:has(:checked)")].map((label) => label.textContent.trim());
    const more = names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : "";
    list.querySelector("[data-chosen]").textContent = more || names.join(", ") || "any";
  });
});
