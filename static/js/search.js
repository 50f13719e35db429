// The key / goes to the search box, unless one is typing.

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.getItem("keys-off")) return; // see keys.js
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector(".topbar .search input");
  if (!box?.checkVisibility()) return;
  event.preventDefault();
  box.focus();
});
