// What is shown beside the map: the neighbours of a question, in one model or in two side by side,
// or what is wrong with it.

/** Neighbours shown at first, and how many more at a time. */
const NEIGHBOURS = 15;
const MORE_NEIGHBOURS = 35;

/** Words spelled alike that are offered. */
const ALIKE = 5;

/** Ask a model: {model, unknown, found}; found is null where nothing is left of a sum. */
function ask(model, { terms }, k) {
  const lacking = terms.map(({ word }) => word).filter((word) => !model.ids.has(word));
  const unknown = [...new Set(lacking)];
  return { model, unknown, found: unknown.length ? [] : model.nearest(terms, k) };
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
  if (both && answers.every(({ found }) => found?.length)) {
    const count = `${both.size} of ${answers[0].found.length} neighbours are in both lists (=).`;
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

/** Give the words that both answers have. */
function sharedWords(answers) {
  const [ours, theirs] = answers.map(
    ({ model, found }) => new Set((found ?? []).map(({ id }) => model.words[id])),
  );
  return new Set([...ours].filter((word) => theirs.has(word)));
}

/** One model's answer, with the model's name above if there are two. */
function column(answer, { terms }, both, choose) {
  const { model, unknown, found } = answer;
  const parts = both ? [element("h3", {}, visible(model.name))] : [];
  if (terms.length === 1 && !unknown.length) {
    parts.push(paragraph("soft facts", wordFacts(model, terms[0].word)));
  }
  if (unknown.length) parts.push(unknownNote(answer, both !== null));
  else if (found === null) parts.push(paragraph("trouble", NO_DIRECTION));
  else if (!found.length) parts.push(paragraph("soft", "There is no other word."));
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
function neighbourList({ model, found }, both, choose) {
  const rows = found.map(({ id, cosine }) => {
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
