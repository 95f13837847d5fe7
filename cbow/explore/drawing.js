// The picture of the map on a canvas: which part is seen (View), where labels go (placeLabels), and
// dots, the question with its answer, and labels (Drawing).
//
// Labels are placed here and not in Python because they depend on the zoom, on the size of the window
// and on its fonts: at every zoom those words are labelled for which there is room. cbow.plot.words
// has another task: there all words get a label, in a picture that does not move.

// --- what part of the map is seen ----------------------------------------------------------------
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

  /** Return the view of some words, no nearer than `nearest` times the view of everything. */
  around(model, ids, nearest) {
    const [left, right] = extent(model.x, ids);
    const [top, bottom] = extent(model.y, ids);
    const across = (this.width - 2 * this.margin) / Math.max(right - left, SMALLEST);
    const down = (this.height - 2 * this.margin) / Math.max(bottom - top, SMALLEST);
    const scale = Math.min(across, down, nearest * this.wholeScale);
    return { x: (left + right) / 2, y: (top + bottom) / 2, scale };
  }

  /** Return the view of everything, which the limits of zooming follow. */
  whole(model) {
    this.wholeScale = Math.min(this.width, this.height); // of a map that is a single word
    const all = this.around(model, Array.from(model.x.keys()), 1);
    this.wholeScale = all.scale;
    return all;
  }

  /** Return the pixel of a word. */
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

/** Return the smallest and the largest coordinate of some words. */
function extent(coordinates, ids) {
  let smallest = Infinity;
  let largest = -Infinity;
  for (const id of ids) {
    smallest = Math.min(smallest, coordinates[id]);
    largest = Math.max(largest, coordinates[id]);
  }
  return [smallest, largest];
}

// --- labels: none over another, the more frequent words first ------------------------------------

/** Sides of a dot where its label may stand, the preferred first: right, left, above, below. */
const SIDES = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
];

/** Free pixels between two labels, across and down. */
const GAP_X = 6;
const GAP_Y = 2;

/** Labels at most; more would be no help to the eye. */
const MOST_LABELS = 400;

/** Boxes are looked up by the cells of a grid they lie in, so wide and so high. */
const CELL_X = 96;
const CELL_Y = 32;

/** No label is narrower; where this finds no room, the text need not be measured. */
const NARROWEST = 12;

class Boxes {
  constructor(width, height) {
    Object.assign(this, { width, height });
    this.columns = Math.ceil(width / CELL_X) + 1;
    this.lines = Math.ceil(height / CELL_Y) + 1;
    this.cells = Array.from({ length: this.columns * this.lines }, () => []);
  }

  /** Visit the cells that a box lies in; stop and say so when `visit` gives true. */
  some(box, visit) {
    const first = Math.max(0, Math.floor(box.left / CELL_X));
    const last = Math.min(this.columns - 1, Math.floor(box.right / CELL_X));
    const top = Math.max(0, Math.floor(box.top / CELL_Y));
    const bottom = Math.min(this.lines - 1, Math.floor(box.bottom / CELL_Y));
    for (let line = top; line <= bottom; line++) {
      for (let column = first; column <= last; column++) {
        if (visit(this.cells[line * this.columns + column])) return true;
      }
    }
    return false;
  }

  /** Whether a box is inside the window, and nothing is there yet. */
  free(box) {
    const { left, right, top, bottom } = box;
    if (left < 0 || top < 0 || right > this.width || bottom > this.height) return false;
    return !this.some(box, (cell) =>
      cell.some(
        (other) =>
          box.left < other.right + GAP_X &&
          other.left < box.right + GAP_X &&
          box.top < other.bottom + GAP_Y &&
          other.top < box.bottom + GAP_Y,
      ),
    );
  }

  add(box) {
    // A little larger, so that the gap is also kept across the edge of a cell.
    const { left, right, top, bottom } = box;
    const wider = {
      left: left - GAP_X,
      right: right + GAP_X,
      top: top - GAP_Y,
      bottom: bottom + GAP_Y,
    };
    this.some(wider, (cell) => {
      cell.push(box);
      return false;
    });
  }
}

/** Return the box of a label at one side of a dot. */
function labelBox([across, down], x, y, width, height, away) {
  const left = across > 0 ? x + away : across < 0 ? x - away - width : x - width / 2;
  const top = down > 0 ? y + away : down < 0 ? y - away - height : y - height / 2;
  return { left, top, right: left + width, bottom: top + height };
}

/** Place labels one after the other, each where there is room left, or not at all.
 *
 * `wanted` are {id, x, y, height, away}, in falling order of importance; `measure` gives the width
 * of one. Each that is placed gets its box; `boxes` has what is there already. */
