// The map: what hands do to it (Gestures), whose words it shows, from where they are seen, and what is
// marked on it (WordMap).

/** Pixels around a dot in which a click means it, for a mouse, a pen and a finger. */
const REACH = { mouse: 10, pen: 14, touch: 22 };

/** A pointer that has moved farther is dragging, not clicking. */
const STILL = 5;

/** Pixels by which an arrow key moves, what Shift makes of it, and what a key zooms by. */
const STEP = 60;
const FAR = 5;
const ZOOM = 1.5;

/** How strongly the wheel zooms; a pinch on a touchpad comes as a wheel too, with Ctrl. */
const WHEEL = 0.0015;
const WHEEL_PINCH = 0.01;

/** Pixels for the units in which a wheel may count: pixels, lines, pages. */
const WHEEL_UNITS = [1, 30, 300];

/** A jerk of the wheel counts for so many pixels at most. */
const WHEEL_MOST = 300;

class Gestures {
  /** `actions` are pan(dx, dy), zoom(factor, x, y), point(x, y, reach), leave(), click(x, y,
   * reach), all(), chooseMiddle() and byKey(), which comes after each key. */
  constructor(canvas, actions) {
    this.canvas = canvas;
    this.actions = actions;
    this.pointers = new Map(); // those that are down, each {x, y, from, dragging}
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => actions.leave());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Where on the canvas a pointer is. */
  place(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  press(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const place = this.place(event);
    this.pointers.set(event.pointerId, { ...place, from: place, dragging: false });
    // Two fingers drag, even if they stand still.
    if (this.pointers.size > 1) for (const each of this.pointers.values()) each.dragging = true;
  }

  move(event) {
    const { x, y } = this.place(event);
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      if (event.pointerType === "mouse") this.actions.point(x, y, REACH.mouse);
      return;
    }
    pointer.dragging ||= Math.hypot(x - pointer.from.x, y - pointer.from.y) > STILL;
    if (!pointer.dragging) return;
    const other = [...this.pointers.values()].find((each) => each !== pointer);
    if (other) this.pinch(pointer, { x, y }, other);
    else this.actions.pan(x - pointer.x, y - pointer.y);
    Object.assign(pointer, { x, y });
  }

  /** Follow two fingers: what is between them stays there. */
  pinch(before, now, other) {
    const apart = (a) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
    this.actions.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    const factor = apart(now) / apart(before);
    this.actions.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  release(event) {
    const pointer = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    if (!pointer || pointer.dragging) return;
    const { x, y } = this.place(event);
    this.actions.click(x, y, REACH[event.pointerType] ?? REACH.mouse);
  }

  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * WHEEL_UNITS[event.deltaMode];
    const turned = Math.min(WHEEL_MOST, Math.max(-WHEEL_MOST, pixels));
    const { x, y } = this.place(event);
    this.actions.zoom(Math.exp(-turned * (event.ctrlKey ? WHEEL_PINCH : WHEEL)), x, y);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { pan, zoom, all, chooseMiddle, byKey } = this.actions;
    const far = event.shiftKey ? FAR * STEP : STEP;
    const keys = {
      ArrowLeft: () => pan(far, 0),
      ArrowRight: () => pan(-far, 0),
      ArrowUp: () => pan(0, far),
      ArrowDown: () => pan(0, -far),
      "+": () => zoom(ZOOM),
      "=": () => zoom(ZOOM), // + without Shift, on many keyboards
      "-": () => zoom(1 / ZOOM),
      0: () => all(),
      Enter: () => chooseMiddle(),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
    byKey();
  }
}

// --- the map -------------------------------------------------------------------------------------

/** Milliseconds of a flight over the map. */
const FLIGHT = 300;

/** How near a flight to question and answer comes, against the nearest that can be. */
const FOCUS = 1 / 8;

class WordMap {
  /** `choose` is called with a word that is clicked, `pointed` with one that keys have led to. */
  constructor(canvas, { choose, pointed }) {
    Object.assign(this, { canvas, choose, pointed });
    this.view = new View();
    this.drawing = new Drawing(canvas);
    this.model = null;
    this.chosen = []; // ids of the question
    this.near = []; // ids of the answer
    this.marked = new Set(); // both
    this.hovered = -1;
    this.covered = []; // boxes that lie over the map
    this.flight = null;
    this.waiting = false; // whether it will be drawn at the next chance
    this.moved = false; // whether the view of everything has been left
    this.keys = false; // whether keys move the map
    this.listen();
  }

