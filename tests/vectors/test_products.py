"""3CosMul, held against plain loops."""

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from test_nearest import near_ties

from cbow.vectors import nearest, products

MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(3, 12), st.integers(1, 4)),
        elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-3]),
    )
)


@given(MATRICES, st.integers(1, 3), st.integers(0, 9), st.integers(0, 9), st.integers(0, 14))
def test_it_is_the_naive_search(matrix, positive, topn, start, stop):
    terms = matrix[:3] + np.array([2, 0, 0, 0], matrix.dtype)[: matrix.shape[1]]
    rows = range(len(matrix))[start:stop]
    inverse = nearest.inverse_lengths(matrix)
    hidden = np.array([1], np.intp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "ROWS", 5)
        ids, scores = products.largest_products(
            matrix, inverse, nearest.unit(terms), positive, hidden, topn, rows
        )
    expected = {
        row: naive.product(matrix[row], terms[:positive], terms[positive:])
        for row in rows
        if row != 1
    }
    best = sorted(expected.values(), reverse=True)[:topn]
    # Where the denominator is nearly 0, the rounding of a cosine is a million times as large.
    np.testing.assert_allclose(scores, [expected[row] for row in ids.tolist()], rtol=1e-8)
    np.testing.assert_allclose(scores, best, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_equal_but_for_rounding_is_told_apart(dtype):
    matrix = near_ties(dtype, V=500)
    terms = nearest.unit(np.stack([matrix[0], matrix[1], -matrix[2]]))
    inverse, none = nearest.inverse_lengths(matrix), np.array([], np.intp)
    ids, scores = products.largest_products(matrix, inverse, terms, 2, none, 20, range(500))
    every = np.arange(500)
    each = [nearest.exact_cosines(matrix, inverse, term, every) for term in terms]
    exact = products.score(np.stack(each, axis=1), 2)
    assert ids.tolist() == naive.largest(exact.tolist(), 20)
    assert scores.tolist() == exact[ids].tolist()


@given(
    arrays.arrays(np.float64, (5, 4), elements=st.floats(-1, 1)),
    arrays.arrays(np.float64, (5, 4), elements=st.floats(-1, 1)),
    st.integers(1, 4),
)
def test_the_bounds_of_a_score(cosines, errors, positive):
    wrong = cosines + 0.999e-3 * errors  # the rest is for rounding
    scores = products.score(cosines, positive)
    assert (products.score(wrong, positive, -1e-3) <= scores * (1 + 1e-9)).all()
    assert (products.score(wrong, positive, 1e-3) >= scores * (1 - 1e-9)).all()
