"""What importing the library loads, and what not."""

import subprocess
import sys

import pytest

from pochoir import kernels

PROGRAM = """
import sys
from pochoir import pipeline
from pochoir.encoders import VGG
print(VGG(channels=(4, 4, 4, 4, 4), engine="torch").engine, "numba" in sys.modules, "llvmlite" in sys.modules)
"""


def test_nothing_is_loaded_for_the_kernels_where_they_are_not_used():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["torch", "False", "False"], done.stderr[-2000:]


def test_the_room_has_no_other_names():
    with pytest.raises(AttributeError, match="'LANES'"):
        _ = kernels.LANES
