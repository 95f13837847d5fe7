// What part of the map is seen: the place in the middle, and pixels for a unit of the map.
//
//   screen = (place - middle) * scale + size / 2

/** How far out and in one can go, against the view of everything. */
const FARTHEST = 0.5;
const NEAREST = 400;

/** Pixels left free around what is to be seen, less in a small window. */
const MARGIN = 40;
const MARGIN_SHARE = 1 / 12;

/** No two words are nearer on the map than this counts for: one word alone has no extent. */
const SMALLEST = 1e-6;

class View {
  constructor() {
    Object.assign(this, { x: 0, y: 0, scale: 1, width: 1, height: 1 });
    this.wholeScale = 1; // that of everything
  }

  /** Take in another size of the window; what is in the middle stays there. */
  resize(width, height) {
    Object.assign(this, { width, height });
  }

  get margin() {
    return Math.min(MARGIN, this.width * MARGIN_SHARE, this.height * MARGIN_SHARE);
  }

  /** Give the view of some words, no nearer than `nearest` times the view of everything. */
  around(model, ids, nearest) {
    const [left, right] = extent(model.x, ids);
    const [top, bottom] = extent(model.y, ids);
    const across = (this.width - 2 * this.margin) / Math.max(right - left, SMALLEST);
    const down = (this.height - 2 * this.margin) / Math.max(bottom - top, SMALLEST);
    const scale = Math.min(across, down, nearest * this.wholeScale);
    return { x: (left + right) / 2, y: (top + bottom) / 2, scale };
  }

  /** Give the view of everything, which the limits of zooming follow. */
  whole(model) {
    this.wholeScale = Math.min(this.width, this.height); // of a map that is a single word
    const all = this.around(model, Array.from(model.x.keys()), 1);
    this.wholeScale = all.scale;
    return all;
  }

  /** Give the pixel of a word. */
  screen(model, id) {
    return [
      (model.x[id] - this.x) * this.scale + this.width / 2,
      (model.y[id] - this.y) * this.scale + this.height / 2,
    ];
  }

  /** Whether a word is in the window, and not at its very edge. */
  shows(model, id) {
    const [x, y] = this.screen(model, id);
    const { margin } = this;
    return x > margin && y > margin && x < this.width - margin && y < this.height - margin;
  }

  /** Move by pixels. */
  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
  }

  /** Zoom; what is at a pixel stays there. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const least = FARTHEST * this.wholeScale;
    const most = NEAREST * this.wholeScale;
    const scale = Math.min(Math.max(this.scale * factor, least), most);
    this.x += (px - this.width / 2) * (1 / this.scale - 1 / scale);
    this.y += (py - this.height / 2) * (1 / this.scale - 1 / scale);
    this.scale = scale;
  }
}

/** Give the smallest and the largest coordinate of some words. */
function extent(coordinates, ids) {
  let smallest = Infinity;
  let largest = -Infinity;
  for (const id of ids) {
    smallest = Math.min(smallest, coordinates[id]);
    largest = Math.max(largest, coordinates[id]);
  }
  return [smallest, largest];
}
