"""Numbers in text formats: against Python's float and repr, numpy's str and the plain twins."""

import re

import naive_formats
import numba
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cbow.vectors.formats import text_kernels
from cbow.vectors.formats.text import RowError, number_rows, numbers_in, read_compiled, read_plainly

pytestmark = pytest.mark.kernels

COMPILED = not numba.config.DISABLE_JIT

#: How many numbers are tried: as plain Python the kernels are slow.
MANY = 200_000 if COMPILED else 2_000


def single(text):
    """Round as the module promises: to the nearest float64, then to float32."""
    with np.errstate(over="ignore"):
        return np.float32(float(text))


def bits(numbers):
    return np.asarray(numbers, np.float32).tobytes()


def parse(texts):
    """Let the kernel alone read a number a row; give the numbers and which rows it took."""
    data = "".join(f"w {text}\n" for text in texts).encode()
    R = len(texts)
    numbers, plain = np.full((R, 1), np.nan, np.float32), np.empty(R, np.bool_)
    places = np.empty((2, R), np.int64)
    text_kernels.parse(np.frombuffer(data, np.uint8), numbers, *places, plain)
    return numbers[:, 0], plain


def check(texts, most_left):
    """What the kernel reads is right; it leaves no more than so many to others."""
    numbers, plain = parse(texts)
    expected = np.array([single(text) for text in texts])
    assert bits(numbers[plain]) == bits(expected[plain])
    assert (~plain).sum() <= most_left


# reading numbers


