"""Make machine code of the assembly code that the package brings along.

The one function of each file takes the address of a row of 64-bit integers: the arguments, then
room for what it returns. It returns 0 unless something went wrong.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import threading
from collections.abc import Callable
from typing import Any, Final

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from cbow.system.compiled import keep_entry, kept_entry, made_here

#: The name of the function of each file.
ENTRY: Final = "cbow_entry"

#: Keeps what machine code lies in.
_engines: list[Any] = []

#: LLVM works for one thread at a time.
_lock = threading.Lock()


def machine_code(
    kernel: str, sources: str, assembly: str, returned: str
) -> Callable[[tuple[Any, ...], list[int]], Any]:
    """Return a function that runs the code; it takes the arguments, and these as integers.

    Parameters
    ----------
    kernel : str
        The name of the kernel.
    sources : str
        Their digest; see `sources_digest`.
    assembly : str
    returned : str
        A letter for each number that the kernel returns: i for int64, d for float64.

    Raises
    ------
    RuntimeError
        If this LLVM cannot read the code.
    """
    with _lock:
        address = _address(kernel, sources, assembly)
    run = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(address)
    room = [0] * max(1, len(returned))  # a kernel that returns None writes a 0

    def call(arguments: tuple[Any, ...], slots: list[int]) -> Any:
        """Run the code."""
        row = np.array(slots + room, np.int64)
        if status := run(row.ctypes.data):
            raise RuntimeError(f"{kernel} ended with status {status}")
        del arguments  # kept until here: the code works in their memory
        behind = len(slots)
        values = [
            value.view(np.float64).item() if letter == "d" else value.item()
            for letter, value in zip(returned, row[behind:], strict=False)
        ]
        return tuple(values) if len(values) > 1 else values[0] if values else None

    return call


def _address(kernel: str, sources: str, assembly: str) -> int:
    """Return where the machine code of a kernel begins, which is made if it is not kept."""
    machine = _machine()
    digest = hashlib.sha256(assembly.encode()).hexdigest()
    key = repr((kernel, digest, llvmlite.__version__, *_processor()))
    code = kept_entry(kernel, sources, key)
    if code is None:
        made_here.append(kernel)
        module = llvm.parse_assembly(assembly)
        module.verify()
        code = machine.emit_object(module)
        keep_entry(kernel, sources, key, code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return int(engine.get_function_address(ENTRY))


def _processor() -> tuple[str, str]:
    """Return the name and the features of the processor to make code for."""
    name = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    return name, llvm.get_host_cpu_features().flatten() if features is None else features


@functools.cache
def _prepare() -> None:
    """Start LLVM, and tell it where the products of matrices are."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for name, address in blas_addresses().items():
        llvm.add_symbol(name, address)


def _machine() -> Any:
    _prepare()
    name, features = _processor()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=3, jit=True
    )


@functools.cache
def blas_addresses() -> dict[str, int]:
    """Return the addresses of scipy's matrix products, by the names that kernels call them by."""
    from scipy.linalg import cython_blas

    get_name = ctypes.pythonapi.PyCapsule_GetName
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    addresses = {}
    for name in ("sgemm", "dgemm"):
        capsule = cython_blas.__pyx_capi__[name]
        addresses[f"cbow_{name}"] = int(get_pointer(capsule, get_name(capsule)))
    return addresses
