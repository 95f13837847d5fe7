"""Files of word pairs and analogies: what is read, what is passed over, what is refused."""

import csv
import io
import os
import re

import naive_evaluation as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import QueryError
from cbow.evaluation import Analogies, Pairs, read_analogies, read_pairs, read_set
from cbow.evaluation.sets import all_known
from cbow.system import files

WORDS = st.text(
    st.characters(exclude_categories=["Z", "C"], exclude_characters="#/:"), min_size=1, max_size=8
)
NUMBERS = st.one_of(
    st.integers(-99, 99).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["+1.", ".5", "-.5e3", "10.00", "1E-2"]),
)
ENDS = st.sampled_from(["\n", "\r\n", " \n", "\t\n"])
PASSED_OVER = st.sampled_from(["", "  ", "# a b 5", "// a b 5", "#"])


@pytest.fixture
def file(tmp_path):
    """Write a file; give its path."""

    def write(content):
        path = tmp_path / "set.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refused(read, path, message):
    with pytest.raises(QueryError, match=re.escape(message)) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    assert ";" in sentence


def test_pairs_as_the_common_sets_have_them(file):
    text = "# Word 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\r\ntiger cat 7.35\n\nbook\t paper \t7\n"
    pairs = read_pairs(file(text))
    assert pairs.words == (("love", "sex"), ("tiger", "cat"), ("book", "paper"))
    assert pairs.scores.tolist() == [6.77, 7.35, 7.0]
    assert pairs.skipped == (1, 1, 0)
    assert pairs.file.endswith("set.txt")


def test_words_with_spaces_stand_between_tabs(file):
    text = "New York\tBig Apple\t9\nnew york\t5\n"
    pairs = read_pairs(file(text))
    assert pairs.words == (("New York", "Big Apple"), ("new", "york"))
    questions = read_analogies(file(": s\nNew York\tUSA\tLondon\tEngland\nNew York London UK\n"))
    assert questions.words == (
        ("New York", "USA", "London", "England"),
        ("New", "York", "London", "UK"),
    )


SIMLEX = "word1 word2 POS SimLex999 conc(w1) conc(w2) concQ Assoc(USF) SimAssoc333 SD(SimLex)"
SIMLEX_ROWS = [
    "old new A 1.58 2.72 2.81 2 7.25 1 0.41",
    "smart dumb A 1.75 1.46 2.63 1 7.11 1 0.67",
]