@pytest.mark.parametrize("form", ["%.6f", "%.5g", "%.9g", "%.17g", "%.25e", "%r", "%.40f", "%+.3E"])
def test_ordinary_numbers(form):
    rng = np.random.default_rng(1)
    doubles = rng.standard_normal(MANY // 10) * 10.0 ** rng.integers(-6, 3, MANY // 10)
    check([form % x for x in doubles.tolist()], most_left=2)


def test_short_decimals():
    check([f"{n / 1e4:.4f}" for n in range(-MANY // 10, MANY // 10, 7)], most_left=0)
    check([f"{n}" for n in range(-MANY // 20, MANY // 20)], most_left=0)
    check([f"{n}e{s}" for n in (1, 5, 25, 999) for s in range(-38, 36)], most_left=0)


def middles():
    """Numbers in the middle of two float32, exactly, and as near to it as float64 can be."""
    rng = np.random.default_rng(2)
    below = np.abs(rng.integers(0, 0x7F000000, 500, dtype=np.int32).view(np.float32))
    for low in below.tolist():
        above = float(np.nextafter(np.float32(low), np.float32(np.inf)))
        yield (low + above) / 2


@pytest.mark.slow
def test_numbers_between_two_float32():
    for middle in middles():
        exactly = f"{middle:.200e}"
        near = [f"{np.nextafter(middle, to):.17e}" for to in (-np.inf, np.inf)]
        longer = [exactly[:-1] + "1", f"{middle:.30e}"]
        numbers, plain = parse([exactly, *near, *longer])
        expected = [single(text) for text in (exactly, *near, *longer)]
        assert bits(numbers[plain]) == bits(np.array(expected)[plain])
        assert not plain[0]  # float64 arithmetic cannot tell


@given(st.from_regex(r"[+-]?(\d{1,25}\.?\d{0,25}|\.\d{1,25})([eE][+-]?\d{1,3})?", fullmatch=True))
@example("0" * 100)
@example("0." + "0" * 100)
@example("9" * 100)
@example("1e" + "9" * 100)
@example("1e-" + "9" * 100)
@example("179769313486231570e37")
@example("3.4028235677973366e38")
@example("3.4e38")
@example("1e-64")
@example("1e-65")
def test_any_number(text):
    if re.search("[^ -~]", text):  # digits of other scripts
        return
    numbers, plain = parse([text])
    if plain[0]:
        assert bits(numbers) == bits([single(text)])


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "+", "-", "e5", ".e5", "1e", "1e+", "--1", "1.2.3", "1_0", "0x1", "nan", "inf"),
        *("Infinity", "1f", "1,5", "1e5.0", "1e39", "-1e999", "3.5e38", "1\x85", "\xa01", "١"),
    ],
)
def test_what_is_no_number_is_left_to_others(text):
    _, plain = parse([text])
    assert not plain[0]


# rows

FIELD = st.sampled_from(
    [
        *("a", "the", "é", "x1", "0.5", "-1e-05", "12", "1.00000005960464477539062"),
        *("nan", "1e39", ".", "1.2.3", "1-2"),
    ]
)
GAP = st.sampled_from([" ", " ", " ", "\t", "  ", " \r", "\v"])
END = st.sampled_from(["", " ", "\r", " \t"])


@st.composite
def rows(draw):
    fields = draw(st.lists(FIELD, max_size=6))
    gaps = draw(st.lists(GAP, min_size=len(fields), max_size=len(fields)))
    parts = [gap + field for gap, field in zip(gaps, fields, strict=True)]
    first = "".join(parts) if draw(st.integers(0, 9)) == 0 else "".join(parts)[1:]
    return first + draw(END)


@given(st.lists(rows(), min_size=1, max_size=5), st.integers(1, 3), st.booleans())
def test_rows_are_those_of_the_plain_twin(lines, N, skip):
    piece = "".join(f"{line}\n" for line in lines).encode()

    def outcome(read):
        try:
            words, numbers, bad = read(piece, N, skip)
        except RowError as error:
            return str(error), error.row
        return words, bits(numbers), [(str(error), error.row) for error in bad]

    assert outcome(read_compiled) == outcome(read_plainly)


@pytest.mark.slow
@given(st.integers(1, 4), st.data())
def test_rows_that_are_sound_are_read(N, data):
    word = st.sampled_from(["a", "a b", "1", ". . .", "é\xa0é", "w" * 70, "</s>"])
    number = st.sampled_from(["0.5", "-1e-05", "+12.", "16777217", ".125"])
    line = st.tuples(word, *[number] * N)
    lines = data.draw(st.lists(line, min_size=1, max_size=6))
    piece = "".join(" ".join(line) + "\n" for line in lines).encode()
    for read in (read_compiled, read_plainly):
        found = read(piece, N)
        assert found.words == [word.encode() for word, *_ in lines]
        assert bits(found.numbers) == bits([[single(x) for x in row] for _, *row in lines])


@pytest.mark.parametrize(
    ("row", "N"),
    [
        *((b"a 1 2", 2), (b"1 2 3", 2), (b". . 1", 1), (b"a", 0), (b"", 0), (b" 1", 0)),
        *((b"a 1 b", 0), (b"a nan 1", 2), (b"a b -inf", 1), (b"5 5", 1), (b"a 1 2 \r", 2)),
        (b"a\t1", 1),
    ],
)
def test_numbers_at_the_end_of_a_row(row, N):
    assert numbers_in(row) == N


# writing numbers


def every_power():
    """All powers of two, and their neighbours; and of ten, with theirs."""
    twos = [2.0**k for k in range(-149, 128)]
    tens = [10.0**k for k in range(-44, 39)]
    for x in np.array(twos + tens, np.float32):
        yield from (np.nextafter(x, np.float32(0)), x, np.nextafter(x, np.float32(np.inf)))


def check_written(numbers, dtype=np.float32):
    numbers = np.asarray(numbers, dtype)
    texts = [row.decode() for row in number_rows(numbers.reshape(-1, 1))]
    assert texts == list(map(naive_formats.shortest, numbers))
    assert np.array([float(text) for text in texts], dtype).tobytes() == numbers.tobytes()


def test_powers_and_their_neighbours():
    numbers = np.array(list(every_power()))
    check_written(numbers)
    check_written(-numbers)
    check_written(numbers, np.float64)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_of_every_size(dtype):
    bits = np.random.default_rng(4).integers(0, 2**64, MANY, dtype=np.uint64)
    patterns = bits.view(dtype)[:MANY]
    check_written(patterns[np.isfinite(patterns)], dtype)


@pytest.mark.slow
def test_ordinary_numbers_are_written():
    rng = np.random.default_rng(5)
    check_written(rng.standard_normal(MANY) * 0.1)
    check_written(np.arange(-MANY // 2, MANY // 2, 3) / 1e4)  # of few digits


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "x",
    [
        *(0.0, -0.0, 1e-4, 9.999e-5, 1e16, 9.99e15, 123456790.0, 0.1, 1.0, 100.0, 2097152.25),
        *(1.5e-45, 3.4028234663852886e38, 1.1754943508222875e-38, 16777216.0, 9.9999998e-6),
        *(1e12, 9.99e11, 1e15, 1.2e-7, 1e-10, 4194303.75),
    ],
)
def test_forms(x, dtype):
    check_written([x, -x], dtype)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_any_number_is_written_like_numpys(x):
    check_written([x])
    check_written([x], np.float64)


@pytest.mark.slow
@given(
    st.integers(1, 4).flatmap(
        lambda N: st.lists(
            st.lists(
                st.floats(width=32, allow_nan=False, allow_infinity=False)
                | st.sampled_from([0.5, 2.0**-20, 2.0**60]),
                min_size=N,
                max_size=N,
            ),
            min_size=1,
            max_size=6,
        )
    ),
    st.sampled_from([b" ", b"\t"]),
)
def test_rows_are_written_as_by_the_plain_twin(rows, separator):
    numbers = np.array(rows, np.float32)
    expected = [separator.decode().join(map(naive_formats.shortest, row)) for row in numbers]
    assert number_rows(numbers, separator) == [row.encode() for row in expected]


@pytest.mark.parametrize("make", [np.asfortranarray, lambda m: m[::-1], lambda m: m.astype(">f4")])
def test_numbers_of_a_mapped_file_or_in_another_order_are_written(make):
    matrix = np.random.default_rng(6).standard_normal((3, 2)).astype(np.float32)
    rows = make(matrix)
    rows.flags.writeable = False
    assert number_rows(rows) == number_rows(np.array(rows, np.float32, order="C"))
