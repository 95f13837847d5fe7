// What is shown beside the map: the neighbours of a question, in one model or in two side by side, or
// what is wrong with it; and the words that moved between two models. Words come from files of
// strangers: they become text, and nothing here reads them as markup.

/** Characters that nobody would see, or that end a line. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Words of nothing but white space, marks that have no letter, and characters without a form. */
const EMPTY = /^[\p{C}\p{Z}\p{M}]*$/u;

/** Find an element by its id. */
function byId(id) {
  return document.getElementById(id);
}

/** Make an element with properties or attributes, and children that are elements or text. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Show a word so that all of it is seen: escapes stand for what is no letter. */
function visible(word) {
  return word.replace(EMPTY.test(word) ? /./gsu : UNSEEN, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** Make an element for a word, which turns nothing around it if it is read from right to left. */
function wordElement(word) {
  return element("bdi", { className: "word" }, visible(word));
}

/** Make a paragraph. */
function paragraph(className, ...children) {
  return element("p", { className }, ...children);
}

/** Make a button. */
function button(text, onclick, properties) {
  return element("button", { type: "button", onclick, ...properties }, text);
}

/** Make a button that asks for a word. */
function wordButton(word, choose, className = "chip") {
  return button(wordElement(word), () => choose(word), { className });
}

/** Make an item of a list: a word, a number and a bar, marked if it is shared. */
function barRow(word, share, number, choose, shared) {
  const filled = element("span");
  filled.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  const row = wordButton(word, choose, "row");
  if (shared) row.append(element("span", { className: "mark", title: "in both lists" }, "="));
  row.append(element("span", { className: "number" }, number));
  row.append(element("span", { className: "bar", "aria-hidden": "true" }, filled));
  return element("li", {}, row);
}

/** Write a whole number with commas. */
function grouped(number) {
  return number.toLocaleString("en");
}

/** Write a cosine with three decimals and a true minus sign; never -0.000. */
function decimals(cosine) {
  const text = cosine.toFixed(3);
  return text === "-0.000" ? "0.000" : text.replace("-", "\u2212");
}

// --- answers -------------------------------------------------------------------------------------

/** Neighbours shown at first, and how many more at a time. */
const NEIGHBOURS = 15;
const MORE_NEIGHBOURS = 35;

/** Words spelled alike that are offered. */
const ALIKE = 5;

/** Ask a model: {model, unknown, nearest}; nearest is null where nothing is left of a sum. */
function ask(model, { terms }, k) {
  const lacking = terms.map(({ word }) => word).filter((word) => !model.ids.has(word));
  const unknown = [...new Set(lacking)];
  return { model, unknown, nearest: unknown.length ? [] : model.nearest(terms, k) };
}

/** Everything about a question. `actions` are {choose, clear, focus, more}; the last two are null
 * where there is nothing on the map, and no more to show. */
function answerView(question, answers, words, actions) {
  const heading = element(
    "div",
    { className: "heading" },
    element("h2", { tabIndex: -1 }, element("bdi", {}, visible(question.text))),
    answerButtons(actions),
  );
  if (question.trouble) return [heading, paragraph("trouble", question.trouble)];
  const several = answers.length > 1;
  const both = several ? sharedWords(answers) : null;
  const columns = answers.map((answer) => column(answer, question, both, actions.choose));
  const parts = [heading, element("div", { className: several ? "columns" : "" }, ...columns)];
  if (both && answers.every(({ nearest }) => nearest?.length)) {
    const count = `${both.size} of ${answers[0].nearest.length} neighbours are in both lists (=).`;
    parts.splice(1, 0, paragraph("soft", count));
  }
  if (answers.every(({ unknown }) => unknown.length)) {
    const unknown = new Set(answers.flatMap((answer) => answer.unknown));
    parts.push(...alikeWords(question, unknown, words, actions.choose));
  }
  if (actions.more) parts.push(button("Show more", actions.more, { className: "more" }));
  return parts;
}

function answerButtons({ focus, clear }) {
  const close = { className: "plain", "aria-label": "Clear the question", title: "Clear (Escape)" };
  const shown = focus ? [button("show on map", focus, { className: "chip" })] : [];
  return element("div", { className: "buttons" }, ...shown, button("✕", clear, close));
}

/** Return the words that both answers have. */
function sharedWords(answers) {
  const [ours, theirs] = answers.map(
    ({ model, nearest }) => new Set((nearest ?? []).map(({ id }) => model.words[id])),
  );
  return new Set([...ours].filter((word) => theirs.has(word)));
}

/** One model's answer, with the model's name above if there are two. */
function column(answer, { terms }, both, choose) {
  const { model, unknown, nearest } = answer;
  const parts = both ? [element("h3", {}, visible(model.name))] : [];
  if (terms.length === 1 && !unknown.length) {
    parts.push(paragraph("soft facts", wordFacts(model, terms[0].word)));
  }
  if (unknown.length) parts.push(unknownNote(answer, both !== null));
  else if (nearest === null) parts.push(paragraph("trouble", NO_DIRECTION));
  else if (!nearest.length) parts.push(paragraph("soft", "There is no other word."));
  else parts.push(neighbourList(answer, both, choose));
  return element("section", { className: "column" }, ...parts);
}

const NO_DIRECTION =
  "This adds up to nothing, which has no direction, so that no word is nearer than another.";

/** What is known of a word: its place by frequency, and how often it occurs. */
function wordFacts(model, word) {
  const id = model.ids.get(word);
  const facts = [`word ${grouped(id + 1)} of ${grouped(model.total)}`];
  if (model.counts) facts.push(`occurs ${grouped(model.counts[id])} times`);
  if (id >= model.mapped) facts.push(`not among the ${grouped(model.mapped)} on the map`);
  return facts.join(" · ");
}

/** A list of neighbours with bars; `both` are the words that the other list has too. */
function neighbourList({ model, nearest }, both, choose) {
  const rows = nearest.map(({ id, cosine }) => {
    const word = model.words[id];
    return barRow(word, cosine, decimals(cosine), choose, both?.has(word));
  });
  return element("ol", { className: "near" }, ...rows);
}

/** Say which words a model lacks. */
function unknownNote({ model, unknown }, several) {
  const { words, total } = model;
  const named = unknown.flatMap((word, i) => [i ? ", " : "", "“", wordElement(word), "”"]);
  const where = `${unknown.length > 1 ? "are" : "is"} not in ${several ? "this model" : "the vocabulary"}.`;
  const left = `The page has ${grouped(words.length)} of ${grouped(total)} words.`;
  const note = paragraph("trouble", ...named, ` ${where} `);
  if (total > words.length) note.append(left);
  return note;
}

/** Offer words spelled like the unknown ones, each in its place in the question. */
function alikeWords({ terms }, unknown, words, choose) {
  const swapped = (swap) =>
    expressionText(terms.map(({ sign, word }) => ({ sign, word: swap(word) })));
  const near = new Map([...unknown].map((word) => [word, words.alike(word, ALIKE)]));
  const parts = [];
  if (near.size > 1 && [...near.values()].every((others) => others.length)) {
    const best = swapped((word) => near.get(word)?.[0] ?? word);
    parts.push(paragraph("", "Did you mean ", wordButton(best, choose)));
  }
  for (const [word, others] of near) {
    const beginning = others.length ? "Spelled like “" : "No word is spelled like “";
    const chips = others.map((other) =>
      wordButton(other, () => choose(swapped((each) => (each === word ? other : each)))),
    );
    parts.push(paragraph("soft", beginning, wordElement(word), others.length ? "”:" : "”."));
    parts.push(paragraph("chips", ...chips));
  }
  return parts;
}

// --- words that moved: those with the fewest neighbours in common --------------------------------

/** Words shown at first, and how many more at a time. */
const MOVED = 50;

/** Among how many of the most frequent words one can look, and does at first. */
const AMONG = [500, 1000, 2000, 5000, 10000];
const AMONG_FIRST = 1000;

class MovedView {
  constructor(moved, choose) {
    Object.assign(this, { moved, choose, among: AMONG_FIRST, shown: MOVED });
  }

  /** Return the elements of the view. */
  elements() {
    const { words, question, about } = this.moved;
    if (!words.length) {
      return [paragraph("trouble", "The models have too few words in common to compare them.")];
    }
    this.list = element("ol", { className: "near" });
    this.more = button("Show more", () => this.fill(this.shown + MOVED), { className: "more" });
    const label = element("label", { htmlFor: "among" }, "Among the most frequent ");
    const parts = [
      element("h2", {}, "Words that moved"),
      paragraph("", question),
      paragraph("", label, this.choice()),
      this.list,
      this.more,
      paragraph("soft", about),
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
