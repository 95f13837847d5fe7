// Elements made of text. Words come from files of strangers: nothing here reads them as markup.

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
