"""Registry and compiler of kernels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numba
from numba.core import sigutils
from numba.core.registry import cpu_target

from pochoir.kernels.compiled import Compiled

# With the error model of NumPy, code does not check for division by zero.
helper: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(error_model="numpy")
"""Decorator of a function that kernels call."""


class Marked(NamedTuple):
    """Source of a kernel."""

    dispatcher: Any
    signature: str


KERNELS: dict[str, Marked] = {}
"""All kernels by name."""


def kernel(signature: str) -> Callable[[Callable[..., None]], Any]:
    """Register a function as a kernel, to be compiled for one signature.

    Args:
        signature: Signature in numba's notation, such as ``"void(intp, float32)"``.

    Returns:
        A decorator; the decorated function can only be called by other numba functions.
    """
    # No wrappers around the machine code: no conversion of Python objects, and a status instead of exceptions.
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy"}

    def mark(function: Callable[..., None]) -> Any:
        dispatcher = numba.njit(**options)(function)
        KERNELS[function.__name__] = Marked(dispatcher, signature)
        return dispatcher

    return mark


def compile_kernel(marked: Marked) -> Compiled:
    """Compile a kernel with everything that it calls."""
    arguments, _ = sigutils.normalize_signature(marked.signature)  # type: ignore[no-untyped-call]
    marked.dispatcher.compile(arguments)
    made = marked.dispatcher.overloads[arguments]
    kinds = tuple(str(argument) for argument in arguments)
    return Compiled(made.fndesc.llvm_func_name, kinds, _to_object_file(made.library.get_llvm_str()))


def _to_object_file(code: str) -> bytes:
    """Compile LLVM code to an object file for the CPU that numba targets."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    machine = llvm.Target.from_triple(triple).create_target_machine(
        cpu=name, features=features, opt=3, codemodel="jitdefault", jit=True
    )
    translated: bytes = machine.emit_object(llvm.parse_assembly(code))
    return translated
