"""Marks the functions that can be called from outside, and compiles them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numba
from numba.core import sigutils
from numba.core.registry import cpu_target

from pochoir.kernels.compiled import Compiled

# A division by zero is not looked for: it would raise.
helper: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(error_model="numpy")
"""Decorates a function that kernels call."""


class Marked(NamedTuple):
    """A kernel's source."""

    dispatcher: Any
    signature: str


KERNELS: dict[str, Marked] = {}
"""By name."""


def compiled(signature: str) -> Callable[[Callable[..., None]], Any]:
    """Mark a function as a kernel, to be compiled for one signature.

    Args:
        signature: In numba's words, such as ``"void(intp, float32)"``.

    Returns:
        A decorator. What it gives can be called by other functions for numba only.
    """
    # Nothing around the machine code: no conversion of Python's objects, no exceptions but a status.
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy"}

    def mark(function: Callable[..., None]) -> Any:
        dispatcher = numba.njit(**options)(function)
        KERNELS[function.__name__] = Marked(dispatcher, signature)
        return dispatcher

    return mark


def compile_kernel(kernel: Marked) -> Compiled:
    """Compile a kernel, and with it whatever it calls."""
    arguments, _ = sigutils.normalize_signature(kernel.signature)  # type: ignore[no-untyped-call]
    kernel.dispatcher.compile(arguments)
    made = kernel.dispatcher.overloads[arguments]
    kinds = tuple(str(argument) for argument in arguments)
    return Compiled(made.fndesc.llvm_func_name, kinds, _translate(made.library.get_llvm_str()))


def _translate(code: str) -> bytes:
    """LLVM's code into an object file for the CPU that numba compiles for."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    machine = llvm.Target.from_triple(triple).create_target_machine(
        cpu=name, features=features, opt=3, codemodel="jitdefault", jit=True
    )
    translated: bytes = machine.emit_object(llvm.parse_assembly(code))
    return translated
