// Black boxes over a picture, drawn by finger, mouse, pen or keyboard. The rows of numbers below are what counts and
// what is sent; this draws them, and writes into them. All sizes are thousandths of the picture's sides.

const SIDES = ["left", "top", "width", "height"];
const LEAST = 10;
const STEP = 10; // by one arrow
const NAMES = { face: "Face", text: "Writing", own: "Box" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CORNERS = ["nw", "ne", "sw", "se"];

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const percent = (value) => `${value / 10}%`;

function tend(editor) {
  const stage = editor.querySelector("[data-stage]");
  const rows = editor.querySelector("[data-rows]");
  const shape = editor.querySelector("template");
  const said = editor.querySelector("[data-said]");
  const total = editor.querySelector("[name$='-TOTAL_FORMS']");
  const button = (act) => editor.querySelector(`[data-act=${act}]`);
  const drawn = new Map(); // row -> its box over the picture
  let selected = null; // the row whose box was last taken hold of
  const past = []; // what the rows said before each change, and why a face stays open
  let timer = 0;

  const cell = (row, name) => row.querySelector(`[name$='-${name}']`);
  const all = () => [...rows.children];
  const why = editor.parentElement.querySelector("[data-why] select");

  const isEmpty = (row) => SIDES.every((name) => cell(row, name).value === "" && !cell(row, name).validity.badInput);

  // The four numbers of a row where they make a box.
  function typed(row) {
    const values = SIDES.map((name) => (cell(row, name).value === "" ? NaN : Math.round(cell(row, name).valueAsNumber * 10)));
    const [left, top, width, height] = values;
    const isBox = values.every((value) => value >= 0 && value <= 1000) && left < 1000 && top < 1000 && width && height;
    return isBox ? values : null;
  }

  // The box of a row; while its numbers make none, the one it was, as the site keeps it.
  function read(row) {
    if (isEmpty(row) || cell(row, "gone").checked || cell(row, "not_face")?.checked) return null;
    const values = typed(row) ?? cell(row, "was")?.value.split(" ").map(Number);
    if (values?.length !== SIDES.length) return null;
    return { ...Object.fromEntries(SIDES.map((name, place) => [name, values[place]])), sort: cell(row, "sort").value || "own" };
  }

  function write(row, box) {
    for (const name of SIDES) cell(row, name).value = box ? (box[name] / 10).toFixed(1) : "";
    cell(row, "sort").value = box?.sort ?? "";
    for (const name of ["gone", "not_face"]) if (cell(row, name)) cell(row, name).checked = false;
    settled(row);
  }

  // What a row is from now on when its numbers make no box: not before one has typed them to their end.
  function settled(row) {
    const was = cell(row, "was");
    if (was && (isEmpty(row) || typed(row))) was.value = typed(row)?.join(" ") ?? "";
  }

  function now() {
    return { boxes: all().map(read), why: why?.value };
  }

  function remember(before = now()) {
    past.push(before);
    button("undo").disabled = false;
  }

  function changed(words) {
    draw();
    rows.dispatchEvent(new Event("change", { bubbles: true }));
    cell(all()[0], "left").dispatchEvent(new Event("change", { bubbles: true })); // the form keeps its draft
    if (words) tell(words);
  }

  // Said once one has stopped, not at each step.
  function tell(words) {
    clearTimeout(timer);
    timer = setTimeout(() => (said.textContent = words), 300);
  }

  function words(row) {
    const box = read(row);
    const place = all().indexOf(row) + 1; // as the site counts them when it finds fault
    return `${NAMES[box.sort] ?? NAMES.own} ${place}: ${percent(box.left)} from the left, ${percent(box.top)} from the top, ${percent(box.width)} wide, ${percent(box.height)} high`;
  }

  function boxOf(row) {
    if (drawn.has(row)) return drawn.get(row);
    const box = document.createElement("button");
    box.type = "button";
    box.className = "redact-box";
    box.setAttribute("aria-roledescription", "black box");
    for (const corner of CORNERS) {
      const handle = document.createElement("span");
      handle.className = "redact-handle";
      handle.dataset.corner = corner;
      box.append(handle);
    }
    box.addEventListener("focus", () => select(row));
    stage.append(box);
    drawn.set(row, box);
    return box;
  }

  function select(row) {
    selected = row;
    for (const [one, box] of drawn) box.classList.toggle("selected", one === row);
    offer();
  }

  function offer() {
    button("remove").disabled = !drawn.has(selected);
    if (button("not-face")) button("not-face").hidden = !drawn.has(selected) || read(selected)?.sort !== "face";
  }

  function draw() {
    for (const row of all()) {
      const values = read(row);
      if (values) {
        const { style } = boxOf(row);
        style.left = percent(values.left);
        style.top = percent(values.top);
        style.width = percent(values.width);
        style.height = percent(values.height);
      } else {
        drawn.get(row)?.remove();
        drawn.delete(row);
      }
    }
    for (const [row, box] of drawn) {
      const { sort } = read(row);
      box.setAttribute("aria-label", words(row));
      box.dataset.tag = sort === "own" ? "" : NAMES[sort] ?? "";
      row.querySelector("legend").textContent = words(row).split(":")[0] + (typed(row) ? "" : ": these numbers make no box, it stays as it was");
      const notFace = cell(row, "not_face")?.closest("label");
      if (notFace) notFace.hidden = sort !== "face";
    }
    offer();
  }

  function rowOf(box) {
    return [...drawn].find(([, one]) => one === box)?.[0];
  }

  function emptyRow() {
    const free = all().find(isEmpty);
    if (free) return free;
    const made = shape.content.firstElementChild.cloneNode(true);
    for (const part of made.querySelectorAll("[name], [id], [for]")) {
      for (const name of ["name", "id", "for"]) {
        if (part.hasAttribute(name)) part.setAttribute(name, part.getAttribute(name).replace("__prefix__", total.value));
      }
    }
    total.value = Number(total.value) + 1;
    rows.append(made);
    return made;
  }

  function add(box) {
    const row = emptyRow();
    write(row, { sort: "own", ...box });
    return row;
  }

  function remove(row, reason = "") {
    const name = words(row).split(":")[0];
    const others = [...drawn.keys()].filter((one) => one !== row);
    remember();
    if (reason && !why.value) why.value = reason;
    write(row, null);
    changed(`${name} is removed. ${others.length} left.`);
    (others.length ? drawn.get(others[0]) : button("add")).focus();
  }

  function undo() {
    const before = past.pop();
    if (!before) return;
    all().forEach((row, place) => write(row, before.boxes[place] ?? null));
    if (why) why.value = before.why;
    button("undo").disabled = !past.length;
    changed("Undone.");
  }

  function nudge(row, [x, y], isSize) {
    const box = read(row);
    remember();
    if (isSize) {
      box.width = clamp(box.width + x * STEP, LEAST, 1000 - box.left);
      box.height = clamp(box.height + y * STEP, LEAST, 1000 - box.top);
    } else {
      box.left = clamp(box.left + x * STEP, 0, 1000 - box.width);
      box.top = clamp(box.top + y * STEP, 0, 1000 - box.height);
    }
    write(row, box);
    changed(words(row));
  }

  // By finger, mouse or pen

  function at(event) {
    const { left, top, width, height } = stage.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height].map((share) => clamp(Math.round(share * 1000), 0, 1000));
  }

  function between([x1, y1], [x2, y2]) {
    return { left: Math.min(x1, x2), top: Math.min(y1, y2), width: Math.abs(x1 - x2), height: Math.abs(y1 - y2) };
  }

  function moved(from, to, box) {
    return {
      ...box,
      left: clamp(box.left + to[0] - from[0], 0, 1000 - box.width),
      top: clamp(box.top + to[1] - from[1], 0, 1000 - box.height),
    };
  }

  function sized(to, box, corner) {
    const fixed = [corner.includes("w") ? box.left + box.width : box.left, corner.includes("n") ? box.top + box.height : box.top];
    const made = between(fixed, to);
    return { ...box, ...made, width: Math.max(made.width, LEAST), height: Math.max(made.height, LEAST) };
  }

  stage.addEventListener("pointerdown", (event) => {
    const box = event.target.closest(".redact-box");
    const isDrawing = !box && (event.pointerType !== "touch" || stage.classList.contains("drawing"));
    if (event.button !== 0 || !(box || isDrawing)) return;
    event.preventDefault();
    const from = at(event);
    const corner = event.target.dataset.corner;
    const before = now();
    let row = box ? rowOf(box) : null;
    const start = row ? read(row) : null;
    box?.focus();
    stage.setPointerCapture(event.pointerId);

    const move = (moving) => {
      if (moving.pointerId !== event.pointerId) return;
      const to = at(moving);
      if (start) {
        write(row, corner ? sized(to, start, corner) : moved(from, to, start));
      } else {
        const made = between(from, to);
        if (!row && (made.width < LEAST || made.height < LEAST)) return;
        row ??= add(made);
        write(row, { ...made, width: Math.max(made.width, LEAST), height: Math.max(made.height, LEAST), sort: "own" });
      }
      draw();
    };
    const end = (ending) => {
      if (ending.pointerId !== event.pointerId) return;
      stage.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) stage.removeEventListener(name, end);
      if (!row) return;
      if (ending.type === "pointercancel") {
        write(row, start);
        draw();
        return;
      }
      remember(before);
      changed(words(row));
      drawn.get(row).focus({ preventScroll: true });
    };
    stage.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, end);
  });

  editor.addEventListener("keydown", (event) => {
    if (event.target.matches("input")) return;
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      undo();
    }
    const row = rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    if (ARROWS[event.key]) nudge(row, ARROWS[event.key], event.shiftKey);
    else if (event.key === "Delete" || event.key === "Backspace") remove(row);
    else return;
    event.preventDefault();
  });

  function toggle(act, name) {
    const isOn = button(act).getAttribute("aria-pressed") !== "true";
    button(act).setAttribute("aria-pressed", isOn);
    stage.classList.toggle(name, isOn);
  }

  const ACTS = {
    undo,
    remove: () => remove(selected),
    "not-face": () => {
      remove(selected, "not_a_face");
      why.closest("details").open = true;
    },
    draw: () => toggle("draw", "drawing"),
    solid: () => toggle("solid", "solid"),
    add: () => {
      remember();
      const row = add({ left: 400, top: 400, width: 200, height: 200 });
      changed("");
      tell(`Added. ${words(row)}. Arrows move it, Shift and arrows change its size.`);
      drawn.get(row).focus();
    },
  };

  editor.addEventListener("click", (event) => ACTS[event.target.closest("[data-act]")?.dataset.act]?.());
  editor.addEventListener("input", (event) => event.target.closest("[data-row]") && draw());
  editor.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) settled(row);
  });
  editor.querySelector("[data-still]").remove(); // what the server drew, for pages without a script
  draw();
}

document.querySelectorAll("[data-redact]").forEach(tend);
