// While a question is written: the site is asked for similar ones once the title is long enough, and a suggested
// specialty or tag is put into its field at once instead of sending the form.

const LEAST = 15; // characters, as settings.SIMILAR_FROM

document.addEventListener("htmx:confirm", (event) => {
  const { elt } = event.detail;
  if (elt.matches("[data-similar]") && elt.querySelector("textarea").value.trim().length < LEAST) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-suggested] button");
  if (!chip?.form) return;
  const adds = chip.dataset.adds;
  const box = adds ? chip.form.querySelector("[name=specialties] + input") : chip.form.elements.tags;
  if (!box || box.disabled) return;
  event.preventDefault();
  box.value = adds ?? [box.value.trim().replace(/,$/, ""), chip.value].filter(Boolean).join(", ");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  const next = chip.nextElementSibling ?? box;
  chip.remove();
  next.focus();
});
