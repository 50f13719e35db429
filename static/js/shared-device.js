// On a device that others use: a warning two minutes before the server ends the session, and no page left open after it.
// What an open page asks here keeps nobody logged in; only the button does.

"use strict";
{
  const WARNED = 120; // seconds before the end
  const SLACK = 2; // after which the session is surely over
  const form = document.querySelector("[data-shared]");

  async function left(method, address) {
    const headers = { Accept: "application/json" };
    if (method === "POST") headers["X-CSRFToken"] = form.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const answer = await fetch(address, { method, headers, redirect: "error" });
      return (await answer.json()).seconds ?? Infinity;
    } catch {
      return 0; // the log-in page, or no connection
    }
  }

  function watch(seconds) {
    const button = form.querySelector("[data-shared-stay]");
    const isNear = seconds <= WARNED;
    form.classList.toggle("is-near", isNear);
    button.hidden = !isNear;
    const words = form.querySelector("[data-shared-words]");
    words.dataset.calm ??= words.textContent;
    words.textContent = isNear ? "You are logged out in two minutes. What you wrote and did not send may be lost." : words.dataset.calm;
    if (seconds === Infinity) return;
    const next = isNear ? seconds + SLACK : seconds - WARNED;
    setTimeout(async () => {
      const now = await left("GET", form.dataset.left);
      if (now > 0) watch(now);
      else location.reload();
    }, next * 1000);
  }

  if (form) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await left("POST", form.action);
      form.classList.remove("is-near");
      form.querySelector("[data-shared-stay]").hidden = true;
      const words = form.querySelector("[data-shared-words]");
      words.textContent = "You stay logged in.";
    });
    left("GET", form.dataset.left).then(watch);
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  // The tick of the log-in form counts for a passkey, too, which a form of its own sends.
  const tick = document.getElementById("id_shared");
  const beside = document.querySelector("#mfa_login [name=shared]");
  if (tick && beside) {
    const copy = () => (beside.value = tick.checked ? "on" : "");
    tick.addEventListener("change", copy);
    copy();
  }
}
