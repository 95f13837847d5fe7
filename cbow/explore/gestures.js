// What hands do to the map: drag, pinch, click, turn the wheel, press keys.

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
