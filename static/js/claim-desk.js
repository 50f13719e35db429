// Single keys on the reviewers' pages. They fill forms in and go from page to page; what decides is a button after that.
// Off while one types, and for good where one wants that (WCAG 2.1.4).

const OFF = "keys-off";
const dialog = document.getElementById("keys");
const form = document.getElementById("decide");

function isTyping(target) {
  return target.closest?.("textarea, select, [contenteditable], dialog[open], input:not([type='radio'], [type='checkbox'])");
}

function take(ready) {
  const act = form.querySelector(`[name="outcome"][value="${ready.closest("[data-act]").dataset.act}"]`);
  act.checked = true;
  form.elements.reason.value = ready.dataset.reason;
  if (form.elements.message) form.elements.message.value = ready.dataset.words;
  form.elements.note.value = ready.dataset.note;
  form.elements.note.focus();
}

function readyAt(number) {
  const act = form?.querySelector("[name='outcome']:checked")?.value;
  return act && form.querySelector(`[data-act="${act}"] [data-number="${number}"]`);
}

form?.addEventListener("click", (event) => {
  const ready = event.target.closest("[data-number]");
  if (!ready) return;
  event.preventDefault();
  take(ready);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-shows-keys]")) dialog?.showModal();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
  if (localStorage.getItem(OFF)) return;
  const own = readyAt(event.key) || document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!own) return;
  event.preventDefault();
  own.click();
  if (own.type === "radio") {
    own.focus();
    own.closest("form").scrollIntoView({ block: "nearest" });
  }
});

const box = dialog?.querySelector("input");
if (box) {
  box.checked = !localStorage.getItem(OFF);
  box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
}
