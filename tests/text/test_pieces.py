import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.text.reading import PIECE, Cutter

CHUNKS = st.lists(st.text(st.sampled_from("aaab \n\u3000")))
SIZES = st.integers(1, 7)


@given(CHUNKS, SIZES)
def test_pieces_laid_end_to_end_are_the_text(chunks, size):
    pieces = list(Cutter(size).pieces(chunks))
    assert "".join(pieces) == "".join(chunks)
    assert all(1 <= len(piece) <= size for piece in pieces)


@given(CHUNKS, SIZES)
def test_only_stretches_longer_than_a_piece_are_cut_and_each_counts_once(chunks, size):
    cutter = Cutter(size)
    pieces = list(cutter.pieces(chunks))
    stretches = re.findall(r"\S+", "".join(chunks))
    assert cutter.cut == sum(len(stretch) > size for stretch in stretches)
    if not cutter.cut:
        assert [word for piece in pieces for word in piece.split()] == stretches


@given(CHUNKS, SIZES)
def test_a_piece_with_a_line_end_ends_in_one_unless_it_is_the_last(chunks, size):
    for piece in list(Cutter(size).pieces(chunks))[:-1]:
        assert "\n" not in piece or piece.endswith("\n")


@given(st.text(st.sampled_from("ab \n")), st.lists(st.integers(0, 40)), SIZES)
def test_how_the_text_arrives_makes_no_difference(text, places, size):
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    chunks = [text[a:b] for a, b in itertools.pairwise(edges)]
    whole, parts = Cutter(size), Cutter(size)
    compose = "".join(whole.pieces([text])).split()
    assert "".join(parts.pieces(chunks)).split() == compose
    assert whole.cut == parts.cut


def test_cuts_are_counted_over_all_texts():
    cutter = Cutter(2)
    assert list(cutter.pieces(["abc"])) == ["ab", "c"]
    assert list(cutter.pieces(["abcde f", "ghi"])) == ["ab", "cd", "e ", "fg", "hi"]
    assert cutter.cut == 3


@pytest.mark.parametrize(("length", "cut"), [(PIECE, 0), (PIECE + 1, 1), (3 * PIECE, 1)])
def test_piece_of_the_real_size(length, cut):
    cutter = Cutter()
    pieces = list(cutter.pieces(["x " + "y" * length + " z\n"]))
    assert pieces[0] == "x "
    assert cutter.cut == cut
    assert max(map(len, pieces)) == PIECE
