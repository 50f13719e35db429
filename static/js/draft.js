// A form with data-draft-url saves its fields there while one writes, and says so in its [data-draft-status].

const PAUSE = 2000; // milliseconds after the last key
const AGAIN = 15000; // after a failure
const kept = new WeakMap(); // form -> { dirty, timer, request }

function state(form) {
  if (!kept.has(form)) kept.set(form, { dirty: false, timer: 0, request: null });
  return kept.get(form);
}

function fields(form) {
  return new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
}

function tell(form, words) {
  const status = form.querySelector("[data-draft-status]");
  if (status) status.textContent = words;
}

function clock() {
  const now = new Date();
  const minutes = String(now.getMinutes()).padStart(2, "0");
  return `${now.getHours() % 12 || 12}:${minutes} ${now.getHours() < 12 ? "am" : "pm"}`;
}

function later(form, wait) {
  clearTimeout(state(form).timer);
  state(form).timer = setTimeout(() => save(form), wait);
}

async function save(form) {
  const now = state(form);
  if (!now.dirty || !form.isConnected) return;
  now.dirty = false;
  now.request = new AbortController();
  try {
    const answer = await fetch(form.dataset.draftUrl, {
      method: "POST",
      body: fields(form),
      redirect: "manual", // a way to the log-in page is no saving
      signal: now.request.signal,
    });
    if (!answer.ok) throw new Error(String(answer.status));
    tell(form, `Draft saved ${clock()}`);
  } catch (error) {
    if (error.name === "AbortError") return;
    now.dirty = true;
    const answered = error.message.match(/^\d+$/);
    tell(form, `Not saved. ${answered ? "The site refused it" : "The connection dropped"}; your text is still here.`);
    later(form, AGAIN);
  }
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.form;
    if (!form?.dataset.draftUrl) return;
    state(form).dirty = true;
    later(form, PAUSE);
  });
}

// What is sent is no draft any more; a saving on its way must not arrive after it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.draftUrl) return;
  const now = state(form);
  now.dirty = false;
  clearTimeout(now.timer);
  now.request?.abort();
});

for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const form = event.detail.elt.closest("form[data-draft-url]");
    if (!form) return;
    state(form).dirty = true;
    later(form, PAUSE);
  });
}

addEventListener("pagehide", () => {
  for (const form of document.querySelectorAll("form[data-draft-url]")) {
    if (state(form).dirty && navigator.sendBeacon(form.dataset.draftUrl, fields(form))) state(form).dirty = false;
  }
});
