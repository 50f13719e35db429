// The number beside the inbox is asked for anew each minute, while the page is looked at.

const EVERY = 60000; // milliseconds
const counts = document.querySelectorAll("[data-inbox-count]");

async function count() {
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(`${counts[0].closest("a").href}count/`, { redirect: "error" });
    if (!answer.ok) return;
    const fragment = await answer.text();
    for (const place of counts) place.innerHTML = fragment;
  } catch {
    // No connection, or no session: the number stays as it was.
  }
}

if (counts.length) setInterval(count, EVERY);
