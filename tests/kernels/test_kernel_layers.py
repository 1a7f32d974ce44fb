"""Single layers on compiled kernels against torch's."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir import kernels
from pochoir._threads import torch_threads

if not kernels.SUPPORTED:
    pytest.skip("this CPU has no AVX2", allow_module_level=True)

from pochoir.kernels import convolution, threads
from pochoir.kernels.arena import Arena
from pochoir.kernels.convolution import Convolution
from pochoir.kernels.pooling import Pooling
from pochoir.kernels.rgb_convolution import RgbConvolution
from pochoir.kernels.winograd_matrices import winograd_matrices
from support.close import assert_close

WIDE = kernels.COLUMNS


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def as_batch(rows: Tensor) -> Tensor:
    return rows.permute(2, 0, 1)[None]


def as_map(batch: Tensor) -> Tensor:
    return batch[0].permute(1, 2, 0).contiguous()


@pytest.mark.parametrize("outputs", [2, 4, 6])
def test_minimal_filtering_is_a_short_convolution(outputs):
    *matrices, reversal = winograd_matrices(outputs)
    forth, weights, back = (torch.tensor(matrix, dtype=torch.float64) for matrix in matrices)
    signal, taps = draw(outputs + 2).double(), draw(3, seed=1).double()
    expected = F.conv1d(signal[None, None], taps[None, None])[0, 0]
    assert_close(back @ ((weights @ taps) * (forth @ signal)), expected)
    assert len(forth) == outputs + 2  # as many multiplications
    assert_close(weights @ taps.flip(0), (weights @ taps)[list(reversal)])


@pytest.mark.parametrize("outputs", [4, 6])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (6, 12), (7, 5), (13, 26)])
def test_convolution(height, width, outputs):
    weight, bias = draw(WIDE, 2 * WIDE, 3, 3) / 30, draw(WIDE, seed=1)
    layer = Convolution(weight, bias, Arena(), outputs=outputs)
    source = draw(height, width, 2 * WIDE, seed=2)
    expected = F.conv2d(as_batch(source), weight, bias, padding=1)
    assert_close(as_batch(*layer.forward([source], rectified=False)), expected, atol=1e-4)
    assert_close(as_batch(*layer.forward([source], rectified=True)), expected.relu(), atol=1e-4)
    gradient, extra, gate = draw(height, width, WIDE), draw(height, width, 2 * WIDE), draw(height, width, 2 * WIDE)
    plain = as_map(F.conv_transpose2d(as_batch(gradient), weight, padding=1))

    def back(gate: Tensor | None = None, extra: Tensor | None = None) -> Tensor:
        (result,) = layer.backward([gradient], gates=[gate], extras=[extra])
        return result

    assert_close(back(), plain, atol=1e-4)
    assert torch.equal(*layer.backward([gradient]), back())
    assert_close(back(extra=extra), plain + extra, atol=1e-4)
    assert_close(back(gate), plain * (gate > 0), atol=1e-4)
    assert_close(back(gate, extra), (plain + extra) * (gate > 0), atol=1e-4)


FEW, MANY = WIDE, 256
"""Channels with which each tile goes its own way, and with which all are worked on together."""


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("channels", [FEW, MANY])
@pytest.mark.parametrize("outputs", [4, 6])
def test_maps_together_become_what_each_becomes_alone(channels, outputs, count):
    layer = Convolution(draw(channels, channels, 3, 3) / 30, draw(channels), Arena(), outputs=outputs)
    sizes = [(1, 1), (13, 26), (7, 5), (40, 33)]
    sources = [draw(height, width, channels, seed=seed) for seed, (height, width) in enumerate(sizes)]
    gates = [None if index == 1 else draw(*source.shape, seed=9) for index, source in enumerate(sources)]
    extras = [None if index == 2 else draw(*source.shape, seed=8) for index, source in enumerate(sources)]
    with torch_threads(count):
        forth, back = layer.forward(sources, rectified=True), layer.backward(sources, gates=gates, extras=extras)
    for index, source in enumerate(sources):
        assert torch.equal(forth[index], *layer.forward([source], rectified=True))
        alone = layer.backward([source], gates=gates[index : index + 1], extras=extras[index : index + 1])
        assert torch.equal(back[index], *alone)


def test_more_tiles_than_are_worked_on_at_once(monkeypatch):
    layer = Convolution(draw(MANY, MANY, 3, 3) / 30, draw(MANY), Arena(), outputs=6)
    sources = [draw(20, 31, MANY), draw(9, 14, MANY, seed=1)]
    whole = layer.forward(sources, rectified=True)
    monkeypatch.setattr(convolution, "TILES_PER_WEIGHT_READ", 5)  # some of one map with some of the other
    with torch_threads(2):
        parts = layer.forward(sources, rectified=True)
    for part, expected in zip(parts, whole, strict=True):
        assert torch.equal(part, expected)


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.3])
def test_threads_may_begin_late(delay_s, monkeypatch):
    """Whoever comes takes what is left, be it nothing; nobody waits for who has not come."""
    layer, source = Convolution(draw(MANY, MANY, 3, 3) / 30, draw(MANY), Arena(), outputs=6), draw(40, 33, MANY)
    with torch_threads(1):
        expected = layer.forward([source], rectified=True)
    begun = []

    class Late(ThreadPoolExecutor):
        def submit(self, work):
            def late() -> None:
                time.sleep(delay_s)
                begun.append(work)
                work()

            return super().submit(late)

    with torch_threads(4), Late(3) as executor:
        monkeypatch.setattr(threads, "_executor", lambda helpers: executor)
        assert torch.equal(*layer.forward([source], rectified=True), *expected)
    assert len(begun) == 3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 50), (35, 13), (19, 97)])
def test_convolution_of_colours(height, width):
    weight, bias = draw(WIDE, 3, 3, 3), draw(WIDE, seed=1)
    layer = RgbConvolution(weight, bias, Arena())
    picture, gradient = draw(3, height, width, seed=2), draw(height, width, WIDE, seed=3)
    expected = F.conv2d(picture[None], weight, bias, padding=1)
    assert_close(as_batch(layer.forward(picture, rectified=False)), expected)
    assert_close(as_batch(layer.forward(picture, rectified=True)), expected.relu())
    back = F.conv_transpose2d(as_batch(gradient), weight, padding=1)[0]
    assert_close(layer.backward(gradient), back, atol=1e-4)


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize(("height", "width"), [(2, 2), (7, 4), (8, 9), (5, 5)])
def test_pooling_of_a_relu_with_many_ties(kind, height, width):
    before = draw(height, width, WIDE).mul(1.5).round().requires_grad_()
    pool = F.max_pool2d if kind == "max" else F.avg_pool2d
    rectified = as_batch(before).relu()
    pooled = pool(rectified, 2)
    gradient, extra = draw(*pooled.shape, seed=1), draw(height, width, WIDE, seed=2)
    layer, source = Pooling(kind, Arena()), as_map(rectified.detach())
    assert torch.equal(as_batch(layer.forward(source)), pooled)
    (expected,) = torch.autograd.grad((pooled * gradient).sum(), before, retain_graph=True)
    assert torch.equal(layer.backward(source, as_map(gradient)), expected)
    (expected,) = torch.autograd.grad((pooled * gradient).sum() + (rectified * as_batch(extra)).sum(), before)
    assert_close(layer.backward(source, as_map(gradient), extra=extra), expected)


def test_memory_comes_back_when_the_last_view_is_gone():
    arena = Arena()
    first = arena.allocate(4, 5)
    place = first.data_ptr()
    view = first[1:, 2:]
    del first
    assert arena.allocate(5, 4).data_ptr() != place  # still in use
    del view
    assert arena.allocate(20).data_ptr() == place


def test_memory_of_several_loans_serves_a_larger_one():
    arena = Arena()
    places = [arena.allocate(30) for _ in range(5)]
    low, high = places[1].data_ptr(), places[4].data_ptr()
    del places[3], places[1], places[1]  # the second, third and fourth, in another order than they were lent
    assert low <= arena.allocate(90).data_ptr() < high


def test_loans_outlive_the_memory_that_they_were_cut_from():
    arena = Arena()
    early = arena.allocate(1000).fill_(1.0)
    late = arena.allocate(5_000_000).fill_(2.0)
    arena.reserve(30_000_000)
    last = arena.allocate(20_000_000).fill_(3.0)
    assert [float(loan.min()) for loan in (early, late, last)] == [1.0, 2.0, 3.0]
    assert [float(loan.max()) for loan in (early, late, last)] == [1.0, 2.0, 3.0]


def test_several_threads_are_never_lent_the_same_memory():
    arena, problems = Arena(), []

    def use(number: int) -> None:
        for turn in range(300):
            loans = [arena.allocate(50 + 7 * (turn % 5)).fill_(float(number)) for _ in range(3)]
            if any(float(loan.min()) != number or float(loan.max()) != number for loan in loans):
                problems.append(number)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not problems
    assert arena.allocate(900_000).shape == (900_000,)  # and all of it has come back


def test_memory_begins_where_a_line_of_the_cache_does():
    arena = Arena()
    assert all(arena.allocate(count).data_ptr() % 64 == 0 for count in (1, 33, 5_000_000))


@pytest.mark.parametrize("channels", [FEW, MANY])
@pytest.mark.parametrize(("height", "width"), [(3, 3), (40, 33)])
def test_the_number_of_threads_does_not_change_anything(height, width, channels):
    layer = Convolution(draw(channels, channels, 3, 3) / 30, draw(channels), Arena())
    pooling, results = Pooling("max", Arena()), []
    source, gradient = draw(height, width, channels), draw(height, width, channels, seed=1)
    for count in (1, 2, 5):
        with torch_threads(count):
            (rectified,) = layer.forward([source], rectified=True)
            pooled = pooling.forward(rectified)
            back = pooling.backward(rectified, pooled), *layer.backward([gradient], gates=[rectified])
        results.append([tensor.clone() for tensor in (rectified, pooled, *back)])
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))
