// The composer's buttons write Markdown around what is selected; Preview and Write change places.

const FORMATS = {
  bold: { around: "**", sample: "bold" },
  italic: { around: "*", sample: "italic" },
  list: { line: () => "- " },
  numbers: { line: (place) => `${place + 1}. ` },
  quote: { line: () => "> " },
  link: { before: "[", after: "](https://)", sample: "text" },
  table: { block: "| Finding | Value |\n| --- | --- |\n|  |  |\n" },
};
const KEYS = { b: "bold", i: "italic" };

// execCommand is old, yet the only way to write into a field that its undo remembers.
function put(field, text) {
  field.focus();
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function format(field, name) {
  const { around, before = around, after = around, sample, line, block } = FORMATS[name];
  const { selectionStart: start, selectionEnd: end, value } = field;
  if (block) {
    put(field, (start && value[start - 1] !== "\n" ? "\n\n" : "") + block);
  } else if (line) {
    const from = value.lastIndexOf("\n", start - 1) + 1;
    field.setSelectionRange(from, end);
    put(field, value.slice(from, end).split("\n").map((text, place) => line(place) + text).join("\n"));
  } else {
    const inside = value.slice(start, end) || sample;
    put(field, before + inside + after);
    field.setSelectionRange(start + before.length, start + before.length + inside.length);
  }
}

function show(composer, preview) {
  const field = composer.querySelector("textarea");
  const page = composer.querySelector("[data-preview-page]");
  if (preview) page.style.minHeight = `${field.offsetHeight}px`;
  field.hidden = preview;
  page.hidden = !preview;
  for (const one of composer.querySelectorAll("[data-format], [data-preview-button]")) one.hidden = preview;
  composer.querySelector("[data-write-button]").hidden = !preview;
}

document.addEventListener("click", (event) => {
  const composer = event.target.closest(".composer");
  if (!composer) return;
  const button = event.target.closest("button");
  if (button?.dataset.format) format(composer.querySelector("textarea"), button.dataset.format);
  if (button?.matches("[data-write-button]")) {
    show(composer, false);
    composer.querySelector("textarea").focus();
  }
});

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || !KEYS[event.key]) return;
  if (!event.target.matches(".composer textarea")) return;
  event.preventDefault();
  format(event.target, KEYS[event.key]);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (!event.detail.target.matches("[data-preview-page]")) return;
  const composer = event.detail.target.closest(".composer");
  show(composer, true);
  composer.querySelector("[data-write-button]").focus();
});
