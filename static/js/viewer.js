// The viewer of a case's images: zoom, move, rotate, invert, light, windows, two side by side, marks, full screen.
// Without it the page shows one image with its marks, and links to the others.

const MOST = 8; // times the size that fits
const STEP = 1.3;
const MOVE = 60; // pixels of one press
const FULL_FROM = 1.5; // times the size that fits, from where on the large copy is worth its bytes
const TAP = 8; // pixels; a finger that moved less has not moved

function viewerOf(root) {
  const stage = root.querySelector("[data-stage]");
  const said = root.querySelector("[data-said]");
  const about = document.querySelector("[data-about]");
  const marking = document.querySelector("[data-mark]");
  const pictures = new Map();
  for (const figure of root.querySelectorAll("[data-picture]")) {
    const number = Number(figure.dataset.picture);
    pictures.set(number, pictureOf(figure, number));
  }
  const numbers = [...pictures.keys()];
  const seen = numbers.filter((number) => pictures.get(number).img);
  if (!seen.length) return;
  const first = [...pictures.values()].find((picture) => !picture.figure.hidden);
  const panes = [{ place: root.querySelector("[data-pane]"), picture: first }];
  const pointers = new Map();
  let active = 0;
  let linked = true;
  let sliding = false;
  let cover = 50;
  let placing = null; // where the new mark stands, in thousandths
  let grip = null; // what the fingers on the screen hold
  let lastTap = null;

  // The state of one picture, which it keeps while others are shown.
  function pictureOf(figure, number) {
    const img = figure.querySelector("img");
    return {
      figure,
      number,
      img,
      frame: figure.querySelector(".frame"),
      pins: figure.querySelector(".pins"),
      address: img?.getAttribute("src").split("?")[0],
      loaded: img && new Map([[img.getAttribute("src"), img]]),
      window: "",
      label: figure.dataset.window ?? "",
      ...untouched(),
    };
  }

  function untouched() {
    return { x: 0, y: 0, zoom: 1, angle: 0, inverted: false, brightness: 100, contrast: 100 };
  }

  const here = () => panes[active].picture;
  const isDrawn = (picture) => Boolean(picture.img);
  const tell = (words) => (said.textContent = words);
  const button = (name) => root.querySelector(`[data-do="${name}"]`);
  const press = (name, is) => button(name)?.setAttribute("aria-pressed", String(is));

  // Drawing

  function fitOf(pane) {
    const { frame, angle, img } = pane.picture;
    if (angle % 180 === 0) return 1;
    const { clientWidth, clientHeight } = pane.place;
    return Math.min(clientWidth / frame.offsetHeight, clientHeight / frame.offsetWidth, Math.max(1, img.naturalWidth / frame.offsetWidth));
  }

  function draw(pane) {
    const { picture } = pane;
    if (!isDrawn(picture)) return;
    const scale = picture.zoom * fitOf(pane);
    const [w, h] = [picture.frame.offsetWidth * scale, picture.frame.offsetHeight * scale];
    const [across, down] = picture.angle % 180 ? [h, w] : [w, h];
    picture.x = Math.max(-across / 2, Math.min(across / 2, picture.x));
    picture.y = Math.max(-down / 2, Math.min(down / 2, picture.y));
    picture.frame.style.transform = `translate(${picture.x}px, ${picture.y}px) rotate(${picture.angle}deg) scale(${scale})`;
    picture.img.style.filter = `brightness(${picture.brightness}%) contrast(${picture.contrast}%) invert(${picture.inverted ? 1 : 0})`;
    for (const pin of picture.pins.querySelectorAll("a, .new")) {
      pin.setAttribute("transform", `rotate(${-picture.angle}) scale(${1 / scale})`);
    }
    pane.place.style.touchAction = picture.zoom > 1 || placing ? "none" : "";
    if (picture.zoom > FULL_FROM) load(picture, "full");
  }

  function named(picture) {
    const name = panes.length > 1 ? `Image ${picture.number}` : `Image ${picture.number} of ${numbers.length}`;
    return picture.label ? `${name}, ${picture.label}` : name;
  }

  function drawAll() {
    for (const pane of panes) draw(pane);
    const picture = here();
    root.querySelector("[data-said-zoom]").textContent = `${Math.round(picture.zoom * 100)}%`;
    const image = root.querySelector("[data-said-image]");
    image.textContent = panes.map((pane) => named(pane.picture)).join(" | ");
    press("invert", picture.inverted);
    for (const level of ["brightness", "contrast"]) root.querySelector(`[data-level="${level}"]`).value = picture[level];
    for (const group of root.querySelectorAll("[data-windows]")) group.hidden = Number(group.dataset.windows) !== picture.number;
    for (const link of root.querySelectorAll("[data-show]")) {
      const isShown = panes.some((pane) => pane.picture.number === Number(link.dataset.show));
      isShown ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    }
    panes.forEach((pane, place) => (place === active && panes.length > 1 ? pane.place.setAttribute("aria-current", "true") : pane.place.removeAttribute("aria-current")));
    tellAbout(picture);
    if (panes[1]) panes[1].place.style.clipPath = sliding ? `inset(0 0 0 ${100 - cover}%)` : "";
  }

  // What stands below is about the picture one works with.
  function tellAbout(picture) {
    about.hidden = !isDrawn(picture);
    if (about.hidden) return;
    for (const number of about.querySelectorAll("[data-number]")) number.textContent = picture.number;
    about.querySelector("[data-description]").textContent = picture.img.alt;
    for (const link of about.querySelectorAll("[data-leads]")) link.href = picture.address + link.dataset.leads;
    if (marking) marking.querySelector("form").action = `${picture.address}mark/`;
  }

  // Another copy of the same picture: a larger one, another window. What came once is kept.
  async function load(picture, size = "screen") {
    const query = new URLSearchParams({ size });
    if (picture.window) query.set("window", picture.window);
    const url = `${picture.address}?${query}`;
    if (picture.wanted === url) return;
    picture.wanted = url;
    let copy = picture.loaded.get(url);
    if (!copy) {
      copy = new Image();
      for (const name of ["alt", "width", "height", "draggable"]) copy.setAttribute(name, picture.img.getAttribute(name));
      copy.src = url;
      try {
        await copy.decode();
      } catch {
        picture.wanted = null;
        tell(`Image ${picture.number} did not load.`);
        return;
      }
      picture.loaded.set(url, copy);
    }
    if (picture.wanted !== url) return;
    picture.img.replaceWith(copy);
    picture.img = copy;
    drawAll();
  }

  // Zooming and moving

  function partners() {
    return panes.length > 1 && (linked || sliding) ? panes : [panes[active]];
  }

  function share() {
    const { x, y, zoom } = here();
    for (const { picture } of partners()) Object.assign(picture, { x, y, zoom });
    drawAll();
  }

  function zoom(factor, x = 0, y = 0) {
    const picture = here();
    const next = Math.max(1, Math.min(MOST, picture.zoom * factor));
    const ratio = next / picture.zoom;
    picture.x = next === 1 ? 0 : x - (x - picture.x) * ratio;
    picture.y = next === 1 ? 0 : y - (y - picture.y) * ratio;
    picture.zoom = next;
    share();
  }

  function move(x, y) {
    const picture = here();
    picture.x += x;
    picture.y += y;
    share();
  }

  // Which picture

  function show(number, say = true) {
    const picture = pictures.get(number);
    const other = panes.find((pane, place) => place !== active && pane.picture === picture);
    if (other) other.picture = here(); // the two change places
    panes[active].picture = picture;
    place();
    stopPlacing();
    drawAll();
    if (say) tell(`Image ${number} of ${numbers.length}. ${picture.img?.alt ?? "Not shown."}`);
  }

  function place() {
    for (const picture of pictures.values()) picture.figure.hidden = !panes.some((pane) => pane.picture === picture);
    for (const pane of panes) if (pane.picture.figure.parentElement !== pane.place) pane.place.append(pane.picture.figure);
  }

  function step(by) {
    const at = numbers.indexOf(here().number);
    show(numbers[(at + by + numbers.length) % numbers.length]);
  }

  function compare() {
    if (panes.length > 1) {
      const kept = panes[active].picture;
      const [leaving] = panes.splice(1, 1);
      for (const figure of leaving.place.querySelectorAll("figure")) panes[0].place.append(figure);
      leaving.place.remove();
      panes[0].picture = kept;
      [active, sliding] = [0, false];
    } else {
      const next = seen[(seen.indexOf(here().number) + 1) % seen.length];
      const second = panes[0].place.cloneNode(false);
      second.setAttribute("aria-label", "Second image to zoom and move");
      panes[0].place.after(second);
      panes.push({ place: second, picture: pictures.get(next) });
      listen(second);
    }
    const two = panes.length > 1;
    stage.classList.toggle("two", two);
    root.querySelector('[data-row="compare"]').hidden = !two;
    slide(sliding);
    place();
    two ? share() : drawAll();
    press("compare", two);
    tell(two ? `Images ${panes[0].picture.number} and ${panes[1].picture.number} side by side.` : "One image.");
  }

  function slide(is) {
    sliding = is;
    stage.classList.toggle("sliding", is);
    root.querySelector("[data-slider]").hidden = !is;
    press("slide", is);
  }

  // Marks

  function startPlacing() {
    if (!marking || !isDrawn(here())) return;
    marking.open = true;
    const { left, top } = marking.querySelector("form").elements;
    press("mark", true);
    stage.classList.add("placing");
    putNew(Number(left.value) * 10, Number(top.value) * 10);
    panes[active].place.focus({ preventScroll: true });
    tell("Press the place, or move the new mark with the arrow keys and press Enter.");
  }

  function stopPlacing() {
    if (!placing) return;
    placing = null;
    root.querySelector(".new")?.closest("svg").remove();
    stage.classList.remove("placing");
    press("mark", false);
  }

  function putNew(left, top) {
    placing = [left, top].map((value) => Math.round(Math.max(0, Math.min(1000, value))));
    const { pins } = here();
    let spot = pins.querySelector(".new")?.closest("svg");
    if (!spot) {
      root.querySelector(".new")?.closest("svg").remove();
      pins.insertAdjacentHTML("beforeend", '<svg overflow="visible"><g class="new"><circle class="dot" r="11"/></g></svg>');
      spot = pins.lastElementChild;
    }
    spot.setAttribute("x", `${placing[0] / 10}%`);
    spot.setAttribute("y", `${placing[1] / 10}%`);
    const fields = marking.querySelector("form").elements;
    fields.left.value = placing[0] / 10;
    fields.top.value = placing[1] / 10;
    drawAll();
  }

  // Where on the picture a point of the screen lies, in thousandths of its sides.
  function spotOf(pane, event) {
    const { picture } = pane;
    const box = pane.place.getBoundingClientRect();
    const scale = picture.zoom * fitOf(pane);
    const x = event.clientX - box.left - box.width / 2 - picture.x;
    const y = event.clientY - box.top - box.height / 2 - picture.y;
    const turn = (-picture.angle * Math.PI) / 180;
    const [across, down] = [x * Math.cos(turn) - y * Math.sin(turn), x * Math.sin(turn) + y * Math.cos(turn)];
    return [500 + (across / scale / picture.frame.offsetWidth) * 1000, 500 + (down / scale / picture.frame.offsetHeight) * 1000];
  }

  function toForm() {
    leaveFull();
    marking.querySelector("#mark-label").focus();
  }

  function showMark(number, focus = true) {
    const pin = root.querySelector(`[data-pin="${number}"]`);
    if (!pin) return false;
    const of = Number(pin.closest("[data-picture]").dataset.picture);
    const shown = panes.findIndex((pane) => pane.picture.number === of);
    if (shown < 0) show(of, false);
    else active = shown;
    for (const each of root.querySelectorAll("[data-pin]")) each.classList.toggle("is-shown", each === pin);
    root.querySelector("[data-caption]").textContent = pin.getAttribute("aria-label");
    tell(pin.getAttribute("aria-label"));
    if (focus) {
      root.scrollIntoView({ block: "nearest" });
      pin.focus({ preventScroll: true });
    }
    return true;
  }

  // Full screen, where the browser has none by covering the page

  const isFull = () => document.fullscreenElement === root || root.classList.contains("whole-screen");

  function leaveFull() {
    root.classList.remove("whole-screen");
    if (document.fullscreenElement) document.exitFullscreen();
    afterFull();
  }

  async function enterFull() {
    try {
      if (!root.requestFullscreen) throw new Error("no full screen");
      await root.requestFullscreen();
    } catch {
      root.classList.add("whole-screen");
    }
    afterFull();
  }

  function afterFull() {
    press("full", isFull());
    drawAll();
  }

  // What buttons and keys do

  const acts = {
    "zoom-in": () => (zoom(STEP), tell(`Zoom ${Math.round(here().zoom * 100)} percent`)),
    "zoom-out": () => (zoom(1 / STEP), tell(`Zoom ${Math.round(here().zoom * 100)} percent`)),
    left: () => move(-MOVE, 0),
    right: () => move(MOVE, 0),
    up: () => move(0, -MOVE),
    down: () => move(0, MOVE),
    rotate: () => {
      here().angle = (here().angle + 90) % 360;
      drawAll();
      tell(`Rotated to ${here().angle} degrees`);
    },
    invert: () => {
      here().inverted = !here().inverted;
      drawAll();
      tell(here().inverted ? "Inverted" : "Not inverted");
    },
    reset: () => {
      for (const { picture } of partners()) Object.assign(picture, untouched());
      drawAll();
      tell("As it was");
    },
    window: (pressed) => {
      const picture = here();
      picture.window = pressed.dataset.key;
      picture.label = pressed.textContent;
      for (const each of pressed.parentElement.children) each.setAttribute("aria-pressed", String(each === pressed));
      load(picture, picture.zoom > FULL_FROM ? "full" : "screen");
      tell(`Window: ${picture.label}`);
    },
    previous: () => step(-1),
    next: () => step(1),
    compare,
    link: () => {
      linked = !linked;
      press("link", linked);
      if (linked) share();
      tell(linked ? "Both move together" : "Each moves alone");
    },
    slide: () => {
      slide(!sliding);
      share();
      tell(sliding ? "The second image covers the first" : "Side by side");
    },
    mark: () => (placing ? stopPlacing() : startPlacing()),
    full: () => (isFull() ? leaveFull() : enterFull()),
  };

  const KEYS = { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", r: "rotate", i: "invert", 0: "reset", "[": "previous", "]": "next", c: "compare", m: "mark", f: "full" };
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  root.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-do], [data-opens], [data-show], [data-pin]");
    if (!pressed) return;
    event.preventDefault();
    const { do: act, opens, show: number, pin } = pressed.dataset;
    if (act) acts[act](pressed);
    else if (number) show(Number(number));
    else if (pin) showMark(pin);
    else {
      const row = root.querySelector(`[data-row="${opens}"]`);
      row.hidden = !row.hidden;
      pressed.setAttribute("aria-expanded", String(!row.hidden));
    }
  });

  root.addEventListener("input", (event) => {
    const { level } = event.target.dataset;
    if (!level) return;
    if (level === "cover") cover = Number(event.target.value);
    else here()[level] = Number(event.target.value);
    drawAll();
  });

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
    const arrow = event.target.closest("[data-pane]") && ARROWS[event.key];
    if (event.key === "Escape" && (placing || root.classList.contains("whole-screen"))) placing ? stopPlacing() : leaveFull();
    else if (event.key === "Enter" && placing && event.target.matches("[data-pane]")) toForm();
    else if (arrow && placing) putNew(placing[0] + arrow[0] * (event.shiftKey ? 50 : 10), placing[1] + arrow[1] * (event.shiftKey ? 50 : 10));
    else if (arrow) move(arrow[0] * -MOVE, arrow[1] * -MOVE);
    else if (KEYS[event.key] && button(KEYS[event.key])) acts[KEYS[event.key]](button(KEYS[event.key]));
    else return;
    event.preventDefault();
  });

  // Mouse and fingers

  function listen(where) {
    const pane = () => panes.find((each) => each.place === where);
    const centered = (event) => {
      const box = where.getBoundingClientRect();
      return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    };

    where.addEventListener("focusin", () => {
      const at = panes.indexOf(pane());
      if (at === active || at < 0) return;
      stopPlacing();
      active = at;
      drawAll();
    });

    where.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("a")) return;
      where.focus({ preventScroll: true });
      where.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      grip = gripOf();
      if (pointers.size === 1) grip.start = [event.clientX, event.clientY];
    });

    where.addEventListener("pointermove", (event) => {
      if (!pointers.has(event.pointerId) || !grip) return;
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      const now = gripOf();
      if (grip.start && Math.hypot(event.clientX - grip.start[0], event.clientY - grip.start[1]) > TAP) grip.start = null;
      if (pointers.size > 1 && grip.wide) {
        const box = where.getBoundingClientRect();
        zoom(now.wide / grip.wide, now.x - box.left - box.width / 2, now.y - box.top - box.height / 2);
      }
      if (!grip.start) move(now.x - grip.x, now.y - grip.y);
      grip = { ...now, start: grip.start };
    });

    where.addEventListener("pointerup", (event) => {
      if (!pointers.delete(event.pointerId)) return;
      const tapped = grip?.start;
      grip = pointers.size ? gripOf() : null;
      if (!tapped) return;
      if (placing) {
        putNew(...spotOf(pane(), event));
        return toForm();
      }
      const [x, y] = centered(event);
      if (lastTap && event.timeStamp - lastTap.at < 350 && Math.hypot(x - lastTap.x, y - lastTap.y) < 24) {
        here().zoom > 1 ? zoom(1 / MOST) : zoom(2.5, x, y);
        lastTap = null;
      } else lastTap = { at: event.timeStamp, x, y };
    });

    where.addEventListener("pointercancel", (event) => {
      pointers.delete(event.pointerId);
      grip = null;
    });

    // Only once one has turned to the image: else the wheel scrolls the page.
    where.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !isFull() && !where.contains(document.activeElement)) return;
        event.preventDefault();
        active = panes.indexOf(pane());
        zoom(Math.exp(-event.deltaY * 0.002), ...centered(event));
      },
      { passive: false },
    );
  }

  function gripOf() {
    const held = [...pointers.values()];
    const [a, b] = held;
    return b ? { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, wide: Math.hypot(a[0] - b[0], a[1] - b[1]) } : { x: a[0], y: a[1] };
  }

  listen(panes[0].place);
  marking?.addEventListener("input", (event) => {
    const { left, top } = event.currentTarget.querySelector("form").elements;
    if (event.target === left || event.target === top) putNew(Number(left.value) * 10, Number(top.value) * 10);
  });
  document.addEventListener("fullscreenchange", afterFull);
  addEventListener("resize", drawAll);
  drawAll();
  return { showMark };
}

