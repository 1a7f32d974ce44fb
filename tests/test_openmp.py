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


FILTER_ON_ONE_CORE = """
import os, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import pochoir, torch
from pochoir.transfer.preconditioner import FrequencyFilter
apply, gradient = FrequencyFilter(torch.ones(1, 1, 144, 144)), torch.rand(1, 3, 144, 144)
for threads in (1, 2):
    torch.set_num_threads(threads)
    apply(gradient)
    began = time.process_time()
    for _ in range(20):
        apply(gradient)
    print(time.process_time() - began)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="affinity of processors")
def test_transforms_do_not_spin_where_threads_share_a_core():
    """MKL's threads wait in a loop within a transform of both axes, which took 30 times as long then."""
    alone, shared = map(float, run(FILTER_ON_ONE_CORE).split())
    assert shared < 5 * alone + 0.05
