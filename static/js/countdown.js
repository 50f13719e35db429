// The time left for a question of the verification challenge. The server keeps the time; this only shows it.

const CALLS = [60, 30, 10]; // seconds left at which readers are told

function words(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function run(clock) {
  const total = Number(clock.dataset.seconds);
  const started = performance.now();
  const bar = clock.querySelector("progress");
  const text = clock.querySelector("[data-countdown-text]");
  const call = clock.querySelector("[data-countdown-call]");
  let last = null;

  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil(total - (performance.now() - started) / 1000));
    if (left === last) return;
    last = left;
    bar.value = left;
    text.textContent = words(left);
    if (CALLS.includes(left)) call.textContent = `${left} seconds left`;
    if (left > 0) return;
    clearInterval(timer);
    call.textContent = "Time is up.";
    const form = clock.closest("form") ?? document.getElementById(clock.dataset.form);
    if (form) form.submit();
  }, 200);
}

document.querySelectorAll("[data-countdown]").forEach(run);

// A page taken from the browser's memory would show a wrong time.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("[data-countdown]")) location.reload();
});
