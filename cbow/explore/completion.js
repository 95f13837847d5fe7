// A box in which a word is typed, with a list of words below it (the combobox of WAI-ARIA 1.2).

/** Words in the list at most. */
const OPTIONS = 8;

class Completion {
  /** `piece(text, caret)` gives the part that is completed as [start, end], or null; `choose` is
   * called with the text when Enter is pressed or a word is clicked. */
  constructor(input, list, words, piece, choose) {
    Object.assign(this, { input, list, words, piece, choose, active: -1, found: [] });
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
    const { found, total } = this.words.search(typed, OPTIONS);
    const nearly = found.length === 0;
    this.found = nearly ? this.words.alike(typed, OPTIONS) : found;
    this.active = -1;
    const options = this.found.map((word, number) =>
      element(
        "li",
        { role: "option", id: `${this.list.id}-${number}`, "data-number": number },
        wordElement(word),
      ),
    );
    const more = total - found.length;
    const note = nearly
      ? `No word has this in it.${this.found.length ? " Spelled alike:" : ""}`
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
    const places = this.found.length + 1;
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
    const before = value.slice(0, start) + this.found[number];
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
