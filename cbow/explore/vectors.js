// The words of a model with their vectors, and the words nearest to a sum of words.
//
//   cos(d, q) = d·q / (|d| |q|)     d the direction asked for, q a row of whole numbers
//
// The rows are int8, (V, N). A row's own scale is not needed: 1/|q| brings it to length 1.

/** Whole numbers on the map go from minus this to this. */
const LARGEST_PLACE = 32767;

/** What comes out as 0 up to rounding, as a + b - a - b does, has no direction. */
const NOTHING = 1e-9;

/** Give the bytes of a base64 text. */
function bytesOf(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** Give 1/|q| for each row of (V, N) whole numbers, and 0 for a row of zeros. */
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
  constructor(given) {
    this.name = given.name;
    this.total = given.total;
    this.method = given.method;
    this.remark = given.remark;
    this.counts = given.counts;
    this.words = given.words; // V of them, the most frequent first
    this.dimension = given.dimension; // N
    this.ids = new Map(given.words.map((word, id) => [word, id]));
    this.rows = new Int8Array(bytesOf(given.rows).buffer); // (V, N)
    this.inverse = inverseLengths(this.rows, this.words.length, this.dimension); // (V,)
    const places = new Int16Array(bytesOf(given.places).buffer); // (n, 2)
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

  /** Give the cosine of every word with a direction of length 1, (V,). */
  cosines(direction) {
    const { rows, inverse, dimension: N } = this;
    const V = this.words.length;
    const found = new Float32Array(V);
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
      found[i] = (a + b + c + d) * inverse[i];
    }
    return found;
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
