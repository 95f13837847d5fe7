// The page as a whole: boxes with a list of words below them (Completion), and the question, which is
// in the address, after #, so that it can be kept and sent, and that the browser's way back leads to
// the question before.

/** Words in the list at most. */
const OPTIONS = 8;

class Completion {
  /** `piece(text, caret)` gives the part that is completed as [start, end], or null; `choose` is
   * called with the text when Enter is pressed or a word is clicked. */
  constructor(input, list, words, piece, choose) {
    Object.assign(this, { input, list, words, piece, choose, active: -1, matches: [] });
    input.addEventListener("input", () => this.open());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(Number(option.dataset.number));
    });
  }

  /** Show the words that fit what is typed. */
  open() {
    const span = this.piece(this.input.value, this.input.selectionStart);
    if (span === null) return this.close();
    const typed = this.input.value.slice(...span);
    const { matches, total } = this.words.search(typed, OPTIONS);
    const nearly = matches.length === 0;
    this.matches = nearly ? this.words.alike(typed, OPTIONS) : matches;
    this.active = -1;
    const options = this.matches.map((word, number) =>
      element(
        "li",
        { role: "option", id: `${this.list.id}-${number}`, "data-number": number },
        wordElement(word),
      ),
    );
    const more = total - matches.length;
    const note = nearly
      ? `No word has this in it.${this.matches.length ? " Spelled alike:" : ""}`
      : more > 0 && `${grouped(more)} more; type on.`;
    const line = note && element("li", { role: "presentation", className: "soft note" }, note);
    this.list.replaceChildren(
      ...(nearly ? [line, ...options] : [...options, ...(line ? [line] : [])]),
    );
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
    return undefined;
  }

  /** Hide the list. */
  close() {
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  /** Mark the next word or the one before; past either end is the text as it was typed. */
  move(step) {
    if (this.list.hidden) return this.open();
    const places = this.matches.length + 1;
    this.active = ((this.active + 1 + step + places) % places) - 1;
    for (const option of this.list.querySelectorAll("[role=option]")) {
      const chosen = Number(option.dataset.number) === this.active;
      option.setAttribute("aria-selected", String(chosen));
      if (chosen) option.scrollIntoView({ block: "nearest" });
    }
    if (this.active < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
    return undefined;
  }

  /** Put a word of the list in the place of what was typed of it, and choose. */
  take(number) {
    const { value, selectionStart } = this.input;
    const [start, end] = this.piece(value, selectionStart);
    const before = value.slice(0, start) + this.matches[number];
    const text = before + value.slice(end);
    this.input.value = text; // a box holds no line breaks; the word may
    this.input.setSelectionRange(before.length, before.length);
    this.close();
    this.choose(text, true);
  }

  key(event) {
    if (event.isComposing) return; // an input method is at work
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      this.move(steps[event.key]);
    } else if (event.key === "Enter") {
      if (this.active >= 0) return void this.take(this.active);
      this.close();
      this.choose(this.input.value, false);
    } else if (event.key === "Escape" && !this.list.hidden) {
      this.close();
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** The whole text is one word, as in the box that finds one. */
function wholeText(text) {
  return text.trim() === "" ? null : [0, text.length];
}

/** The word at the caret, as in a sum; null at a sign or at white space. */
function wordAtCaret(text, caret) {
  for (const match of text.matchAll(PIECE)) {
    const end = match.index + match[0].length;
    if (match.index <= caret && caret <= end) {
      return match[0] === "+" || match[0] === "-" ? null : [match.index, end];
    }
  }
  return null;
}

/** What is completed in the box that finds a word: all of the text, or, if that is a sum, which no
 * word has in it, the word at the caret. */
function wordOrPart(text, caret) {
  const pieces = text.match(PIECE) ?? [];
  const isSum = pieces.length > 1 && pieces.some((piece) => piece === "+" || piece === "-");
  const inWords = !isSum || words.search(text, 1).total > 0;
  return inWords ? wholeText(text) : wordAtCaret(text, caret);
}

// --- the page ------------------------------------------------------------------------------------

/** Neighbours that are read out. */
const SPOKEN = 5;

const data = JSON.parse(byId("data").textContent);
const models = data.models.map((each) => new Model(each));
const words = new WordList(models);
const theme = matchMedia("(prefers-color-scheme: dark)");
const state = { question: null, neighbours: NEIGHBOURS, shown: 0, dark: theme.matches };
const map = new WordMap(byId("map"), {
  choose: (word) => go(word),
  pointed: (word) =>
    say(word === null ? "no word near the middle" : `in the middle: ${visible(word)}`),
});
const moved = data.shared && new MovedView(data.shared, (word) => go(word));

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
  const single = terms?.length === 1;
  byId("find").value = single ? text : "";
  byId("sum").value = single ? "" : text;
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
  const near = onMap((answers[shown]?.nearest ?? []).map(({ id }) => id));
  const actions = {
    choose: go,
    clear,
    focus: chosen.length + near.length ? () => map.focus() : null,
    more: answers.some(({ nearest }) => nearest?.length === neighbours) ? more : null,
  };
  const view = empty ? emptyView() : answerView(question, answers, words, actions);
  const place = byId("answers");
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...view);
  if (focused) place.querySelector("h2, button").focus(); // who pressed a key there, stays there
  byId("how").textContent = model.caption;
  map.show(model, chosen, near);
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
function spoken({ model, unknown, nearest }) {
  const name = models.length > 1 ? `${model.name}: ` : "";
  if (unknown.length) return `${name}not known: ${unknown.map(visible).join(", ")}`;
  const first = (nearest ?? []).slice(0, SPOKEN).map(({ id }) => visible(model.words[id]));
  return `${name}nearest: ${first.join(", ") || "nothing"}`;
}

/** What is there before anything is asked. */
function emptyView() {
  return [
    paragraph("", "Click a word on the map, or find one above. Try:"),
    paragraph("chips", ...data.examples.map((word) => wordButton(word, go))),
    ...(moved ? moved.elements() : []),
  ];
}

/** Say what the page has of a model, what it lacks, and how its map was made. */
function aboutModel({ name, about }) {
  return paragraph("", element("strong", {}, visible(name)), ` ${about}`);
}

/** Whether any of the models has a word. */
function isWord(text) {
  return models.some((model) => model.ids.has(text));
}

/** Find what the box for a word asks: the word, or the first that is found by what is typed. */
function sought(text) {
  const question = parseQuestion(text, models);
  if (question.text === "" || question.trouble || isWord(question.text)) return text;
  return words.search(question.text, 1).matches[0] ?? text;
}

/** Set up the boxes, the buttons and the keys. */
function connect() {
  new Completion(byId("find"), byId("find-list"), words, wordOrPart, (text, taken) => {
    if (!taken) go(sought(text));
    else if (isWord(text)) go(text); // what is taken into a sum is only a part of it
  });
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
