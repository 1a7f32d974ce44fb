"""The kernels for a CPU with shorter vectors than this one's, and on one that has none of them."""

import os
import subprocess
import sys

import pytest

from pochoir import kernels

AVX2 = "+64bit,+avx,+avx2,+bmi,+bmi2,+cmov,+f16c,+fma,+fxsr,+lzcnt,+movbe,+popcnt,+sse,+sse2,+sse3,+ssse3"
# One layer forward and the whole way back, because compiling for another CPU is what takes long.
PARITY = """
import torch
from pochoir.encoders import VGG
torch.manual_seed(0)
pair = [VGG(channels=(16, 32, 16, 16, 16), engine=engine) for engine in ("auto", "torch")]
pair[1].load_state_dict(pair[0].state_dict())
picture = torch.rand(1, 3, 23, 30, generator=torch.Generator().manual_seed(0))
gradients = []
for encoder in pair:
    seen = picture.clone().requires_grad_()
    encoder(seen, ("relu1_1", "relu2_2"))["relu2_2"].sum().backward()
    gradients.append(seen.grad)
print(pair[0].engine, float((gradients[0] - gradients[1]).norm() / gradients[1].norm()) < 1e-3)
"""


def run(*command: str, features: str) -> subprocess.CompletedProcess[str]:
    told = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features}
    environment = {**os.environ, **told, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=200)


@pytest.mark.skipif(kernels.COLUMNS != 32, reason="the other tests have run on AVX2")
def test_avx2_on_a_cpu_that_has_more():
    done = run("-c", PARITY, features=AVX2)
    assert done.stdout.split() == ["kernels", "True"], done.stderr[-2000:]


def test_a_cpu_without_avx2_gets_torch():
    program = "from pochoir.encoders import VGG; print(VGG().engine)"
    assert run("-c", program, features="+sse2").stdout.split() == ["torch"]