  listen() {
    this.gestures = new Gestures(this.canvas, {
      pan: (dx, dy) => this.panBy(dx, dy),
      zoom: (factor, x, y) => this.zoomBy(factor, x, y),
      point: (x, y, reach) => this.hover(this.at(x, y, reach)),
      leave: () => this.hover(-1),
      click: (x, y, reach) => this.chooseId(this.at(x, y, reach)),
      all: () => this.all(),
      chooseMiddle: () => this.chooseId(this.middle()),
      byKey: () => this.byKey(),
    });
    this.canvas.addEventListener("focus", () => this.draw());
    this.canvas.addEventListener("blur", () => this.withoutKeys());
    this.canvas.addEventListener("pointerdown", () => this.withoutKeys());
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  /** Show the map of a model, or another question on it. */
  show(model, chosen, near) {
    const other = model !== this.model;
    Object.assign(this, { model, chosen, near, hovered: -1 });
    this.marked = new Set([...chosen, ...near]);
    this.noteCover();
    if (other && !this.moved) this.all(false);
    this.draw();
  }

  // --- from where it is seen --------------------------------------------------------------------

  /** See everything. */
  all(slowly = true) {
    this.fly(this.view.whole(this.model), slowly);
    this.moved = false;
  }

  /** See the words of the question and of the answer. */
  focus() {
    this.fly(this.view.around(this.model, [...this.marked], FOCUS * NEAREST), true);
    this.moved = true;
  }

  /** Move to the words of the question, if they are not all to be seen. */
  reach() {
    if (this.chosen.every((id) => this.view.shows(this.model, id))) return;
    const around = this.view.around(this.model, this.chosen, NEAREST);
    this.fly({ ...around, scale: Math.min(around.scale, this.view.scale) }, true);
    this.moved = true;
  }

  /** Go to another view, at once or before the eyes. */
  fly(goal, slowly) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (slowly && !still && !document.hidden) {
      const { x, y, scale } = this.view;
      this.flight = { from: { x, y, scale }, goal, start: performance.now() };
    } else {
      this.flight = null;
      Object.assign(this.view, goal);
    }
    this.draw();
  }

  /** Go on with a flight. */
  advance(now) {
    const { from, goal, start } = this.flight;
    const time = Math.min(1, Math.max(0, now - start) / FLIGHT);
    const share = time * time * (3 - 2 * time); // slow at both ends
    this.view.scale = from.scale * (goal.scale / from.scale) ** share;
    this.view.x = from.x + (goal.x - from.x) * share;
    this.view.y = from.y + (goal.y - from.y) * share;
    if (time === 1) this.flight = null;
    else this.draw();
  }

  zoomBy(factor, x, y) {
    this.flight = null;
    this.moved = true;
    this.view.zoom(factor, x, y);
    this.draw();
  }

  panBy(dx, dy) {
    this.flight = null;
    this.moved = true;
    this.view.pan(dx, dy);
    this.draw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.drawing.resize(width, height);
    this.view.resize(width, height);
    this.noteCover();
    if (!this.moved) this.all(false);
    this.draw();
  }

  // --- what is pointed at -----------------------------------------------------------------------

  /** Find the word whose dot is nearest to a pixel; -1 if none is within reach. */
  nearestTo(px, py, reach) {
    let best = -1;
    let least = reach;
    for (let id = 0; id < this.model.mapped; id++) {
      const [x, y] = this.view.screen(this.model, id);
      const distance = Math.hypot(x - px, y - py);
      if (distance < least) [best, least] = [id, distance];
    }
    return best;
  }

  /** Find the word that is meant at a pixel: a label first, then a dot. */
  at(x, y, reach) {
    const over = ({ left, right, top, bottom }) =>
      x >= left && x <= right && y >= top && y <= bottom;
    const label = this.drawing.labels.find(({ box }) => over(box));
    return label ? label.id : this.nearestTo(x, y, reach);
  }

  /** Find the word in the middle of the window. */
  middle() {
    const { width, height } = this.view;
    return this.nearestTo(width / 2, height / 2, Math.max(width, height) / 4);
  }

  chooseId(id) {
    if (id >= 0) this.choose(this.model.words[id]);
  }

  hover(id) {
    if (id === this.hovered) return;
    this.hovered = id;
    this.canvas.style.cursor = id < 0 ? "" : "pointer";
    this.draw();
  }

  /** After a key, point at the word in the middle. */
  byKey() {
    this.keys = true;
    this.hover(this.middle());
    this.pointed(this.hovered < 0 ? null : this.model.words[this.hovered]);
  }

  withoutKeys() {
    this.keys = false;
    this.hover(-1);
    this.draw();
  }

  // --- drawing ----------------------------------------------------------------------------------

  /** Take other colours. */
  recolour() {
    this.drawing.readColours();
    this.draw();
  }

  /** Note what lies over the map, where no label should be. */
  noteCover() {
    const { left: x, top: y } = this.canvas.getBoundingClientRect();
    const others = [...this.canvas.parentElement.children].filter((each) => each !== this.canvas);
    this.covered = others.map((each) => {
      const { left, right, top, bottom } = each.getBoundingClientRect();
      return { left: left - x, right: right - x, top: top - y, bottom: bottom - y };
    });
  }

  /** Draw at the next chance, once however often this is asked. */
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame((now) => {
      this.waiting = false;
      if (this.flight) this.advance(now);
      this.drawing.paint({ ...this, middle: this.keys });
    });
  }
}
