// Single keys on lists and discussions. Off while one types, and for good where one wants that (WCAG 2.1.4).

const OFF = "keys-off";
const POSTS = ".post[id^='post-'], .question-row";
let dialog = null;

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
}

function posts() {
  return [...document.querySelectorAll(POSTS)].filter((post) => post.checkVisibility());
}

let last = null; // the post one was at, while a swap takes the focus away

function current() {
  if (document.activeElement !== document.body) last = document.activeElement.closest(POSTS);
  return last?.isConnected ? last : null;
}

document.addEventListener("pointerdown", () => (last = null));

function step(by) {
  const all = posts();
  const place = all.indexOf(current());
  const next = all[place < 0 ? (by > 0 ? 0 : all.length - 1) : place + by];
  if (!next) return;
  const goal = next.querySelector("h3 a") ?? next;
  if (goal === next) goal.tabIndex = -1;
  goal.focus({ preventScroll: true });
  last = next;
  next.scrollIntoView({ block: "nearest" });
}

function press(selector) {
  current()?.querySelector(selector)?.click();
}

function dispute() {
  const verdict = current()?.querySelector(".verdict-buttons");
  const choice = verdict?.querySelector("details");
  if (!choice) return verdict?.querySelector(".against")?.click();
  choice.open = true;
  choice.querySelector("[type='radio']")?.focus();
}

function reply() {
  const own = current()?.querySelector(".actions a[href*='/comment/']");
  if (own) return own.click();
  const box = document.querySelector("#your-answer textarea");
  box?.scrollIntoView({ block: "center" });
  box?.focus();
}

async function show() {
  if (!dialog) {
    const answer = await fetch("/keys/", { headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) return;
    document.body.insertAdjacentHTML("beforeend", await answer.text());
    dialog = document.getElementById("keys");
    const box = dialog.querySelector("input");
    box.checked = !localStorage.getItem(OFF);
    box.onchange = () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));
  }
  dialog.showModal();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  u: () => press("[id^='corroborate-']"),
  d: dispute,
  r: reply,
  s: () => document.querySelector("[id^='save-']")?.click(),
  "?": show,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
  const own = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`); // what a page offers by itself
  const act = own ? () => own.click() : KEYS[event.key];
  if (!act || localStorage.getItem(OFF)) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
  if (!event.target.closest("[data-keys]")) return;
  event.preventDefault();
  show();
});
