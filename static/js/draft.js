// A form with data-draft-url saves its fields there while one writes, and says so in its [data-draft-status].
// Nothing typed is given up before it has arrived: not when the session ends, not while the form is being sent.

const PAUSE = 2000; // milliseconds after the last key
const AGAIN = 15000; // after a failure
const PATIENCE = 5000; // for the answer
const kept = new WeakMap(); // form -> { dirty, timer, saving, checking, checked, sent }
let stale = false; // whether this page's token belongs to a session that is over

function state(form) {
  if (!kept.has(form)) kept.set(form, { dirty: false, timer: 0, saving: null });
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

// Logging in changes the token against forgery; take the one of the session there is now. False when there is none.
async function renew() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const { body } = new DOMParser().parseFromString(await answer.text(), "text/html");
    const headers = body.getAttribute("hx-headers");
    if (!headers) return false;
    document.body.setAttribute("hx-headers", headers);
    const token = JSON.parse(headers)["X-CSRFToken"];
    for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
    stale = false;
  } catch {
    // No connection: what is sent next will say so.
  }
  return true;
}

function notSent(element, status) {
  element.dispatchEvent(new CustomEvent("not-sent", { bubbles: true, detail: { status } }));
}

function later(form, wait) {
  clearTimeout(state(form).timer);
  state(form).timer = setTimeout(() => save(form), wait);
}

// Returns the answer's status: 204 saved, 401 without a session, 0 without a connection.
async function post(form) {
  if (stale) await renew();
  try {
    const answer = await fetch(form.dataset.draftUrl, {
      method: "POST",
      body: fields(form),
      redirect: "manual", // a way to the log-in page is no saving
      signal: AbortSignal.timeout(PATIENCE),
    });
    const status = answer.type === "opaqueredirect" ? 401 : answer.status;
    if (status === 401 || status === 403) stale = true;
    return status;
  } catch {
    return 0;
  }
}

async function save(form) {
  const now = state(form);
  await now.saving;
  if (!now.dirty || !form.isConnected) return;
  now.dirty = false;
  now.saving = post(form);
  const status = await now.saving;
  now.saving = null;
  if (status === 204) {
    tell(form, `Draft saved ${clock()}`);
    return;
  }
  now.dirty = true;
  tell(form, `Not saved. ${status ? "The site refused it" : "The connection dropped"}; your text is still here.`);
  if (!now.sent) later(form, AGAIN);
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.form;
    if (!form?.dataset.draftUrl) return;
    state(form).dirty = true;
    later(form, PAUSE);
  });
}

// A page that is left for the answer cannot keep the text, so it is saved first; refused, it is not sent at all.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.draftUrl || event.defaultPrevented) return; // the latter: htmx sends it
  const now = state(form);
  if (now.checked) {
    now.sent = true;
    return;
  }
  event.preventDefault();
  if (now.checking) return;
  now.checking = true;
  clearTimeout(now.timer);
  await now.saving;
  let status = await post(form);
  if (status === 403) status = (await renew()) ? await post(form) : 401;
  now.checking = false;
  if ([0, 401, 403].includes(status)) {
    now.dirty = true;
    later(form, AGAIN);
    notSent(form, status);
    return;
  }
  now.dirty = false;
  now.checked = true;
  form.requestSubmit(event.submitter);
});

// What htmx sends takes the place of the draft: a saving on its way must not arrive after it.
document.addEventListener("htmx:confirm", async (event) => {
  const { elt } = event.detail;
  const now = elt.matches("form[data-draft-url]") ? state(elt) : null;
  clearTimeout(now?.timer);
  if (!now?.saving && !stale) return;
  event.preventDefault();
  await now?.saving;
  clearTimeout(now?.timer);
  if (stale) await renew();
  event.detail.issueRequest();
});

for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout", "htmx:sendAbort"]) {
  document.addEventListener(name, (event) => {
    const form = event.detail.elt.closest("form[data-draft-url]");
    if (!form || "quiet" in event.detail.elt.dataset) return;
    state(form).dirty = true;
    later(form, PAUSE);
  });
}

// Posted, and the page goes on to where it stands: leaving must not bring the draft back.
document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
  const form = detail.elt.closest("form[data-draft-url]");
  if (form && detail.xhr.getResponseHeader("HX-Redirect")) state(form).dirty = false;
});

// A refused form comes back in place of the one that was sent, with the text in it.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.xhr?.status !== 422) return;
  const form = event.detail.elt.querySelector?.("form[data-draft-url]");
  if (!form) return;
  state(form).dirty = true;
  later(form, PAUSE);
});

document.addEventListener("htmx:responseError", async (event) => {
  let { status } = event.detail.xhr;
  if (status !== 401 && status !== 403) return;
  stale = true;
  if ("quiet" in event.target.dataset) return;
  if (status === 403 && !(await renew())) status = 401;
  notSent(event.target, status);
});

addEventListener("pagehide", () => {
  for (const form of document.querySelectorAll("form[data-draft-url]")) {
    const now = state(form);
    if (!now.dirty || now.sent) continue;
    if (navigator.sendBeacon(form.dataset.draftUrl, fields(form))) now.dirty = false;
  }
});

// Back to a form that was sent, from the browser's memory: it is a form again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-draft-url]")) state(form).checked = state(form).sent = false;
});
