// Where the keyboard stands: at what went wrong after a load, at what is new after a swap the user asked for.

document.querySelector("[data-focus-on-load]")?.focus();

// What was wrong goes with the form that is sent anew: where a file comes back, the page stays.
// At the window, since what holds a form back does so before.
addEventListener("submit", ({ target, defaultPrevented }) => {
  if (defaultPrevented) return;
  for (const old of target.querySelectorAll(".note.error, p.error")) old.remove();
  for (const field of target.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
});

// On a phone a row of tabs scrolls; the current one is brought into view.
for (const tabs of document.querySelectorAll(".tabs, .segmented")) {
  const current = tabs.querySelector("[aria-current]");
  if (current) tabs.scrollLeft = current.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
}

let pressed = null; // what tells the control that started the last request from the others beside it

function signature(control) {
  return control?.name ? `${control.tagName} ${control.name} ${control.value}` : "";
}

function goalIn(place) {
  const inside = [place, ...place.querySelectorAll("*")];
  const heading = inside.find((one) => one.matches("h1, h2, h3"));
  return (
    inside.find((one) => one.matches("[data-focus-on-load]")) ??
    inside.find((one) => pressed && signature(one) === pressed) ??
    heading?.querySelector("a") ??
    heading
  );
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const cause = event.detail.requestConfig.triggeringEvent;
  const user = cause?.type === "click" || cause?.type === "submit";
  pressed = user ? signature(cause.submitter ?? cause.target.closest("a, button")) : null;
});

document.addEventListener("htmx:afterSettle", (event) => {
  const lost = !document.activeElement || document.activeElement === document.body;
  const goal = pressed !== null && lost && goalIn(event.detail.elt);
  if (!goal) return;
  if (goal.tabIndex < 0) goal.tabIndex = -1;
  goal.focus({ preventScroll: true });
});
