// A long list of which one takes a few: select[data-picker="3"] becomes a box that completes names, and chips.

function build(select) {
  const most = Number(select.dataset.picker);
  const options = [...select.options];
  const box = Object.assign(document.createElement("input"), { className: "input", id: select.id, type: "text" });
  const names = Object.assign(document.createElement("datalist"), { id: `${select.id}_names` });
  const chips = Object.assign(document.createElement("div"), { className: "cluster" });
  const said = Object.assign(document.createElement("p"), { className: "help" });
  box.setAttribute("list", names.id);
  box.setAttribute("autocomplete", "off");
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) box.setAttribute(name, select.getAttribute(name));
  }
  said.setAttribute("role", "status");
  names.append(...options.map((option) => new Option(option.text)));

  function draw() {
    const chosen = [...select.selectedOptions];
    chips.replaceChildren(...chosen.map(chip));
    chips.hidden = !chosen.length;
    box.disabled = chosen.length >= most;
    said.textContent = `${chosen.length} of ${most} chosen`;
  }

  function change(option, selected) {
    option.selected = selected;
    if (selected) select.append(option); // what is sent is in the order of choosing
    draw();
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function chip(option) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.textContent = `${option.text} ×`;
    button.setAttribute("aria-label", `${option.text}, remove`);
    button.addEventListener("click", () => {
      change(option, false);
      box.focus();
    });
    return button;
  }

  function take() {
    const typed = box.value.trim().toLowerCase();
    const option = options.find((one) => one.text.toLowerCase() === typed && !one.selected);
    if (!option) return;
    box.value = "";
    change(option, true);
  }

  box.addEventListener("input", take);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const typed = box.value.trim().toLowerCase();
    const fits = options.filter((one) => !one.selected && one.text.toLowerCase().includes(typed));
    if (typed && fits.length === 1) box.value = fits[0].text;
    take();
  });

  select.id += "_select"; // its labels, and links to what is wrong with it, now lead to the box
  select.hidden = true;
  select.after(box, names, chips, said);
  draw();
}

document.querySelectorAll("select[data-picker]").forEach(build);