function placeLabels(wanted, boxes, measure) {
  const placed = [];
  for (const label of wanted) {
    if (placed.length === MOST_LABELS) break;
    const at = (side, room) => labelBox(side, label.x, label.y, room, label.height, label.away);
    const sides = SIDES.filter((side) => boxes.free(at(side, NARROWEST)));
    if (sides.length === 0) continue;
    const room = measure(label);
    const side = sides.find((each) => boxes.free(at(each, room)));
    if (side === undefined) continue;
    const box = at(side, room);
    boxes.add(box);
    placed.push({ ...label, box });
  }
  return placed;
}

// --- the picture ---------------------------------------------------------------------------------
//
// A scene is {model, view, chosen, near, marked, hovered, covered, middle}: whose words, from where they
// are seen, the ids of the question and of its answer (marked are both), the word pointed at, boxes
// that lie over the canvas, and whether to show where the middle is.

/** A longer word is cut on the map; the list beside it has it whole. */
const LONGEST_LABEL = 28;

/** Letters of the most frequent words, of frequent ones and of all others: share, size, weight. */
const TIERS = [
  { share: 0.004, size: 16, weight: 600 },
  { share: 0.05, size: 14, weight: 500 },
  { share: 1, size: 12.5, weight: 400 },
];

/** The eye does not tell a smaller dot from a square. */
const ROUND = 1.5;

/** Colours of the style sheet that the map needs. */
const COLOURS = ["ground", "ink", "soft", "dot", "chosen", "near"];
const SHADES = ["shade-0", "shade-1", "shade-2", "shade-3"];