@pytest.mark.parametrize(
    ("lines", "scores", "column"),
    [
        # what the file is: its lines, with \t, ; or , between or as it is; the column of the scores
        ([SIMLEX.replace(" ", "\t"), *(row.replace(" ", "\t") for row in SIMLEX_ROWS)],
         [1.58, 1.75], "SimLex999"),
        ([SIMLEX.replace(" ", ","), *(row.replace(" ", ",") for row in SIMLEX_ROWS)],
         [1.58, 1.75], "SimLex999"),
        ([SIMLEX.replace(" ", ";"), *(row.replace(" ", ";") for row in SIMLEX_ROWS)],
         [1.58, 1.75], "SimLex999"),
        ([SIMLEX, *SIMLEX_ROWS], [1.58, 1.75], "SimLex999"),
        (["Word 1,Word 2,Human (mean)", "old,new,7.35", "smart,dumb,1"], [7.35, 1], None),
        (["Word 1,Word 2,Human (mean),1,2", "old,new,7.35,9,5.7", "smart,dumb,1,2,0"],
         [7.35, 1], "Human (mean)"),
        (["Word 1\tWord 2\tPOS\tScore", "old\tnew\tA\t2", "smart\tdumb\tA\t1"], [2, 1], "Score"),
        (["old\tnew\t6.81\tSYNONYMS", "smart\tdumb\t2\tANTONYMS"], [6.81, 2], "number 3"),
        (["old\tnew\tA\t6.81\tSYNONYMS", "smart\tdumb\tA\t2\tNONE"], [6.81, 2], "number 4"),
        (["old\tnew\t5.88\t7\t7\t6", "smart\tdumb\t5\t5\t5\t5"], [5.88, 5], "number 3"),
        (["old new 5.88 7 7 6", "smart dumb 5 5 5 5"], [5.88, 5], "number 3"),
        (["old,new,3.79", "smart, dumb , 1"], [3.79, 1], None),
        (["old;new;3.79", "smart; dumb ;1"], [3.79, 1], None),
        (["Wort1;Wort2;Ähnlichkeit", "old;new;7,5", "smart;dumb;-0,25"], [7.5, -0.25], None),
        (['"word1","word2","similarity"', '"old","new","7.5"', '"smart","dumb",2'], [7.5, 2], None),
        ([",word1,word2,score", "0,old,new,7.5", "1,smart,dumb,2"], [7.5, 2], "score"),
        (["\tword1\tword2\tscore", "0\told\tnew\t7.5", "1\tsmart\tdumb\t2"], [7.5, 2], "score"),
        (["score,word1,word2", "7.5,old,new", "2,smart,dumb"], [7.5, 2], "score"),
        (["w1,w2,SD,mean_std,value,sim", "old,new,9,9,9,7", "smart,dumb,9,9,9,2"], [7, 2], "sim"),
        (["w1,w2,mean sd,rating,score", "old,new,9,7.5,9", "smart,dumb,9,2,9"], [7.5, 2], "rating"),
        (["w1,w2,tag,meaning,x,y", "old,new,A,b,7.5,1", "smart,dumb,A,b,2,1"], [7.5, 2], "x"),
        (["word1 word2 SimLex999", "old new 7.5", "smart dumb 2"], [7.5, 2], None),
        (["Noun-A\tNoun-B\tSim2", "old\tnew\t7.5", "smart\tdumb\t2"], [7.5, 2], None),
        (["a,b,score,note", "old,new,7.5", "smart,dumb,2,"], [7.5, 2], "score"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("mark", "end"), [("", "\n"), ("\ufeff", "\r\n"), ("", "\r")])
def test_files_of_pairs_as_they_come(file, lines, scores, column, mark, end):
    names = int("old" not in lines[0])
    path = file(mark + "".join(line + end for line in lines))
    # Four fields and no number for the last could be a question.
    question = lines[0].count("\t") == 3 and lines[0].endswith("SYNONYMS")
    for pairs in [read_pairs(path)] + [read_set(path)] * (not question):
        assert pairs.words == (("old", "new"), ("smart", "dumb"))
        assert pairs.scores.tolist() == scores
        assert pairs.column == column
        assert pairs.skipped == (0, 0, names)


def test_words_named_like_columns_are_words_where_a_number_follows(file):
    pairs = read_pairs(file("word1 word2 0.5\nw1\tw2\t2\n"))
    assert pairs.words == (("word1", "word2"), ("w1", "w2"))
    assert pairs.skipped.headers == 0


@pytest.mark.slow
@given(st.data())
def test_every_table_is_read_as_it_is_written(tmp_path_factory, data):
    """Columns of words, scores and other things, in any order, as the csv module writes them."""
    separator = data.draw(st.sampled_from([",", ";", "\t"]))
    others = data.draw(st.lists(st.sampled_from(["POS", "SD(x)", "id", "std"]), max_size=3))
    names = data.draw(st.permutations(["word1", "word2", "similarity", *others]))
    if names.index("word1") > names.index("word2"):
        names = names[::-1]
    words = st.text(
        st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=5
    )
    words = words.filter(lambda word: not word.startswith(("#", "//", '"')))
    rows = data.draw(
        st.lists(st.fixed_dictionaries({n: NUMBERS if n == "similarity" else words for n in names}),
                 min_size=1, max_size=4)
    )  # fmt: skip
    stream = io.StringIO()
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    writer = csv.writer(stream, delimiter=separator, quoting=quoting, quotechar='"' if quoting == 0
                        else None)  # fmt: skip
    writer.writerow(names)
    writer.writerows([row[name] for name in names] for row in rows)
    path = tmp_path_factory.mktemp("table") / "t"
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    pairs = read_pairs(path)
    assert pairs.words == tuple((row["word1"], row["word2"]) for row in rows)
    assert pairs.scores.tolist() == [float(row["similarity"]) for row in rows]
    assert pairs.skipped == (0, 0, 1)


def test_a_header_is_passed_over_and_counted(file):
    pairs = read_pairs(file("\ufeff\n# set\nWord 1\tWord 2\tHuman (mean)\na\tb\t1\nc\td\t2\n"))
    assert pairs.words == (("a", "b"), ("c", "d"))
    assert pairs.skipped == (1, 1, 1)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a b 1\nword word score\n", 2, "has 'score' for a score, but must have a finite number"),
        ("w w score\nw w score\n", 2, "has 'score' for a score"),
        ("a b 7,5\n", 1, "has '7,5' for a score"),
        ("a b nan\n", 1, "has 'nan' for a score"),
        ("a b 1\na b nan\n", 2, "has 'nan' for a score"),
        ("a b -inf\n", 1, "has '-inf' for a score"),
        ("a b 1e999\n", 1, "has '1e999' for a score"),
        ("a b 1_0\n", 1, "has '1_0' for a score"),
        ("a b ٣\n", 1, "has '٣' for a score"),
        ("a b 0x10\n", 1, "has '0x10' for a score"),
        ("a b score1\n", 1, "has 'score1' for a score"),
        ("a b 1\nc d\n", 2, "has 2 fields, but a word pair has 3: word word score"),
        ("a b 1\n\n#\nc\n", 4, "has 1 field, but a word pair has 3"),
        ("a b N 1.58 2.72\n", 1, "has 5 fields, but a word pair has 3"),
        ("new york big apple 7\n", 1, "has 5 fields, but a word pair has 3"),
        ("route 66 7 up\n", 1, "has 4 fields, but a word pair has 3"),
        ("a b 1 1 2\nnew york big apple 7\n", 2, "has 'big' for a score"),
        ("a b 1\na b 1 2\n", 2, "has 4 fields, but a word pair has 3"),
        ("a\tb\tN\t1.5\nc\td\tN\n", 2, "has 3 fields, but the first line of the file has 4"),
        ("a\tb\tN\t1.5\nc d N 1.5\n", 2, "has 1 field, but the first line of the file has 4"),
        ("a,b,1\nc d 2\n", 2, "has 1 field, but a word pair has 3"),
        ("a,b,1\nc,d,7,5\n", 2, "has 4 fields, but a word pair has 3"),
        ("a,b,1\n,d,2\n", 2, "has 3 fields, but a word pair has 3"),
        ("a,b,7,5\n", 1, "has '7,5' for a score, which may be one number or two; write it with a"),
        ("a;b;1,5\na;b;1,5,0\n", 2, "has '1,5,0' for a score"),
        ("a;b;sim;note\na;b;x;1\n", 2, "has 'x' for a score"),
        ("a;b;c;d\na;b;x;y\n", 2, "has 'x' for a score"),
        ("a\t\t5\n", 1, "has 2 fields, but a word pair has 3"),
        (": family\nboy girl he she\n", 1, "has 2 fields, but a word pair has 3"),
    ],
)
def test_lines_that_are_no_pair(file, text, line, message):
    path = file(text)
    refused(read_pairs, path, f"{path}, line {line} {message}")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (": s\na b c\n", 2, "has 3 fields, but a question has 4: a is to b as c is to d"),
        (": s\na b c d\n\na b c d e\n", 4, "has 5 fields, but a question has 4"),
        ("a b 5\n", 1, "has 3 fields, but a question has 4"),
    ],
)
def test_lines_that_are_no_question(file, text, line, message):
    path = file(text)
    refused(read_analogies, path, f"{path}, line {line} {message}")


