// Which labels are drawn, and where: none over another, the more frequent words first.

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

/** Give the box of a label at one side of a dot. */
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
