"""Library of compiled kernels: links kernels that an earlier run saved, and compiles them if there are none.

Importing numba and loading its own cache takes half a second. So the object files are saved here, and later runs link
them without numba.
"""

import ctypes
import hashlib
import importlib
import json
import logging
import os
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import platformdirs

from pochoir._files import replacing
from pochoir.kernels.compiled import Compiled
from pochoir.kernels.cpu import FEATURES
from pochoir.weights import home

logger = logging.getLogger(__name__)

_loading = threading.Lock()

_FOLDER = Path(__file__).parent
_SOURCES = ("compiled.py", "cpu.py", "layout.py", "winograd_matrices.py")
"""Modules outside ``native`` that the machine code depends on."""
_DAMAGE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError),  # not an intact archive
    *(LookupError, TypeError, ValueError),  # other contents than expected
)
_ARGUMENTS: Mapping[str, Any] = {"int64": ctypes.c_int64, "float32": ctypes.c_float}
_PLACE: Any = ctypes.POINTER(ctypes.c_void_p)


class Kernel:
    """Function in machine code, called without the interpreter's lock.

    Args:
        name: Name for error messages.
        address: Address of the function; 0 raises ``LookupError``.
        arguments: Types of its arguments.
    """

    # numba's functions return a status, and write their result and their exception to the first two arguments.
    _result, _exception = ctypes.c_void_p(), ctypes.c_void_p()

    def __init__(self, name: str, address: int, arguments: tuple[str, ...]) -> None:
        if not address:
            raise LookupError(name)
        self._name = name
        kinds = [_ARGUMENTS[argument] for argument in arguments]
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32, _PLACE, _PLACE, *kinds)(address)

    def __call__(self, *arguments: float) -> None:
        """Run the kernel."""
        if self._function(self._result, self._exception, *arguments):
            raise RuntimeError(f"The kernel {self._name} failed.")


def kernel(name: str) -> Kernel:
    """Return the kernel of this name."""
    return _load()[name]


def _load() -> dict[str, Kernel]:
    with _loading:  # the first thread loads, the others wait
        return _load_once()


@cache
def _load_once() -> dict[str, Kernel]:
    name = f"kernels-{_fingerprint()}.zip"
    for folder in _folders():
        try:
            return _link(_read(folder / name))
        except _DAMAGE:  # missing or damaged
            continue
    made: dict[str, Compiled] = importlib.import_module("pochoir.kernels.native").compile_all()
    for folder in _folders():
        try:
            _save(folder / name, made)
            break
        except OSError as error:
            logger.info("Compiled kernels cannot be saved in %s (%s).", folder, error)
    return _link(made)


def _folders() -> Iterator[Path]:
    """Yield the folders for compiled kernels; the first writable one is used."""
    yield _FOLDER / "__pycache__"
    yield home() / "kernels"
    yield platformdirs.user_cache_path("pochoir") / "kernels"


def _fingerprint() -> str:
    """Return a hash of everything that the machine code depends on."""
    parts = [version("numba"), version("llvmlite"), llvm.get_process_triple(), llvm.get_host_cpu_name()]
    parts += [*sorted(FEATURES), *sorted(f"{name}={value}" for name, value in os.environ.items() if "NUMBA" in name)]
    total = hashlib.sha256("\n".join(parts).encode())
    for path in (*sorted((_FOLDER / "native").glob("*.py")), *(_FOLDER / name for name in _SOURCES)):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def _read(path: Path) -> dict[str, Compiled]:
    with zipfile.ZipFile(path) as archive:  # verifies a checksum of each member
        index = json.loads(archive.read("index.json"))
        return {
            name: Compiled(entry["symbol"], tuple(entry["arguments"]), archive.read(f"{name}.o"))
            for name, entry in index.items()
        }


def _save(path: Path, made: Mapping[str, Compiled]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as passing, zipfile.ZipFile(passing, "w") as archive:
        index = {name: {"symbol": each.symbol, "arguments": each.arguments} for name, each in made.items()}
        archive.writestr("index.json", json.dumps(index))
        for name, each in made.items():
            archive.writestr(f"{name}.o", each.code)


def _link(made: Mapping[str, Compiled]) -> dict[str, Kernel]:
    engine = _start_engine()
    for each in made.values():
        engine.add_object_file(llvm.ObjectFileRef.from_data(each.code))
    engine.finalize_object()
    return {name: Kernel(name, engine.get_function_address(each.symbol), each.arguments) for name, each in made.items()}


@cache
def _start_engine() -> llvm.ExecutionEngine:
    """Return the engine, which owns the code for as long as the program runs."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