// "(mark 2)" in an answer becomes the mark's own sign, which leads to it.
function pinsInText(root) {
  for (const prose of document.querySelectorAll(".prose:not([data-pinned])")) {
    prose.dataset.pinned = "";
    const texts = document.createTreeWalker(prose, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) if (/\(\s*mark\s+\d{1,2}\s*\)/i.test(texts.currentNode.data)) found.push(texts.currentNode);
    for (const text of found) {
      const parts = text.data.split(/\(\s*mark\s+(\d{1,2})\s*\)/i).map((part, at) => (at % 2 ? signOf(root, Number(part)) : part));
      text.replaceWith(...parts);
    }
  }
}

function signOf(root, number) {
  const pin = root.querySelector(`[data-pin="${number}"]`);
  if (!pin) return `(mark ${number})`;
  const sign = document.createElement("button");
  Object.assign(sign, { type: "button", className: "pin", textContent: number });
  sign.dataset.showMark = number;
  sign.setAttribute("aria-label", pin.getAttribute("aria-label"));
  return sign;
}

const viewed = document.querySelector("[data-viewer]");
const viewer = viewed && viewerOf(viewed);
if (viewer) {
  pinsInText(viewed);
  document.addEventListener("htmx:afterSettle", () => pinsInText(viewed));
  document.addEventListener("click", (event) => {
    const sign = event.target.closest("[data-show-mark]");
    if (sign && viewer.showMark(sign.dataset.showMark)) event.preventDefault();
  });
}
