// The picture of the map on a canvas: dots, the question and its answer, labels.
//
// A scene is {model, view, chosen, near, marked, shades, hovered, covered, middle}: whose words, from
// where they are seen, the ids of the question and of its answer (marked are both), colours of the
// words if two models are compared, the word pointed at, boxes that lie over the canvas, and whether
// to show where the middle is.

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

  paintDots({ model, view, shades }, seen, radius) {
    const { context } = this;
    const byColour = new Map();
    for (const id of seen) {
      const colour = shades?.[id] ?? "dot";
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

  /** Give the width of a label, and note its text. */
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

/** Give the ids of the words inside the window, the most frequent first. */
function wordsSeen({ model, view }) {
  const seen = [];
  for (let id = 0; id < model.mapped; id++) {
    const [x, y] = view.screen(model, id);
    if (x > -2 && y > -2 && x < view.width + 2 && y < view.height + 2) seen.push(id);
  }
  return seen;
}

/** Give the radius of a dot: larger where there is room, on a map of few words or from near. */
function dotRadius({ model, view }) {
  const room = Math.sqrt((view.width * view.height) / model.mapped); // pixels between dots, about
  return Math.min(
    4.5,
    Math.max(0.8, room / 12) * Math.max(1, view.scale / view.wholeScale) ** 0.25,
  );
}

/** Give size and weight of the letters of a word. */
function tierOf({ model, chosen, marked, hovered }, id) {
  if (chosen.includes(id)) return { size: 16, weight: 700 };
  if (marked.has(id) || id === hovered) return { size: 14, weight: 600 };
  return TIERS.find(({ share }) => id < share * model.mapped) ?? TIERS.at(-1);
}

/** Give the colour of a label; where something is asked, all but its answer steps back. */
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
