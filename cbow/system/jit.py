"""Compile kernels with numba, and keep what it makes for the next process.

Only where the package brings no code along; see `cbow.system.compiled`. The second half tells numba
of the operations of `cbow.system.operations`: `exponential` is compiled from its plain version; for
the others, numba is handed LLVM's instructions.
"""

from __future__ import annotations

import contextlib
import math
import operator
import os
import pickle
import platform
from collections.abc import Callable, Iterator
from typing import Any

import llvmlite
import numba
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.extending import lower_builtin, overload, register_jitable, type_callable
from numba.np.arrayobj import populate_array

from cbow.system import operations
from cbow.system.compiled import (
    cache_folder,
    forget_entries,
    inlined_functions,
    keep_entry,
    kept_entry,
    made_here,
    sources_digest,
)
from cbow.system.machine_code import blas_addresses
from cbow.system.operations import LANES, exponential32

# Some versions of numba have types.
_nb: Any = numba
_types: Any = types
_lower: Any = lower_builtin
_allocate: Any = cgutils.alloca_once_value
_populate: Any = populate_array
_function_of: Any = cgutils.get_or_insert_function
_parts_of: Any = cgutils.unpack_tuple
_rebuild: Any = CompileResult._rebuild
_dumps: Any = dumps
_library_of = operator.attrgetter("library")


def dispatcher(function: Callable[..., Any]) -> Any:
    """Return a function that numba compiles when it is called, by arguments of some types."""
    while inlined_functions:
        register_jitable(inlined_functions.pop())
    # Arrays are borrowed from the caller and none is made: nothing needs to be counted.
    kernel = _nb.njit(nogil=True, error_model="numpy", _nrt=False)(function)
    if function.__module__.startswith("cbow.") and function.__closure__ is None:
        # The key tells nothing of other sources, nor of what a closure holds.
        kernel._cache = KernelCache(function)
    return kernel


