"""Sums and maxima as vector instructions make them, with their order written down.

A processor adds several numbers at once, a compiler only if it may reorder a sum; and then it may
order it in one way here and in another there. So the order is part of these functions. There are
`LANES` partial sums, lane l of which adds up the numbers l, l + LANES, l + 2 LANES and so on. The
upper half of the lanes is then added to the lower half until one is left, and to that, one by one,
the numbers that fill no lane. Every processor gives the same bits.

Each function is for kernels as well as for Python, whose version is the plain one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic, overload

from cbow.system.arrays import Array

_allocate: Any = cgutils.alloca_once_value  # some versions of numba have types

LANES: Final = 16


def total(a: Array) -> Any:
    """Return Σ_k a[k] of an array of shape (n,), float32 or float64."""
    return _by_lanes(np.add, 0.0, a)


def dot(a: Array, b: Array) -> Any:
    """Return Σ_k a[k] b[k] of two arrays of shape (n,), both float32 or both float64."""
    return _by_lanes(np.add, 0.0, a * b)


def largest(a: Array) -> Any:
    """Return max_k a[k] of an array of shape (n,), float32 or float64; -inf if it is empty.

    Not-a-number counts as less than all numbers.
    """
    return _by_lanes(np.fmax, -np.inf, a)


def fma(a: Any, b: Any, c: Any) -> Any:
    """Return a b + c of three float32, rounded once; in Python, rarely, the number next to it."""
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))  # the product is exact


def _by_lanes(combine: Callable[[Any, Any], Any], start: float, a: Array) -> Any:
    """Combine the numbers of an array in the order that the head of this module tells."""
    full = len(a) - len(a) % LANES
    lanes = np.full(LANES, start, a.dtype)
    for k in range(0, full, LANES):
        lanes = combine(lanes, a[k : k + LANES])
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = combine(lanes[:half], lanes[half:])
    result = lanes[0]
    for k in range(full, len(a)):
        result = combine(result, a[k])
    return result


# From here on: the same for the compiler.


@overload(total)
def _total(a: Any) -> Callable[..., Any]:
    def total(a: Any) -> Any:
        return _compiled_total(a)  # type: ignore[call-arg]

    return total


@overload(dot)
def _dot(a: Any, b: Any) -> Callable[..., Any]:
    def dot(a: Any, b: Any) -> Any:
        return _compiled_dot(a, b)  # type: ignore[call-arg]

    return dot


@overload(largest)
def _largest(a: Any) -> Callable[..., Any]:
    def largest(a: Any) -> Any:
        return _compiled_largest(a)  # type: ignore[call-arg]

    return largest


@overload(fma)
def _fma(a: Any, b: Any, c: Any) -> Callable[..., Any]:
    def fma(a: Any, b: Any, c: Any) -> Any:
        return _compiled_fma(a, b, c)  # type: ignore[call-arg]

    return fma


@intrinsic
def _compiled_total(typing_context: Any, a: Any) -> Any:
    return _code_by_lanes(_add, 0.0, a)


@intrinsic
def _compiled_dot(typing_context: Any, a: Any, b: Any) -> Any:
    return _code_by_lanes(_add, 0.0, a, b)


@intrinsic
def _compiled_largest(typing_context: Any, a: Any) -> Any:
    return _code_by_lanes(_larger, float("-inf"), a)


@intrinsic
def _compiled_fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return a(a, b, c), generate


def _add(builder: Any, one: Any, other: Any) -> Any:  # pragma: no cover
    return builder.fadd(one, other)


def _larger(builder: Any, one: Any, other: Any) -> Any:  # pragma: no cover
    return builder.select(builder.fcmp_ordered(">", other, one), other, one)


def _code_by_lanes(combine: Any, start: float, *arrays: Any) -> Any:  # pragma: no cover
    """Return the signature and the code of `_by_lanes` for the product of one array or two."""
    kind = arrays[0]
    if any(array != kind for array in arrays) or kind.ndim != 1 or kind.layout != "C":
        raise TypeError(f"expected rows of one type that lie together, but got {arrays}")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number, place = context.get_value_type(kind.dtype), ir.IntType(32)
        vector = ir.VectorType(number, LANES)
        views = [context.make_array(kind)(context, builder, value) for value in values]
        singles = [view.data for view in views]
        vectors = [builder.bitcast(data, vector.as_pointer()) for data in singles]
        n = views[0].nitems
        full = builder.and_(n, n.type(-LANES))

        def product(pointers: Any, index: Any) -> Any:
            align = kind.dtype.bitwidth // 8
            factors = [builder.load(builder.gep(p, [index]), align=align) for p in pointers]
            return factors[0] if len(factors) == 1 else builder.fmul(*factors)

        lanes = _allocate(builder, ir.Constant(vector, [start] * LANES))
        with cgutils.for_range(builder, builder.udiv(n, n.type(LANES))) as loop:
            more = product(vectors, loop.index)
            builder.store(combine(builder, builder.load(lanes), more), lanes)
        folded, half = builder.load(lanes), LANES // 2
        while half:
            lower, upper = (
                builder.shuffle_vector(
                    folded, folded, ir.Constant(ir.VectorType(place, half), list(places))
                )
                for places in (range(half), range(half, 2 * half))
            )
            folded, half = combine(builder, lower, upper), half // 2
        first = builder.extract_element(folded, place(0))
        result = _allocate(builder, first)
        with cgutils.for_range(builder, n, start=full) as loop:
            more = product(singles, loop.index)
            builder.store(combine(builder, builder.load(result), more), result)
        return builder.load(result)

    return kind.dtype(*arrays), generate
