// The words of a model with their vectors, the words nearest to a sum of words, sums as people
// write them (the grammar of cbow.vectors.query), and words by their spelling. They are here
// and not in Python because they answer what somebody types into the page.
//
//   cos(d, q) = d·q / (|d| |q|)     d the direction in question, q a row of whole numbers
//
// The rows are int8, (V, N). A row's own scale is not needed: 1/|q| brings it to length 1.

/** Whole numbers on the map go from minus this to this. */
const LARGEST_PLACE = 32767;

/** What comes out as 0 up to rounding, as a + b - a - b does, has no direction. */
const NOTHING = 1e-9;

/** Return the bytes of a base64 text. */
function bytesOf(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** Return 1/|q| for each row of (V, N) whole numbers, and 0 for a row of zeros. */
function inverseLengths(rows, V, N) {
  const inverse = new Float32Array(V);
  for (let i = 0, at = 0; i < V; i++) {
    let sum = 0;
    for (let j = 0; j < N; j++, at++) sum += rows[at] * rows[at];
    inverse[i] = sum === 0 ? 0 : 1 / Math.sqrt(sum);
  }
  return inverse;
}

class Model {
  constructor(data) {
    this.name = data.name;
    this.total = data.total;
    this.shades = data.shades; // of the words on the map, if two models are compared
    this.caption = data.caption;
    this.about = data.about;
    this.counts = data.counts;
    this.words = data.words; // V of them, the most frequent first
    this.dimension = data.dimension; // N
    this.ids = new Map(data.words.map((word, id) => [word, id]));
    this.rows = new Int8Array(bytesOf(data.rows).buffer); // (V, N)
    this.inverse = inverseLengths(this.rows, this.words.length, this.dimension); // (V,)
    const places = new Int16Array(bytesOf(data.places).buffer); // (n, 2)
    this.mapped = places.length / 2;
    this.x = Float32Array.from({ length: this.mapped }, (_, i) => places[2 * i] / LARGEST_PLACE);
    this.y = Float32Array.from(
      { length: this.mapped },
      (_, i) => -places[2 * i + 1] / LARGEST_PLACE,
    );
  }

  /** Add up the unit rows of words, or take them away, to length 1; null if nothing is left. */
  direction(terms) {
    const N = this.dimension;
    const sum = new Float64Array(N);
    for (const { sign, word } of terms) {
      const id = this.ids.get(word);
      const weight = sign === "-" ? -this.inverse[id] : this.inverse[id];
      for (let j = 0; j < N; j++) sum[j] += weight * this.rows[id * N + j];
    }
    const length = Math.hypot(...sum);
    return length < NOTHING ? null : Float32Array.from(sum, (x) => x / length);
  }

  /** Return the cosine of every word with a direction of length 1, (V,). */
  cosines(direction) {
    const { rows, inverse, dimension: N } = this;
    const V = this.words.length;
    const cosines = new Float32Array(V);
    const even = N - (N % 4);
    for (let i = 0, at = 0; i < V; i++) {
      // Four sums at once, which the processor can add up side by side.
      let a = 0,
        b = 0,
        c = 0,
        d = 0,
        j = 0;
      for (; j < even; j += 4, at += 4) {
        a += rows[at] * direction[j];
        b += rows[at + 1] * direction[j + 1];
        c += rows[at + 2] * direction[j + 2];
        d += rows[at + 3] * direction[j + 3];
      }
      for (; j < N; j++, at++) a += rows[at] * direction[j];
      cosines[i] = (a + b + c + d) * inverse[i];
    }
    return cosines;
  }

  /** Find the k words of largest cosine, but for those of the question: [{id, cosine}]. */
  nearest(terms, k) {
    const direction = this.direction(terms);
    if (direction === null) return null;
    const own = new Set(terms.map(({ word }) => this.ids.get(word)));
    return largest(this.cosines(direction), k, own);
  }
}

/** Find the k largest of some numbers; among equals the first comes first. */
function largest(values, k, excluded) {
  const best = []; // at most k, the largest first
  for (let id = 0; id < values.length; id++) {
    const cosine = values[id];
    if (best.length === k && cosine <= best[k - 1].cosine) continue;
    if (excluded.has(id)) continue;
    let at = best.length;
    while (at > 0 && best[at - 1].cosine < cosine) at--;
    best.splice(at, 0, { id, cosine });
    if (best.length > k) best.pop();
  }
  return best;
}

// --- sums of words -------------------------------------------------------------------------------

/** What separates words: white space as Python has it, which JavaScript's \s is not quite. */
const SPACE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** A run of characters that are not white space. */
const PIECE = new RegExp(`[^${SPACE}]+`, "g");

/** White space at either end. */
const ENDS = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");

/** Take a sum apart: {terms: [{sign, word}]}, or {trouble} that says what is missing. */
function parseExpression(text) {
  const terms = [];
  let sign = "+";
  const pieces = text.match(PIECE) ?? [];
  for (const [number, piece] of pieces.entries()) {
    if (piece === "+" || piece === "-") {
      if (sign !== null && number > 0) {
        return { trouble: `After “${pieces[number - 1]}” there must be a word, not “${piece}”.` };
      }
      sign = piece;
    } else if (sign === null) {
      return { trouble: `Before “${piece}” there must be + or - with white space on both sides.` };
    } else {
      terms.push({ sign, word: piece });
      sign = null;
    }
  }
  if (sign !== null) return { trouble: `“${text}” ends where a word must follow; add the word.` };
  return { terms };
}

/** Write terms as a sum. */
function expressionText(terms) {
  const text = terms.map(({ sign, word }) => `${sign} ${word}`).join(" ");
  return text.startsWith("+ ") ? text.slice(2) : text;
}

/** Read what is asked. What is a word as it stands, of any of the models, is no sum. */
function parseQuestion(asked, models) {
  const stripped = asked.replace(ENDS, "");
  for (const word of [asked, stripped]) {
    if (models.some((model) => model.ids.has(word)))
      return { text: word, terms: [{ sign: "+", word }] };
  }
  return stripped === ""
    ? { text: "", terms: [] }
    : { text: stripped, ...parseExpression(stripped) };
}

// --- spelling ------------------------------------------------------------------------------------

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

  /** Find words with `typed` in them: {matches, total}. First itself, then as a beginning. */
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
    return { matches: all.slice(0, most), total: all.length };
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