@pytest.mark.parametrize("text", ["", "\n \n", "# nothing\n", "word word score\n"])
def test_files_without_a_pair(file, text):
    path = file(text)
    refused(read_pairs, path, f"{path} holds no word pair; give a file with lines: word word score")


@pytest.mark.parametrize("text", ["", "\n", ": only\n: sections\n"])
def test_files_without_a_question(file, text):
    path = file(text)
    refused(read_analogies, path, f"{path} holds no question; give a file with lines: a b c d")


@pytest.mark.parametrize("read", [read_pairs, read_analogies, read_set])
def test_files_that_cannot_be_read(tmp_path, file, read):
    refused(read, tmp_path / "none.txt", "cannot be opened (No such file or directory); check")
    refused(read, tmp_path, "cannot be opened (Is a directory); give")
    refused(read, f"{tmp_path}/\0", "cannot be opened (embedded null byte); check")
    wide = file("king queen 5\n".encode("utf-16"))
    refused(read, wide, f"{wide} is UTF-16; give UTF-8, converted with iconv -f UTF-16 -t UTF-8")
    latin = file(b"# 1\ncaf\xe9 cafe 5\n")
    refused(read, latin, f"{latin}, line 2 is not UTF-8 at its byte 4; give text")
    refused(read, file(b"a" * 70_000), "line 1 is longer than 65,536 characters")