class KernelCache(_Cache):
    """The entries of one kernel, as numba's dispatcher asks for them."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._module = function.__module__
        self._name = f"{function.__module__}.{function.__qualname__}"

    @property
    def cache_path(self) -> str | None:
        """The folder of the entries; None if there is none."""
        return str(folder) if (folder := cache_folder()) else None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature; None if there is no sound entry."""
        target_context.refresh()
        key = self._key(sig, target_context.codegen())
        content = kept_entry(self._name, sources_digest(self._module), key)
        if content is not None:
            with contextlib.suppress(Exception):  # whatever numba meets: it is compiled again
                return _rebuild(target_context, *pickle.loads(content))
        made_here.append(self._name)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature, if a folder takes it."""
        if not _library_of(data).has_dynamic_globals:
            key = self._key(sig, data.codegen)
            keep_entry(self._name, sources_digest(self._module), key, _dumps(data._reduce()))

    def enable(self) -> None:
        """Do nothing: it always is."""

    def disable(self) -> None:
        """Do nothing: see `enable`."""

    def flush(self) -> None:
        """Remove all entries of the kernel."""
        forget_entries(self._name)

    def _key(self, sig: Any, codegen: Any) -> str:
        versions = (platform.python_version(), numba.__version__, llvmlite.__version__)
        return repr((self._name, sources_digest(self._module), versions, str(sig),
                     codegen.magic_tuple()))  # fmt: skip


# The operations of `cbow.system.operations`.

for _name, _address in blas_addresses().items():
    binding.add_symbol(_name, _address)

register_jitable(exponential32)


@overload(operations.exponential)
def exponential(x: Any) -> Callable[..., Any]:
    """Choose the exponential of a float64 or a float32."""

    def in_float64(x: Any) -> Any:
        """Return e^x as the library has it."""
        return math.exp(x)

    def in_float32(x: Any) -> Any:
        """Return e^x the quick way."""
        return exponential32(x)

    return in_float64 if x == types.float64 else in_float32


def tell(operation: Callable[..., Any], result: Callable[..., Any]) -> Callable[..., Any]:
    """Tell numba of an operation: what it returns, and what writes its code, which is decorated.

    Parameters
    ----------
    operation : callable
        One of `cbow.system.operations`.
    result : callable
        Takes the types of its arguments, and returns that of its result.
    """
    type_callable(operation)(lambda context: result)
    lowering: Callable[..., Any] = _lower(operation, _types.VarArg(_types.Any))
    return lowering


# Sums, products and maxima by lanes.


def number_of_rows(*rows: Any) -> Any:
    """Return the type of the numbers of rows, which must be of one type and lie together."""
    kind = rows[0]
    if any(row != kind for row in rows) or kind.ndim != 1 or kind.layout != "C":
        raise TypeError(f"expected rows of one type that lie together, but got {rows}")
    return kind.dtype


def by_lanes(combine: Any, start: float) -> Callable[..., Any]:
    """Return what writes the code of `operations._by_lanes` for the product of one row or two."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        """Write the code."""
        kind = signature.args[0]
        number, place = context.get_value_type(kind.dtype), ir.IntType(32)
        vector = ir.VectorType(number, LANES)
        views = [context.make_array(kind)(context, builder, value) for value in values]
        singles = [view.data for view in views]
        vectors = [builder.bitcast(data, vector.as_pointer()) for data in singles]
        n = views[0].nitems
        full = builder.and_(n, n.type(-LANES))

        def factor(pointers: Any, index: Any) -> Any:
            """Load what stands at an index of the row, or of two rows, as a product."""
            align = kind.dtype.bitwidth // 8
            factors = [builder.load(builder.gep(p, [index]), align=align) for p in pointers]
            return factors[0] if len(factors) == 1 else builder.fmul(*factors)

        lanes = _allocate(builder, ir.Constant(vector, [start] * LANES))
        with cgutils.for_range(builder, builder.udiv(n, n.type(LANES))) as loop:
            more = factor(vectors, loop.index)
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
            more = factor(singles, loop.index)
            builder.store(combine(builder, builder.load(result), more), result)
        return builder.load(result)

    return write


def add(builder: Any, one: Any, other: Any) -> Any:
    """Write the sum of two numbers, or lane by lane."""
    return builder.fadd(one, other)


def larger(builder: Any, one: Any, other: Any) -> Any:
    """Write the larger of two numbers, or lane by lane."""
    return builder.select(builder.fcmp_ordered(">", other, one), other, one)


tell(operations.total, lambda a: number_of_rows(a))(by_lanes(add, 0.0))
tell(operations.dot, lambda a, b: number_of_rows(a, b))(by_lanes(add, 0.0))
tell(operations.largest, lambda a: number_of_rows(a))(by_lanes(larger, float("-inf")))
tell(operations.fma, lambda a, b, c: a)(lambda _, builder, __, values: builder.fma(*values))


# Rows of a table, which are chosen by ids.


class Rows:
    """What writes code that goes through the chosen rows of a table, (count, n).

    Many numbers of all rows are gone through before the next numbers, so that sums stay in
    registers, and no row begins or ends a loop.
    """

    def __init__(self, context: Any, builder: Any, signature: Any, values: Any) -> None:
        table, ids = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:2], values[:2], strict=True)
        )
        self.builder, self.table, self.ids, self.count = builder, table.data, ids.data, ids.nitems
        _, self.n = _parts_of(builder, table.shape)
        self.number = context.get_value_type(signature.args[0].dtype)
        self.size = signature.args[0].dtype.bitwidth // 8

    def pieces(self) -> Iterator[tuple[Any, Any]]:
        """Write a loop over the places in a row; yield where a piece starts, and its type."""
        start = self.n.type(0)
        for lanes in (4 * LANES, 2 * LANES, LANES, 4, 1):
            stop = self.builder.and_(self.n, self.n.type(-lanes))
            with cgutils.for_range_slice(
                self.builder, start, stop, self.n.type(lanes), inc=True
            ) as (k, _):
                yield k, ir.VectorType(self.number, lanes)
            start = stop

    @contextlib.contextmanager
    def each(self, k: Any) -> Iterator[Any]:
        """Write a loop over the rows; yield where place k of each is in memory."""
        builder = self.builder
        with cgutils.for_range(builder, self.count) as loop:
            word = builder.zext(builder.load(builder.gep(self.ids, [loop.index])), self.n.type)
            yield builder.gep(self.table, [builder.add(builder.mul(word, self.n), k)])

    def load(self, data: Any, vector: Any) -> Any:
        """Load several numbers."""
        return self.builder.load(self.builder.bitcast(data, vector.as_pointer()), align=self.size)

    def store(self, numbers: Any, data: Any) -> None:
        """Store several numbers."""
        pointer = self.builder.bitcast(data, numbers.type.as_pointer())
        self.builder.store(numbers, pointer, align=self.size)


def nothing_of_rows(table: Any, ids: Any, *others: Any) -> Any:
    """Return the type of no result; check a table and ids, and the row that comes last, if any."""
    if (table.ndim, table.layout, ids.ndim, ids.layout) != (2, "C", 1, "C"):
        raise TypeError(f"expected a table by rows and ids that lie together, not {table}, {ids}")
    for row in others[-1:]:
        if number_of_rows(row) != table.dtype:
            raise TypeError(f"expected rows of one type that lie together, but got {table}, {row}")
    return types.void


@tell(operations.add_up_rows, lambda table, ids, out: nothing_of_rows(table, ids, out))
def add_up_rows(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Write the code of `operations.add_up_rows`."""
    rows = Rows(context, builder, signature, values)
    out = context.make_array(signature.args[2])(context, builder, values[2]).data
    for k, vector in rows.pieces():
        total = _allocate(builder, ir.Constant(vector, [0.0] * vector.count))
        with rows.each(k) as place:
            builder.store(builder.fadd(builder.load(total), rows.load(place, vector)), total)
        place = builder.gep(out, [k])
        rows.store(builder.fadd(rows.load(place, vector), builder.load(total)), place)
    return context.get_dummy_value()


