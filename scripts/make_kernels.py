#!/usr/bin/env python3
"""Write the assembly code of the kernels that Python calls, which the package brings along.

    scripts/make_kernels.py

Run it after a change in a kernel, or in anything that a kernel's module imports; a test tells when.
It trains small models with every kernel compiled by numba, and writes a file for each kernel that
Python called in ``cbow/system/assembly``: LLVM's assembly code for the types of its first call.
The first line of the code tells what it is for; see `cbow.system.compiled`.
"""

from __future__ import annotations

import json
import lzma
import operator
import os
import re
import sys
from pathlib import Path
from typing import Any

# For a processor of which nearly all have the instructions; LLVM makes others of what one lacks.
os.environ |= {
    "CBOW_KERNELS": "numba",
    "NUMBA_CACHE_DIR": os.devnull,  # what is kept has no assembly code
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi,+bmi2",
}
sys.path.insert(0, str(Path(__file__).parents[1]))

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir

import cbow
from cbow.config import OPTIMIZERS
from cbow.system.compiled import ASSEMBLY, Kernel, flatten, sources_digest, unpacked
from cbow.system.machine_code import ENTRY
from cbow.text.kernels import WordTable, as_bytes, row_of_text
from cbow.text.numbering import TokenNumbering
from cbow.text.tokenizers import FOLLOWED, rule_of
from cbow.vectors.formats.text import read_compiled
from cbow.vectors.nearest import inverse_lengths
from cbow.vectors.rough import RoughCopy


def main() -> int:
    """Train, and write what was compiled for it."""
    calls = record()
    work()
    ASSEMBLY.mkdir(exist_ok=True)
    for file in ASSEMBLY.glob("*.ll.xz"):
        file.unlink()
    for kernel, (types, arguments) in calls.items():
        text = assembly(kernel, types, arguments)
        data = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
        (ASSEMBLY / f"{kernel.name}.ll.xz").write_bytes(data)
        print(f"{kernel.name}: {len(text):,} bytes, {len(data):,} compressed")
    return 0


def record() -> dict[Kernel, tuple[str, tuple[Any, ...]]]:
    """Let each kernel remember the types and the numba types of its first call."""
    calls: dict[Kernel, tuple[str, tuple[Any, ...]]] = {}
    by_numba = Kernel._by_numba

    def remember(self: Kernel, arguments: tuple[Any, ...], slots: list[int]) -> Any:
        types = "".join(flatten(argument, []) for argument in arguments)
        calls.setdefault(self, (types, tuple(numba.typeof(unpacked(a)) for a in arguments)))
        return by_numba(self, arguments, slots)

    Kernel._by_numba = remember  # type: ignore[method-assign]
    return calls


def work() -> None:
    """Use every kernel."""
    rng = np.random.default_rng(5)
    words = rng.zipf(1.3, 6000) % 90
    lines = [" ".join(f"w{i}" for i in words[k : k + 30]) for k in range(0, len(words), 30)]
    cbow.train(lines, objective="sampled", dimension=20, epochs=1, candidates=8, heldout=0.1)
    for optimizer in OPTIMIZERS:
        cbow.train(lines, objective="exact", dimension=20, epochs=1, optimizer=optimizer)
    table = WordTable(TokenNumbering(), slots=4)
    rule = rule_of(FOLLOWED[0])
    table.number(row_of_text(as_bytes(" ".join(lines), rule), rule.alphabet))
    vectors = rng.standard_normal((100_000, 20), np.float32)
    rough = RoughCopy(vectors, inverse_lengths(vectors), 0.0)
    rough.candidates(rng.standard_normal(20), 3, range(100_000))
    read_compiled(b"king 1.5 2\nqueen 1 2\n", 2)


def assembly(kernel: Kernel, types: str, signature: tuple[Any, ...]) -> str:
    """Return the code of a kernel behind one function that takes all arguments from a row."""
    overload = kernel.dispatcher.overloads[signature]
    described = overload.fndesc
    context = kernel.dispatcher.targetctx
    function_type = context.call_conv.get_function_type(described.restype, described.argtypes)
    returned = function_type.args[0].pointee

    module = ir.Module(ENTRY)
    module.triple = "x86_64-unknown-linux-gnu"
    native = ir.Function(module, function_type, described.llvm_func_name)
    entry = ir.Function(
        module, ir.FunctionType(ir.IntType(32), [ir.IntType(64).as_pointer()]), ENTRY
    )
    builder = ir.IRBuilder(entry.append_basic_block())
    (row,) = entry.args
    values = []
    for place, kind in enumerate(function_type.args[2:]):
        slot = builder.gep(row, [ir.IntType(32)(place)])
        values.append(builder.load(builder.bitcast(slot, kind.as_pointer())))  # little-endian
    n = len(values)
    room = builder.bitcast(builder.gep(row, [ir.IntType(32)(n)]), function_type.args[0])
    error = builder.alloca(function_type.args[1].pointee)
    builder.ret(builder.call(native, [room, error, *values]))

    whole = llvm.parse_assembly(operator.attrgetter("library")(overload).get_llvm_str())
    whole.link_in(llvm.parse_assembly(str(module)))
    for value in [*whole.functions, *whole.global_variables]:
        if value.name != ENTRY and not value.is_declaration:
            value.linkage = "internal"
    clean(whole)
    for number, value in enumerate([*whole.functions, *whole.global_variables]):
        if value.name != ENTRY and not value.is_declaration:
            value.name = f"_{number}"
    outside = sorted(
        f.name for f in whole.functions if f.is_declaration and not f.name.startswith("llvm.")
    )
    head = {
        "types": types,
        "sources": sources_digest(kernel.py_func.__module__),
        "code": sources_digest(kernel.py_func.__module__, comments=False),
        "returns": letters_of(returned),
        "calls": outside,
        "numba": numba.__version__,
    }
    code = re.sub(r"B\d+v\d+(?=B)", "", str(whole))  # numba counts what it compiled before
    return f"; {json.dumps(head)}\n{code}"


def letters_of(kind: ir.Type) -> str:
    """Return a letter for each number of a returned value."""
    if isinstance(kind, ir.PointerType):  # None
        return ""
    if isinstance(kind, ir.ArrayType):
        return kind.count * letters_of(kind.element)
    if isinstance(kind, ir.LiteralStructType):
        return "".join(map(letters_of, kind.elements))
    return {str(ir.IntType(64)): "i", str(ir.DoubleType()): "d"}[str(kind)]


def clean(module: Any) -> None:
    """Take out what nothing calls."""
    target = llvm.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine()
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options()))


if __name__ == "__main__":
    sys.exit(main())