def test_the_longest_line(file, monkeypatch):
    monkeypatch.setattr(files, "LONGEST_LINE", 6)
    assert read_pairs(file("a b 5\nc d 6\n")).words == (("a", "b"), ("c", "d"))
    refused(read_pairs, file("a b 55\n"), "line 1 is longer than 6 characters")


def test_endless_files_are_no_trouble():
    with pytest.raises(QueryError, match=r"/dev/zero, line 1 is longer than"):
        read_set("/dev/zero")


def test_sections(file):
    text = "// notes\n: one\na b c d\n\n: two: more \r\n:\ne f g h\ni j k l\n# end"
    questions = read_analogies(file(text))
    assert questions.sections == ("one", "two: more", "")
    assert questions.section_of.tolist() == [0, 2, 2]
    assert questions.words == (tuple("abcd"), tuple("efgh"), tuple("ijkl"))
    assert questions.skipped == (2, 1, 0)


def test_questions_above_the_first_section(file):
    questions = read_analogies(file("a b c d\n: one\ne f g h"))
    assert questions.sections == ("", "one")
    assert questions.section_of.tolist() == [0, 1]


def test_the_kind_is_told_by_the_content(file):
    path = file("# a comment\n\n: capitals\na b c d\n")
    assert read_set(path).sections == ("capitals",)
    assert read_set(path).skipped == (1, 1, 0)
    path = file("# a b c\na b 5\n:) smile 6\n")
    assert read_set(path).words == (("a", "b"), (":)", "smile"))
    assert read_set(path).skipped == (1, 0, 0)
    assert read_set(file("a b c d\ne f g h\n")).sections == ("",)
    assert isinstance(read_set(file("a b c d\n: s\ne f g h\n")), Analogies)
    assert isinstance(read_set(file("word1 word2 score\na b 5\n")), Pairs)
    refused(read_set, file("a b A 1.58\n"), "line 1 has 4 fields, but a word pair has 3")
    for nothing in ("", "\n", "# a b c\n"):
        refused(read_set, file(nothing), "holds no word pair")


@pytest.mark.parametrize("text", ["a b 5\nc d 6\n", ": s\na b c d\n"])
def test_a_set_may_come_through_a_pipe(text):
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    try:
        assert len(read_set(f"/dev/fd/{read}").words) == text.count("\n") - text.count(":")
    finally:
        os.close(read)


@pytest.mark.slow
@given(st.data())
def test_every_file_of_pairs_is_read_as_it_is_written(tmp_path_factory, data):
    lines, passed = [], 0
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            lines.append(data.draw(PASSED_OVER))
            passed += 1
        sep = data.draw(st.sampled_from(["\t", " ", "  ", "\t\t"]))
        lines.append(sep.join([data.draw(WORDS), data.draw(WORDS), data.draw(NUMBERS)]))
    text = "".join(line + data.draw(ENDS) for line in lines)
    path = tmp_path_factory.mktemp("pairs") / "p"
    path.write_text(text, encoding="utf-8", newline="")
    pairs = read_pairs(path)
    found = [(*words, score) for words, score in zip(pairs.words, pairs.scores, strict=True)]
    assert found == naive.read_pairs(text)
    assert pairs.skipped.comments + pairs.skipped.blank == passed
    assert pairs.skipped.headers == 0


@given(st.binary(max_size=60), st.sampled_from([read_pairs, read_analogies, read_set]))
def test_any_bytes_are_read_or_refused_in_one_sentence(tmp_path_factory, content, read):
    path = tmp_path_factory.mktemp("any") / "f"
    path.write_bytes(content)
    try:
        found = read(path)
    except QueryError as error:
        sentence = str(error)
    else:
        sentence = f"{path} is read"
        ends = content.count(b"\n") + content.count(b"\r")
        assert sum(found.skipped) + len(found.words) <= ends + 1
    assert sentence.startswith(str(path))
    assert len(sentence.splitlines()) == 1


@given(st.lists(st.sampled_from([": s", "a b c d", "a b 5", "", "#", "a\tb\tc\td"]), max_size=8))
def test_every_line_is_accounted_for(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("lines") / "f"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    try:
        found = read_analogies(path)
    except QueryError:
        assert "a b 5" in lines or not {"a b c d", "a\tb\tc\td"} & set(lines)
    else:
        sections = sum(line == ": s" for line in lines)
        assert len(found.words) + sum(found.skipped) + sections == len(lines)


def test_items_of_which_all_words_are_known():
    assert all_known(np.array([[0, 1], [2, -1], [-1, 2]])).tolist() == [True, False, False]
