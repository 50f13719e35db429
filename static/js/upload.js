// Pictures of a case are sent as soon as they are chosen: two at a time, large photos made smaller first, each with its
// progress, a way to stop it, and three more tries. The same number goes with every try, so that it is one picture.

const AT_ONCE = 2;
const WAITS = [1000, 3000, 9000]; // milliseconds before each further try
const LARGE = 2000000; // bytes from which on a photo is made smaller
const SIDE = 3000; // pixels of its longer side then
const QUALITY = 0.92;
const THUMB = 96;

function number() {
  return crypto.randomUUID?.() ?? "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (sign) =>
    (sign ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (sign / 4)))).toString(16));
}

function isPhoto(file) {
  return file.type.startsWith("image/") || /\.(hei[cf]|jpe?g|png|webp)$/i.test(file.name);
}

// The picture upright, or null where this browser cannot read it.
async function decode(file) {
  try {
    return isPhoto(file) ? await createImageBitmap(file, { imageOrientation: "from-image" }) : null;
  } catch {
    return null;
  }
}

function drawSmall(canvas, bitmap) {
  const scale = Math.max(THUMB / bitmap.width, THUMB / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  canvas.getContext("2d").drawImage(bitmap, (THUMB - width) / 2, (THUMB - height) / 2, width, height);
}

async function smaller(file, bitmap) {
  const scale = bitmap ? Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height)) : 1;
  if (!bitmap || file.size <= LARGE) return file;
  try {
    const canvas = Object.assign(document.createElement("canvas"), {
      width: Math.round(bitmap.width * scale),
      height: Math.round(bitmap.height * scale),
    });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return made && made.size < file.size ? made : file;
  } catch {
    return file;
  }
}

