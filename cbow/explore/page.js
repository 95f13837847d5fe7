// The page as a whole: what is asked is in the address, after #, so that it can be kept and sent,
// and the browser's way back leads to the question before.

/** Where examples are looked for, by frequency, and how long they are at least: neither "the" nor
 * what nobody knows. */
const EXAMPLES = [150, 250, 400, 600, 850, 1200, 1600, 2100];
const LONG_ENOUGH = 5;

/** Neighbours that are read out. */
const SPOKEN = 5;

const data = JSON.parse(byId("data").textContent);
const models = data.models.map((given) => new Model(given));
const words = new WordList(models);
const theme = matchMedia("(prefers-color-scheme: dark)");
const state = { question: null, neighbours: NEIGHBOURS, shown: 0, dark: theme.matches };
const map = new WordMap(byId("map"), {
  choose: (word) => go(word),
  pointed: (word) =>
    say(word === null ? "no word near the middle" : `in the middle: ${visible(word)}`),
});
const moved = data.moved && new MovedView(data.moved, (word) => go(word));
const shades = data.moved && models.map((model) => shadesOf(model, data.moved));

/** Tell those who do not see the page. */
function say(text) {
  byId("status").textContent = text;
}

/** Ask something: put it into the address, from which `answer` reads it. */
function go(text) {
  let address;
  try {
    address = `#${encodeURIComponent(text)}`;
  } catch {
    answer(text); // half of a surrogate pair, which no address can hold
    return;
  }
  if (address === (location.hash || "#")) answer();
  else location.hash = address;
}

/** Read the question from the address. */
function addressText() {
  const text = location.hash.slice(1);
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a per cent sign that somebody typed
  }
}

/** Answer what is asked. */
function answer(asked = addressText()) {
  state.question = parseQuestion(asked, models);
  state.neighbours = NEIGHBOURS;
  const { text, terms } = state.question;
  const isWord = terms?.length === 1;
  byId("find").value = isWord ? text : "";
  byId("sum").value = isWord ? "" : text;
  show();
  map.reach();
  // One of them scrolls: the list in a wide window, all below the map in a narrow one.
  for (const each of [byId("answers"), byId("answers").parentElement]) each.scrollTop = 0;
}

/** Show question and answer beside the map and on it. */
function show() {
  const { question, neighbours, shown } = state;
  const empty = question.text === "";
  const start = performance.now();
  const answers =
    empty || question.trouble ? [] : models.map((model) => ask(model, question, neighbours));
  performance.measure("neighbours", { start }); // for whoever wants to know
  const model = models[shown];
  const onMap = (ids) => ids.filter((id) => id < model.mapped); // undefined is not either
  const asked = answers.length ? question.terms : [];
  const chosen = onMap(asked.map(({ word }) => model.ids.get(word)));
  const near = onMap((answers[shown]?.found ?? []).map(({ id }) => id));
  const actions = {
    choose: go,
    clear,
    focus: chosen.length + near.length ? () => map.focus() : null,
    more: answers.some(({ found }) => found?.length === neighbours) ? more : null,
  };
  const view = empty ? emptyView() : answerView(question, answers, words, actions);
  const place = byId("answers");
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...view);
  if (focused) place.querySelector("h2, button").focus(); // who pressed a key there, stays there
  byId("how").textContent =
    `${grouped(model.mapped)} of ${grouped(model.total)} words, by ${model.method}`;
  map.show(model, chosen, near, shades && shades[shown]);
  if (!empty) say(question.trouble ?? answers.map(spoken).join("; "));
}

/** Ask nothing, and be ready for a new question. */
function clear() {
  go("");
  byId("find").focus();
}

/** Show more neighbours; the focus goes to the first new one. */
function more() {
  const before = state.neighbours;
  state.neighbours += MORE_NEIGHBOURS;
  show();
  byId("answers")
    .querySelector(`.column li:nth-child(${before + 1}) .row`)
    ?.focus();
}

