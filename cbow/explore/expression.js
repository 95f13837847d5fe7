// Sums of words as people write them, king - man + woman: the grammar of cbow.vectors.query.

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
function parseQuestion(given, models) {
  const stripped = given.replace(ENDS, "");
  for (const word of [given, stripped]) {
    if (models.some((model) => model.ids.has(word)))
      return { text: word, terms: [{ sign: "+", word }] };
  }
  return stripped === ""
    ? { text: "", terms: [] }
    : { text: stripped, ...parseExpression(stripped) };
}
