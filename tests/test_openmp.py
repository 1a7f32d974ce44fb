"""Waiting threads of OpenMP sleep, whichever of torch and pochoir is imported first."""

import os
import subprocess
import sys

import pytest

REPORT = """
import time, torch
torch.set_num_threads(2)
{prepare}
x = torch.rand(400_000)
x.mul_(1.0)
began = time.process_time()
for _ in range(100):
    x.mul_(1.0)
    time.sleep(0.004)
print(time.process_time() - began)
"""


def run(code: str, **variables: str) -> str:
    policies = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in policies}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment | variables, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("code", "variables", "expected"),
    [
        ("import os, pochoir", {}, "PASSIVE"),
        ("import os, pochoir", {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"),
        ("import os, pochoir", {"GOMP_SPINCOUNT": "100"}, "None"),
        ("import os, torch, pochoir", {}, "None"),
    ],
)
def test_the_variable_is_set_before_torch_reads_it(code, variables, expected):
    assert run(f"{code}; print(os.environ.get('OMP_WAIT_POLICY'))", **variables) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU OpenMP")
def test_threads_of_a_loaded_torch_stop_spinning():
    """In a process of its own each, by processor time, which a busy machine does not change."""
    spinning = float(run(REPORT.format(prepare="")))
    prepare = "from pochoir._threads import torch_threads\nwith torch_threads(2): pass"
    sleeping = float(run(REPORT.format(prepare=prepare)))
    if (os.cpu_count() or 1) > 30:
        pytest.skip("so many threads are not parked")
    assert sleeping < 0.6 * spinning


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU OpenMP")
@pytest.mark.parametrize(
    ("variables", "threads", "parked"), [({}, 2, 1), ({}, 1, 0), ({"OMP_WAIT_POLICY": "ACTIVE"}, 2, 0)]
)
def test_one_thread_is_parked_once(variables, threads, parked):
    code = f"""
import threading, torch
from pochoir._threads import torch_threads
for _ in range(3):
    with torch_threads({threads}):
        pass
print([thread.name for thread in threading.enumerate()].count("pochoir-openmp"))
"""
    assert run(code, **variables) == str(parked)
