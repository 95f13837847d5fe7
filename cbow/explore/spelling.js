// Words by how they are spelled: those that begin with what is typed or hold it, and those that
// are nearly what was typed.

/** Words that are nearly alike differ by so many letters at most, short ones by one. */
const SLIPS = 2;
const SHORT = 4;

/** Write a word as it is searched for: small letters, and none of the accents of Europe. */
function folded(word) {
  return word
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase();
}

/** The words of one or two models to be searched, the most frequent of each first. */
class WordList {
  constructor(models) {
    this.words = [...new Set(models.flatMap((model) => model.words))];
    if (models.length > 1) {
      const rank = (word) => Math.min(...models.map((model) => model.ids.get(word) ?? Infinity));
      const ranks = new Map(this.words.map((word) => [word, rank(word)]));
      this.words.sort((a, b) => ranks.get(a) - ranks.get(b));
    }
    this.folded = null; // made when first needed, so that the page opens sooner
  }

  /** Find words with `typed` in them: {found, total}. First itself, then as a beginning. */
  search(typed, most) {
    this.folded ??= this.words.map(folded);
    const wanted = folded(typed);
    const same = [],
      beginning = [],
      inside = [];
    for (let i = 0; i < this.words.length; i++) {
      const at = this.folded[i].indexOf(wanted);
      if (at < 0) continue;
      if (this.words[i] === typed) same.unshift(this.words[i]);
      else if (this.folded[i].length === wanted.length) same.push(this.words[i]);
      else if (at === 0) beginning.push(this.words[i]);
      else inside.push(this.words[i]);
    }
    const all = [...same, ...beginning, ...inside];
    return { found: all.slice(0, most), total: all.length };
  }

  /** Find words that differ from `typed` by a slip or two, the nearest first. */
  alike(typed, most) {
    this.folded ??= this.words.map(folded);
    const wanted = Array.from(folded(typed));
    const allowed = wanted.length <= SHORT ? 1 : SLIPS;
    const near = [];
    for (let i = 0; i < this.words.length; i++) {
      const slips = distance(wanted, this.folded[i], allowed);
      if (slips <= allowed) near.push({ word: this.words[i], slips });
    }
    near.sort((a, b) => a.slips - b.slips); // stable: the more frequent stays first
    return near.slice(0, most).map((each) => each.word);
  }
}

/** Count the letters to add, drop, change or swap to get from one word to another; Infinity if
 * more than `allowed`. Optimal string alignment: Boytsov 2011, "Indexing methods for approximate
 * dictionary searching", section 2. */
function distance(letters, word, allowed) {
  if (Math.abs(word.length - letters.length) > 2 * allowed) return Infinity; // by UTF-16 at first
  const others = Array.from(word);
  let before = null;
  let row = others.map((_, j) => j + 1);
  row.unshift(0);
  for (let i = 1; i <= letters.length; i++) {
    const next = [i];
    for (let j = 1; j <= others.length; j++) {
      const change = letters[i - 1] === others[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + change);
      const swapped =
        j > 1 && i > 1 && letters[i - 1] === others[j - 2] && letters[i - 2] === others[j - 1];
      if (swapped) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    if (Math.min(...next) > allowed) return Infinity;
    [before, row] = [row, next];
  }
  return row[others.length] <= allowed ? row[others.length] : Infinity;
}