/** Say an answer in a line. */
function spoken({ model, unknown, found }) {
  const name = models.length > 1 ? `${model.name}: ` : "";
  if (unknown.length) return `${name}not known: ${unknown.map(visible).join(", ")}`;
  const first = (found ?? []).slice(0, SPOKEN).map(({ id }) => visible(model.words[id]));
  return `${name}nearest: ${first.join(", ") || "nothing"}`;
}

/** Choose words that a visitor may begin with. */
function examples() {
  const all = models[0].words;
  const found = EXAMPLES.map((from) =>
    all.slice(from, from + 50).find((word) => Array.from(word).length >= LONG_ENOUGH),
  );
  const known = found.filter((word) => word !== undefined);
  return known.length > 2 ? known : all.slice(0, EXAMPLES.length);
}

/** What is there before anything is asked. */
function emptyView() {
  return [
    paragraph("", "Click a word on the map, or find one above. Try:"),
    paragraph("chips", ...examples().map((word) => wordButton(word, go))),
    ...(moved ? moved.elements() : []),
  ];
}

/** Say what the page has of a model, what it lacks, and how its map was made. */
function aboutModel(model) {
  const { words: kept, total, mapped } = model;
  const left = total - kept.length;
  const has = left
    ? `The page has the first ${grouped(kept.length)} of its ${grouped(total)} words; ` +
      `${grouped(left)} are left out.`
    : `The page has all of its ${grouped(total)} words.`;
  const shown = mapped === kept.length ? "all of them" : `the first ${grouped(mapped)}`;
  return paragraph(
    "",
    element("strong", {}, visible(model.name)),
    ` has ${grouped(model.dimension)} numbers per word. ${has} The map shows ${shown}, laid out by `,
    `${model.method} (${model.remark}).`,
  );
}

/** Find what the box for a word asks: the word, or the first that is found by what is typed. */
function sought(text) {
  const question = parseQuestion(text, models);
  const isWord = models.some((model) => model.ids.has(question.text));
  if (question.text === "" || question.trouble || isWord) return text;
  return words.search(question.text, 1).found[0] ?? text;
}

/** Set up the boxes, the buttons and the keys. */
function connect() {
  new Completion(byId("find"), byId("find-list"), words, wholeText, (text, taken) =>
    go(taken ? text : sought(text)),
  );
  new Completion(byId("sum"), byId("sum-list"), words, wordAtCaret, (text, taken) => {
    if (!taken) go(text); // a word that is taken from the list is only a part of the sum
  });
  byId("closer").onclick = () => map.zoomBy(ZOOM);
  byId("farther").onclick = () => map.zoomBy(1 / ZOOM);
  byId("everything").onclick = () => map.all();
  byId("theme").onclick = () => setTheme(!state.dark);
  theme.addEventListener("change", () => setTheme(theme.matches));
  addEventListener("hashchange", () => answer());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select");
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      byId("find").select();
    } else if (event.key === "Escape" && !event.defaultPrevented) {
      go("");
    }
  });
}

/** Take light or dark colours. */
function setTheme(dark) {
  state.dark = dark;
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  byId("theme").setAttribute("aria-pressed", String(dark));
  map.recolour();
}

/** Let the user choose whose map is shown. */
function offerMaps() {
  const buttons = models.map((model, i) =>
    button(visible(model.name), () => {
      state.shown = i;
      mark();
      show();
    }),
  );
  const mark = () =>
    buttons.forEach((each, i) => each.setAttribute("aria-pressed", String(i === state.shown)));
  mark();
  byId("whose").append(...buttons);
}

byId("title").append(
  ...models.flatMap((model, i) => [i ? " and " : "", element("bdi", {}, visible(model.name))]),
);
byId("about").prepend(...models.map(aboutModel));
connect();
offerMaps();
for (const id of ["whose", "legend"]) byId(id).hidden = models.length === 1;
setTheme(theme.matches);
answer();
map.resize(); // now, not after a first picture without a size
requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("ready")));
