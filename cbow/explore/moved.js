// The words that moved between two models: those with the fewest neighbours in common.

/** Words shown at first, and how many more at a time. */
const MOVED = 50;

/** Among how many of the most frequent words one can look, and does at first. */
const AMONG = [500, 1000, 2000, 5000, 10000];
const AMONG_FIRST = 1000;

class MovedView {
  constructor(moved, choose) {
    Object.assign(this, { moved, choose, among: AMONG_FIRST, shown: MOVED });
  }

  /** Give the elements of the view. */
  elements() {
    const { words, shared, neighbours, common } = this.moved;
    if (!words.length) {
      return [paragraph("trouble", "The models have too few words in common to compare them.")];
    }
    const mean = shared.reduce((sum, each) => sum + each, 0) / words.length;
    this.list = element("ol", { className: "near" });
    this.more = button("Show more", () => this.fill(this.shown + MOVED), { className: "more" });
    const fewest =
      `Of the ${neighbours} nearest words, how many are the same in both models? ` +
      `${mean.toFixed(1)} on average; fewest of all:`;
    const compared =
      `${grouped(common)} words are in both models; ` +
      `the neighbours of ${grouped(words.length)} are compared. Rare words move for want of text.`;
    const label = element("label", { htmlFor: "among" }, "Among the most frequent ");
    const parts = [
      element("h2", {}, "Words that moved"),
      paragraph("", fewest),
      paragraph("", label, this.choice()),
      this.list,
      this.more,
      paragraph("soft", compared),
    ];
    this.fill(this.shown);
    return parts;
  }

  /** Let the user choose among how many words to look: round numbers, and all there are. */
  choice() {
    const all = this.moved.words.length;
    const numbers = [...AMONG.filter((number) => number < all), all];
    const options = numbers.map((n) => element("option", { value: String(n) }, grouped(n)));
    const select = element("select", { id: "among" }, ...options);
    select.value = String(Math.min(this.among, all));
    select.onchange = () => {
      this.among = Number(select.value);
      this.fill(MOVED);
    };
    return select;
  }

  /** Show the words that have the fewest neighbours in common; equals by frequency. */
  fill(shown) {
    const { words, shared, neighbours } = this.moved;
    const order = Array.from(words.keys()).slice(0, this.among);
    order.sort((a, b) => shared[a] - shared[b] || a - b);
    const row = (i) =>
      barRow(words[i], shared[i] / neighbours, `${shared[i]} of ${neighbours}`, this.choose);
    this.shown = shown;
    this.list.replaceChildren(...order.slice(0, shown).map(row));
    this.more.hidden = shown >= order.length;
  }
}

/** Give the colour of each word on a map by the neighbours it has in both models. */
function shadesOf(model, { words, shared, neighbours }) {
  const shades = new Array(model.mapped);
  words.forEach((word, i) => {
    const step = Math.floor((shared[i] / neighbours) * SHADES.length);
    const id = model.ids.get(word);
    if (id < model.mapped) shades[id] = SHADES[Math.min(SHADES.length - 1, step)];
  });
  return shades;
}
