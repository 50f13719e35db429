// Pages on call: clocks that run down, and an inbox that is asked for anew while it is looked at.

const EVERY = 20000; // milliseconds
const ends = new WeakMap();

// As consults.on_call_own.clock_words has it.
function words(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

function tick() {
  for (const clock of document.querySelectorAll("[data-left]")) {
    if (!ends.has(clock)) ends.set(clock, performance.now() + Number(clock.dataset.left) * 1000);
    const said = words(Math.max(0, Math.round((ends.get(clock) - performance.now()) / 1000)));
    if (clock.textContent !== said) clock.textContent = said;
  }
}

// Not while it is operated by the keyboard: the focus would be lost.
async function renew() {
  const inbox = document.querySelector("[data-calls]");
  if (document.visibilityState !== "visible" || inbox.contains(document.activeElement)) return;
  const waiting = inbox.querySelectorAll("[data-call]").length;
  try {
    const address = `${inbox.dataset.calls}?known=${inbox.dataset.known}`;
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, redirect: "error" });
    if (answer.status !== 200 || inbox.contains(document.activeElement)) return;
    const isOpen = inbox.querySelector("details")?.open;
    inbox.outerHTML = await answer.text();
    const fresh = document.querySelector("[data-calls]");
    if (isOpen) fresh.querySelector("details")?.setAttribute("open", "");
    const now = fresh.querySelectorAll("[data-call]").length;
    if (now > waiting) document.getElementById("calls-said").textContent = `You are paged: ${now} waiting.`;
    tick();
  } catch {
    // No connection: what is shown stays.
  }
}

if (document.querySelector("[data-left], [data-calls]")) {
  tick();
  setInterval(tick, 1000);
  // A page taken from the browser's memory would show a wrong time.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
if (document.querySelector("[data-calls]")) {
  setInterval(renew, EVERY);
  document.addEventListener("visibilitychange", renew);
}
