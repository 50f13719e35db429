// Toasts: what the server said goes after 30 seconds or on request; what htmx could not send is said here.

const LIFETIME = 30000; // milliseconds
const REFUSALS = {
  403: "Not sent. Your seat does not include this.",
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

function say(words) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const shape = document.getElementById("toast-shape").content.cloneNode(true);
  shape.querySelector("span").textContent = words;
  region.append(shape);
}

function losesText(element) {
  return Boolean(element.closest("form")?.querySelector("textarea"));
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast, .note")?.remove();
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const text = losesText(event.detail.elt);
    say(`Not sent. The connection dropped${text ? "; your text is saved" : ""}.`);
  });
}

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status === 422) return;
  const failed = status >= 500 ? "Not sent. This failed on our side." : "Not sent. Load the page again.";
  say(REFUSALS[status] ?? failed);
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