class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.widths = new Map(); // of labels, by font and text
    this.labels = []; // as they were last drawn, each with its box
    this.density = 1; // pixels of the screen for one of the page
  }

  /** Read the colours of the style sheet, which knows light and dark. */
  readColours() {
    const probe = element("span", { hidden: true });
    this.canvas.after(probe);
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    this.colours = Object.fromEntries([...COLOURS, ...SHADES].map((name) => [name, colour(name)]));
    this.family = getComputedStyle(this.canvas).fontFamily;
    probe.remove();
  }

  resize(width, height) {
    this.density = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.density);
    this.canvas.height = Math.round(height * this.density);
  }

  paint(scene) {
    const { context } = this;
    const { view, marked } = scene;
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    context.fillStyle = this.colours.ground;
    context.fillRect(0, 0, view.width, view.height);
    const seen = wordsSeen(scene);
    const radius = dotRadius(scene);
    this.paintDots(scene, seen, radius);
    this.labels = this.chooseLabels(scene, seen, radius);
    // The question and its answer last: the rim of no other label cuts into them.
    const isMarked = ({ id }) => marked.has(id);
    this.paintLabels(
      scene,
      this.labels.filter((label) => !isMarked(label)),
    );
    this.paintMarks(scene, radius);
    this.paintLabels(scene, this.labels.filter(isMarked));
    if (scene.middle) this.paintMiddle(view);
  }

  paintDots({ model, view }, seen, radius) {
    const { context } = this;
    const byColour = new Map();
    for (const id of seen) {
      const colour = SHADES[model.shades?.[id]] ?? "dot";
      if (!byColour.has(colour)) byColour.set(colour, []);
      byColour.get(colour).push(id);
    }
    for (const [colour, ids] of byColour) {
      context.fillStyle = this.colours[colour];
      for (const id of ids) this.paintDot(...view.screen(model, id), radius);
    }
  }

  paintDot(x, y, radius) {
    const { context } = this;
    if (radius < ROUND) {
      context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius); // much faster
    } else {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** Draw the words of the question and of the answer larger, with lines between them. */
  paintMarks({ model, view, chosen, near }, radius) {
    const { context } = this;
    context.lineWidth = 1;
    context.strokeStyle = this.colours.near;
    context.globalAlpha = 0.35;
    context.beginPath();
    if (chosen.length === 1) {
      for (const id of near) {
        context.moveTo(...view.screen(model, chosen[0]));
        context.lineTo(...view.screen(model, id));
      }
    }
    context.stroke();
    context.globalAlpha = 1;
    this.paintMarked(view, model, near, "near", radius + 2);
    this.paintMarked(view, model, chosen, "chosen", radius + 3.5);
  }

  paintMarked(view, model, ids, colour, size) {
    const { context } = this;
    context.fillStyle = this.colours[colour];
    context.strokeStyle = this.colours.ground;
    context.lineWidth = 1.5;
    for (const id of ids) {
      context.beginPath();
      context.arc(...view.screen(model, id), size, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  /** Choose labels: of the word pointed at, the question, the answer, then by frequency. */
  chooseLabels(scene, seen, radius) {
    const { view, chosen, near, hovered, covered } = scene;
    const boxes = new Boxes(view.width, view.height);
    for (const box of covered) boxes.add(box);
    const inside = new Set(seen);
    const first = [...new Set([hovered, ...chosen])].filter((id) => inside.has(id));
    const answer = near.filter((id) => inside.has(id) && !first.includes(id));
    const early = new Set([...first, ...answer]);
    const others = seen.filter((id) => !early.has(id));
    const place = (ids) => {
      const wanted = ids.map((id) => wantedLabel(scene, id, radius));
      return placeLabels(wanted, boxes, (label) => this.measure(scene.model, label));
    };
    const placed = place(first); // wherever there is room, be it over dots of the answer
    coverMarks(scene, radius, boxes);
    return [...placed, ...place([...answer, ...others])];
  }

  font({ size, weight }) {
    return `${weight} ${size}px ${this.family}`;
  }

  /** Return the width of a label, and note its text. */
  measure(model, label) {
    const font = this.font(label);
    label.text = labelText(model.words[label.id]);
    const key = `${font} ${label.text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.context.font = font;
      width = this.context.measureText(label.text).width;
      this.widths.set(key, width);
    }
    return width;
  }

  /** Write labels, each with a rim in the colour of the ground, so that no dot runs into it. */
  paintLabels(scene, labels) {
    const { context } = this;
    Object.assign(context, { textBaseline: "middle", textAlign: "left", direction: "ltr" });
    Object.assign(context, { lineJoin: "round", lineWidth: 4, strokeStyle: this.colours.ground });
    for (const label of labels) {
      const { box, text } = label;
      const middle = (box.top + box.bottom) / 2;
      context.font = this.font(label);
      context.strokeText(text, box.left, middle);
      context.fillStyle = this.colours[colourOf(scene, label.id)];
      context.fillText(text, box.left, middle);
    }
  }

  /** Show where the middle is, which Enter chooses from. */
  paintMiddle({ width, height }) {
    const { context } = this;
    context.strokeStyle = this.colours.chosen;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [across, down] of SIDES) {
      context.moveTo(width / 2 + 6 * across, height / 2 + 6 * down);
      context.lineTo(width / 2 + 14 * across, height / 2 + 14 * down);
    }
    context.stroke();
  }
}

/** Return the ids of the words inside the window, the most frequent first. */
function wordsSeen({ model, view }) {
  const seen = [];
  for (let id = 0; id < model.mapped; id++) {
    const [x, y] = view.screen(model, id);
    if (x > -2 && y > -2 && x < view.width + 2 && y < view.height + 2) seen.push(id);
  }
  return seen;
}

/** Return the radius of a dot: larger where there is room, on a map of few words or from near. */
function dotRadius({ model, view }) {
  const room = Math.sqrt((view.width * view.height) / model.mapped); // pixels between dots, about
  return Math.min(
    4.5,
    Math.max(0.8, room / 12) * Math.max(1, view.scale / view.wholeScale) ** 0.25,
  );
}

/** Return size and weight of the letters of a word. */
function tierOf({ model, chosen, marked, hovered }, id) {
  if (chosen.includes(id)) return { size: 16, weight: 700 };
  if (marked.has(id) || id === hovered) return { size: 14, weight: 600 };
  return TIERS.find(({ share }) => id < share * model.mapped) ?? TIERS.at(-1);
}

/** Return the colour of a label; where something is asked, all but its answer steps back. */
function colourOf({ chosen, near, marked, hovered }, id) {
  if (chosen.includes(id)) return "chosen";
  if (near.includes(id)) return "near";
  return marked.size && id !== hovered ? "soft" : "ink";
}

/** Say what label a word wants, and where. */
function wantedLabel(scene, id, radius) {
  const [x, y] = scene.view.screen(scene.model, id);
  const { size, weight } = tierOf(scene, id);
  const away = radius + (scene.marked.has(id) ? 6 : 3);
  return { id, x, y, size, weight, height: size * 1.25, away, text: null };
}

/** Keep labels from the dots of the question and of the answer. */
function coverMarks({ model, view, marked }, radius, boxes) {
  // Less the gap that is kept between labels: a label may come close to its own dot.
  const across = radius + 4 - GAP_X;
  const down = radius + 4 - GAP_Y;
  for (const id of marked) {
    const [x, y] = view.screen(model, id);
    boxes.add({ left: x - across, right: x + across, top: y - down, bottom: y + down });
  }
}

/** Write a word as a label. */
function labelText(word) {
  const characters = Array.from(visible(word));
  if (characters.length <= LONGEST_LABEL) return characters.join("");
  return `${characters.slice(0, LONGEST_LABEL - 1).join("")}…`;
}
