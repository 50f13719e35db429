// Toasts: what the server said goes after 30 seconds or on request; what htmx could not send is said here.

const LIFETIME = 30000; // milliseconds
const REFUSALS = {
  404: "Not sent. There is nothing here any more.",
  409: "Not sent. This changed while you were looking; load the page again.",
  429: "Not sent. Too many at once; wait a minute.",
};

function tend(toast) {
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), LIFETIME));
  const stop = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", stop);
  toast.addEventListener("pointerleave", start);
  toast.addEventListener("focusin", stop);
  toast.addEventListener("focusout", start);
  start();
}

function say(words, link) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const shape = document.getElementById("toast-shape").content.cloneNode(true);
  const said = shape.querySelector("span");
  said.textContent = words;
  if (link) said.append(" ", link);
  for (const earlier of region.querySelectorAll("span")) {
    if (earlier.textContent === said.textContent) earlier.closest(".toast").remove();
  }
  region.append(shape);
}

// What runs by itself while one writes fails without a word.
function isQuiet(element) {
  return "quiet" in element.dataset;
}

function holdsText(element) {
  return Boolean(element.closest("form")?.querySelector("textarea"));
}

// In another tab, so that what is typed here stays.
function wayIn() {
  return Object.assign(document.createElement("a"), { href: "/accounts/login/", target: "_blank", textContent: "Log in" });
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast, .note")?.remove();
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, ({ target }) => {
    if (!isQuiet(target)) say(`Not sent. The connection dropped${holdsText(target) ? "; your text is saved" : ""}.`);
  });
}

// Why the door was shut (401, 403) is found out in draft.js, which then says "not-sent".
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if ([401, 403, 422].includes(status) || isQuiet(event.target)) return;
  say(REFUSALS[status] ?? (status >= 500 ? "Not sent. This failed on our side." : "Not sent. Load the page again."));
});

document.addEventListener("not-sent", ({ detail: { status }, target }) => {
  const text = holdsText(target);
  const kept = text ? "; your text is still here" : "";
  if (status === 401) say(`Not sent. You were logged out${kept}. Log in in another tab, then send it again.`, wayIn());
  else if (status) say(`Not sent. This page is out of date; ${text ? "copy your text, " : ""}reload and send it again.`);
  else say(`Not sent. The connection dropped${kept}.`);
});

const region = document.getElementById("toasts");
if (region) {
  region.querySelectorAll(".toast").forEach(tend);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node.matches?.(".toast")) tend(node);
    }
  }).observe(region, { childList: true });
}
