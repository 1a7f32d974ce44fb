"""Compiled kernels are kept, and made anew where what was kept does not serve."""

import re
import subprocess
import sys

import pytest

from pochoir import kernels

if not kernels.SUPPORTED:
    pytest.skip("this CPU has no AVX2", allow_module_level=True)

from pochoir.kernels import library, native

PROGRAM = """
import sys
from pochoir.kernels import convolution, grams, pooling
print("numba" in sys.modules)
"""


@pytest.fixture
def kept():
    """The kernels as a first run has kept them."""
    library.kernel("pool")
    name = f"kernels-{library._fingerprint()}.zip"
    places = [folder / name for folder in library._folders() if (folder / name).is_file()]
    assert places, "kernels cannot be kept anywhere"
    return places[0]


@pytest.fixture
def folders(kept, tmp_path, monkeypatch):
    """Two empty folders to keep kernels in."""
    there = [tmp_path / "one", tmp_path / "two"]
    for folder in there:
        folder.mkdir()
    monkeypatch.setattr(library, "_folders", lambda: iter(there))
    return there


@pytest.fixture
def compilations(kept, monkeypatch):
    """How often kernels have been compiled; what comes of it is what was kept before, which takes less time."""
    made, counts = library._read(kept), []

    def compile_all():
        counts.append(1)
        return made

    monkeypatch.setattr(native, "compile_all", compile_all)
    return counts


def load():
    return library._load_once.__wrapped__()


def test_kernels_that_were_kept_are_run_without_their_compiler(kept):
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["False"], done.stderr[-2000:]


def test_what_was_compiled_is_kept(folders, compilations):
    first, second = load(), load()
    assert first.keys() == second.keys()
    assert len(compilations) == 1
    assert [path.parent for folder in folders for path in folder.iterdir()] == folders[:1]


@pytest.mark.parametrize(
    "spoil", [lambda code: code[:-100], lambda code: b"", lambda code: code.replace(b"index", b"xedni")]
)
def test_what_is_damaged_is_made_anew(kept, folders, compilations, spoil):
    place = folders[0] / kept.name
    place.write_bytes(spoil(kept.read_bytes()))
    load()
    assert len(compilations) == 1
    load()
    assert len(compilations) == 1


def test_no_single_bit_of_the_archives_directory_can_stop_a_run(kept, tmp_path):
    whole, place = kept.read_bytes(), tmp_path / "kernels.zip"
    found = 0
    for at in range(whole.rindex(b"PK\1\2"), len(whole)):
        for bit in range(8):
            place.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
            try:
                library._read(place)
            except library._DAMAGE:
                found += 1
    assert found > 100


def test_a_changed_kernel_is_found_out(kept, folders, compilations):
    code = bytearray(kept.read_bytes())
    code[len(code) // 2] ^= 1
    (folders[0] / kept.name).write_bytes(code)
    load()
    assert len(compilations) == 1


def test_a_folder_that_cannot_be_written_is_passed_over(folders, compilations):
    folders[0].rmdir()
    folders[0].write_text("not a folder")
    load()
    assert len(list(folders[1].iterdir())) == 1


def test_kernels_run_where_they_cannot_be_kept(folders, compilations):
    for folder in folders:
        folder.rmdir()
        folder.write_text("not a folder")
    assert load().keys() == load().keys()
    assert len(compilations) == 2


def test_another_cpu_has_kernels_of_its_own(monkeypatch):
    here = library._fingerprint()
    monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
    assert library._fingerprint() != here


def test_a_kernel_that_is_not_there_is_told():
    with pytest.raises(LookupError):
        library.Kernel("gone", 0, ("int64",))


@pytest.mark.parametrize("name", ["NUMBA_ENABLE_AVX", "NUMBA_OPT"])
def test_other_ways_of_compiling_have_kernels_of_their_own(monkeypatch, name):
    here = library._fingerprint()
    monkeypatch.setenv(name, "0")
    assert library._fingerprint() != here


def test_kernels_need_nothing_of_numba_when_they_run(kept):
    made = library._read(kept)
    assert len(made) == len(native.KERNELS)
    for name, each in made.items():
        assert not re.search(rb"\0(numba_|NRT_|Py[A-Z_])", each.code), name