@tell(operations.add_to_rows, lambda table, ids, x, row: nothing_of_rows(table, ids, row))
def add_to_rows(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Write the code of `operations.add_to_rows`."""
    rows = Rows(context, builder, signature, values)
    row = context.make_array(signature.args[3])(context, builder, values[3]).data
    for k, vector in rows.pieces():
        integers = ir.VectorType(ir.IntType(32), vector.count)
        first = builder.insert_element(
            ir.Constant(vector, ir.Undefined), values[2], ir.IntType(32)(0)
        )
        factor = builder.shuffle_vector(first, first, integers(None))
        more = builder.fmul(factor, rows.load(builder.gep(row, [k]), vector))
        with rows.each(k) as place:
            rows.store(builder.fadd(rows.load(place, vector), more), place)
    return context.get_dummy_value()


@tell(operations.prefetch_rows, lambda table, ids: nothing_of_rows(table, ids))
def prefetch_rows(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Ask for each cache line of 64 bytes that a row begins, and for its last."""
    rows = Rows(context, builder, signature, values)
    line = 64 // rows.size
    stop, step = builder.and_(rows.n, rows.n.type(-line)), rows.n.type(line)
    lines = cgutils.for_range_slice(builder, rows.n.type(0), stop, step, inc=True)
    with lines as (k, _), rows.each(k) as place:
        ask_for(builder, place)
    with rows.each(builder.sub(rows.n, rows.n.type(1))) as place:
        ask_for(builder, place)
    return context.get_dummy_value()


def ask_for(builder: Any, place: Any) -> None:
    """Write the instruction that asks for a cache line, as LLVM has it for any type."""
    integer = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [place.type, integer, integer, integer])
    function = _function_of(builder.module, kind, "llvm.prefetch.p0")
    options = [integer(0), integer(3), integer(1)]  # to read, into all caches, data
    builder.call(function, [builder.bitcast(place, function.args[0].type), *options])


@tell(operations.prefetch, lambda a, i: types.void)
def prefetch(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Ask for the cache line of a number."""
    data = context.make_array(signature.args[0])(context, builder, values[0]).data
    ask_for(builder, builder.gep(data, [values[1]]))
    return context.get_dummy_value()


# Matrices.


@tell(operations.as_matrix, lambda a, rows, columns: types.Array(number_of_rows(a), 2, "C"))
def as_matrix(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Write the code of `operations.as_matrix`."""
    kind = signature.return_type
    view = context.make_array(signature.args[0])(context, builder, values[0])
    matrix = context.make_array(kind)(context, builder)
    size = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
    rows, columns = values[1:]
    _populate(
        matrix, data=view.data, shape=[rows, columns], itemsize=size, meminfo=None,
        strides=[builder.mul(columns, size), size],
    )  # fmt: skip
    return matrix._getvalue()


def nothing_of_matrices(A: Any, B: Any, out: Any) -> Any:
    """Return the type of no result; check two matrices, and that of their product."""
    if {A.ndim, B.ndim, out.ndim} != {2} or {A.layout, B.layout} - {"C", "F"} or out.layout != "C":
        raise TypeError(f"expected matrices that lie together, but got {A}, {B}, {out}")
    return types.void


@tell(operations.product, nothing_of_matrices)
def product(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Call BLAS, to which a matrix by rows is the transposed by columns: outᵀ = Bᵀ Aᵀ."""
    A, B, out = (
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args, values, strict=True)
    )
    by_rows = [kind.layout == "C" for kind in signature.args]
    m, k = _parts_of(builder, A.shape)
    _, n = _parts_of(builder, B.shape)
    number = context.get_value_type(signature.args[0].dtype)

    def letter(rows: bool) -> Any:
        """Tell BLAS how a matrix lies."""
        return _allocate(builder, ir.Constant(ir.IntType(8), ord("n" if rows else "t")))

    def size(value: Any) -> Any:
        """Pass a size to BLAS."""
        return _allocate(builder, builder.trunc(value, ir.IntType(32)))

    one, zero = (_allocate(builder, ir.Constant(number, value)) for value in (1.0, 0.0))
    arguments = [
        letter(by_rows[1]), letter(by_rows[0]), size(n), size(m), size(k), one,
        B.data, size(n if by_rows[1] else k), A.data, size(k if by_rows[0] else m), zero,
        out.data, size(n),
    ]  # fmt: skip
    name = {32: "cbow_sgemm", 64: "cbow_dgemm"}[signature.args[0].dtype.bitwidth]
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(_function_of(builder.module, kind, name), arguments)
    return context.get_dummy_value()


# How threads wait for each other.


@tell(operations.fence, lambda: types.void)
def fence(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Write the code of `operations.fence`."""
    builder.fence("seq_cst")
    return context.get_dummy_value()


_yield_processor = types.ExternalFunction(
    "sched_yield" if os.name == "posix" else "SwitchToThread", types.int32()
)


@overload(operations.give_way)
def give_way() -> Callable[[], Any]:
    """Call the system."""
    return lambda: _yield_processor()


_MOMENT = 50 if os.name == "posix" else 1  # microseconds; milliseconds
_sleep: Any = types.ExternalFunction(
    "usleep" if os.name == "posix" else "Sleep", types.int32(types.uint32)
)


@overload(operations.rest)
def rest() -> Callable[[], Any]:
    """Call the system."""
    return lambda: _sleep(_MOMENT)