function tend(area) {
  const form = area.closest("form");
  const panels = area.querySelector("[data-panels]");
  const shape = area.querySelector("template");
  const said = area.querySelector("[data-uploads-said]");
  const most = Number(area.dataset.most);
  const uploads = new Set(); // waiting, being sent, or failed
  let beginning = null; // the draft being made
  let submitter = null; // the button that waits for them

  const pictures = () => [...panels.querySelectorAll("[data-image]")];
  const sending = () => [...uploads].filter((one) => one.state !== "failed");

  // A case that is not kept yet becomes a draft first; from then on the page has the draft's address.
  async function begin() {
    if (area.dataset.uploadUrl) return true;
    beginning ??= (async () => {
      const typed = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
      const headers = { "HX-Request": "true" };
      const answer = await fetch(form.dataset.draftUrl, { method: "POST", body: typed, headers }).catch(() => null);
      const place = answer?.headers.get("Location");
      if (place) {
        const address = new URL(place, location.href).pathname;
        form.action = address;
        form.dataset.draftUrl = `${address}?keep`;
        area.dataset.uploadUrl = `${address}images/`;
        history.replaceState(null, "", address);
        return { ok: true };
      }
      const words = answer?.status === 409 ? await answer.text() : "";
      return { ok: false, words, status: answer?.status ?? 0 };
    })();
    const made = await beginning;
    if (!made.ok) beginning = null;
    return made.ok || made;
  }

  function show(upload, state, words, percent) {
    upload.state = state;
    upload.panel.querySelector("[data-state]").textContent = words;
    upload.panel.querySelector("[data-retry]").hidden = state !== "failed" || upload.isFinal;
    upload.panel.querySelector("[data-cancel]").textContent = state === "failed" ? "Remove" : "Cancel";
    const bar = upload.panel.querySelector("progress");
    bar.hidden = state === "failed";
    if (percent === null) bar.removeAttribute("value");
    else bar.value = percent ?? 0;
  }

  function fail(upload, words, isFinal = false) {
    upload.isFinal = isFinal;
    show(upload, "failed", words);
    upload.panel.classList.add("failed");
    said.textContent = `${upload.file.name}: ${words}`;
    settle();
  }

  function failed(upload, status) {
    if (status >= 400 && status < 500) {
      const isOut = status === 401 || status === 403;
      fail(upload, isOut ? "Not sent. You were logged out; log in in another tab, then retry." : "Not sent. Reload the page.");
      if (isOut) form.dispatchEvent(new CustomEvent("not-sent", { bubbles: true, detail: { status: 401 } }));
    } else if (upload.tries < WAITS.length) {
      show(upload, "waiting", "The connection dropped. It is sent again by itself.", 0);
      upload.timer = setTimeout(() => send(upload), WAITS[upload.tries++]);
    } else {
      fail(upload, "Not sent. The connection dropped.");
    }
  }

  async function send(upload) {
    show(upload, "sending", "Getting ready", 0);
    const draft = await begin();
    if (!uploads.has(upload)) return;
    if (draft !== true) return draft.words ? fail(upload, draft.words, true) : failed(upload, draft.status);
    if (!upload.body) {
      const bitmap = await decode(upload.file);
      if (bitmap) drawSmall(upload.panel.querySelector("canvas"), bitmap);
      upload.body = await smaller(upload.file, bitmap);
      bitmap?.close();
    }
    if (!uploads.has(upload)) return;
    const data = new FormData();
    data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    data.append("upload", upload.number);
    data.append("pictures", upload.body, upload.file.name);
    const request = (upload.request = new XMLHttpRequest());
    request.open("POST", area.dataset.uploadUrl);
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = ({ loaded, total }) => {
      const percent = Math.floor((100 * loaded) / total);
      show(upload, "sending", percent < 100 ? `${percent}% sent` : "Sent. Looking for faces and writing", percent < 100 ? percent : null);
    };
    request.onload = () => answered(upload, request);
    request.onerror = () => failed(upload, 0);
    request.send(data);
  }

  function answered(upload, request) {
    if (request.status === 422) return fail(upload, request.responseText, true);
    if (request.status !== 200) return failed(upload, request.status);
    uploads.delete(upload);
    upload.panel.insertAdjacentHTML("afterend", request.responseText);
    const made = upload.panel.nextElementSibling;
    inOrder();
    const hadFocus = upload.panel.contains(document.activeElement);
    upload.panel.remove();
    window.htmx?.process(made);
    if (hadFocus) made.querySelector("button").focus();
    const places = pictures().length;
    said.textContent = `${upload.file.name} is here, picture ${places} of ${most} at most.`;
    settle();
  }

  // Those that are there in the order of their case, whichever came first; what is still sent stands behind them.
  function inOrder() {
    const there = pictures().sort((one, other) => one.dataset.place - other.dataset.place);
    panels.prepend(...there);
  }

  new MutationObserver(() => {
    pictures().forEach((panel, place) => panel.querySelectorAll("[data-number]").forEach((one) => (one.textContent = place + 1)));
  }).observe(panels, { childList: true });

  function settle() {
    const free = AT_ONCE - [...uploads].filter((one) => one.state === "sending" || one.tries).length;
    [...uploads].filter((one) => one.state === "queued").slice(0, Math.max(0, free)).forEach(send);
    if (!submitter || sending().length) return;
    const waited = submitter;
    submitter = null;
    if (uploads.size) [...uploads][0].panel.querySelector("button:not([hidden])").focus();
    else form.requestSubmit(waited);
  }

  function stop(upload) {
    clearTimeout(upload.timer);
    uploads.delete(upload);
    upload.request?.abort();
    upload.panel.remove();
    said.textContent = `${upload.file.name} is left out.`;
    area.querySelector("#id_pictures").focus();
    settle();
  }

  function again(upload) {
    upload.tries = 0;
    upload.panel.classList.remove("failed");
    upload.panel.querySelector("[data-cancel]").focus();
    send(upload);
  }

  function take(file) {
    const panel = shape.content.firstElementChild.cloneNode(true);
    const upload = { file, panel, number: number(), tries: 0 };
    panel.querySelector("[data-name]").textContent = file.name;
    panel.querySelector("progress").setAttribute("aria-label", `${file.name}, sent`);
    panel.querySelector("[data-cancel]").addEventListener("click", () => stop(upload));
    panel.querySelector("[data-retry]").addEventListener("click", () => again(upload));
    panels.append(panel);
    uploads.add(upload);
    show(upload, "queued", "Waiting", 0);
  }

  area.addEventListener("change", (event) => {
    if (!event.target.matches("[data-source]")) return;
    const files = [...event.target.files];
    event.target.value = "";
    const room = most - pictures().length - sending().length;
    files.slice(0, Math.max(0, room)).forEach(take);
    if (files.length > room) said.textContent = `A case has at most ${most} pictures; ${files.length - room} left out.`;
    settle();
  });

  // Before draft.js: a form is sent once all that was chosen has arrived.
  document.addEventListener("submit", (event) => {
    if (event.target !== form || !uploads.size) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    submitter = event.submitter;
    if (sending().length) said.textContent = "Your pictures are still being sent; then it goes on by itself.";
    settle();
  }, true);

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || !event.detail.elt.matches?.("[data-remove]")) return;
    said.textContent = "The picture is removed.";
    area.querySelector("#id_pictures").focus();
  });

  addEventListener("online", () => [...uploads].filter((one) => one.state === "failed" && !one.isFinal).forEach(again));
  addEventListener("beforeunload", (event) => {
    if (sending().length) event.preventDefault();
  });
}

document.querySelectorAll("[data-uploads]").forEach(tend);
