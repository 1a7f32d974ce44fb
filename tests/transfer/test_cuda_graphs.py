from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from pochoir.transfer import Anchor, Region, iter_paint
from pochoir.transfer.criterion import Criterion, StyledRegion, Terms
from pochoir.transfer.cuda_graphs import (
    BEFORE_RECORDING,
    Deferred,
    Known,
    Recorded,
    evaluator,
    record_on_cuda,
)
from pochoir.transfer.pyramid import Level
from pochoir.transfer.region_images import RegionsCriterion, split_regions
from pochoir.transfer.targets import style_grams
from support.close import assert_close

WAITING = {"_local_scalar_dense", "is_nonzero", "item", "nonzero", "equal", "masked_select", "unique", "lift_fresh"}
"""What cannot be recorded: the program would wait for values, or copy numbers of its own to the device. Nor can copies
from another device be, but here there is one."""


class Watch(TorchDispatchMode):
    """Notes what operations are launched."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


def tape(work):
    """A recording for the CPU: doing it again writes into what it returned the first time."""
    first = work()

    def replay() -> None:
        for kept, value in zip(first, work(), strict=True):
            kept.copy_(value)

    for kept in first:
        kept.fill_(float("nan"))  # a graph computes nothing while it is recorded
    return (*first, replay)


def cannot(work):
    raise RuntimeError("operation not permitted when stream is capturing")


@pytest.fixture
def objectives(photo, style, quick, encoder, left_half):
    """By name, on plain torch: of one picture, of one in tiles, and of regions apart, at once and in turns."""
    settings = quick()
    grams = style_grams([(style, 1.0)], encoder, settings.style_layers)

    def build(part: Level, **sizes: float) -> Criterion:
        regions = [StyledRegion(region.matte, grams) for region in part.regions]
        return Criterion(part.photo, regions, encoder, settings, anchors=part.anchors, **sizes)

    mattes = [left_half, 1 - left_half]
    level = Level(photo, [Region(matte, [(style, 1.0)]) for matte in mattes], style_scale=1.0, frame_px=40.0 * 48.0)
    wide = photo.repeat(1, 1, 8, 7)
    large = Level(wide, [Region(torch.ones_like(wide[:, :1]), [(style, 1.0)])], style_scale=1.0, frame_px=1.0)
    return {
        "joint": (build(level), photo),
        "anchored": (build(replace(level, anchors=(Anchor(photo.flip(-1), left_half, 300.0),))), photo),
        "in tiles": (build(large, most_px=1.0), wide),
        "apart": (RegionsCriterion(level, split_regions(level), build), photo.repeat(2, 1, 1, 1)),
        "in turns": (
            RegionsCriterion(level, split_regions(level), lambda part: build(part, most_px=1.0)),
            photo.repeat(2, 1, 1, 1),
        ),
    }


@pytest.mark.parametrize("name", ["joint", "anchored", "in tiles", "apart", "in turns"])
class TestRecorded:
    def test_nothing_waits_for_the_device(self, name, objectives):
        objective, picture = objectives[name]
        for _ in range(BEFORE_RECORDING):
            Deferred(objective, picture).differentiate()
        leaf = picture.clone().requires_grad_()
        with Watch() as watch:
            terms = objective(leaf)
            torch.autograd.grad(terms.total, leaf)
            terms.stacked()
        assert "convolution" in watch.names
        assert "convolution_backward" in watch.names
        assert WAITING.isdisjoint(watch.names)

    @pytest.mark.parametrize("record", [tape, cannot])
    def test_a_replay_tells_what_an_evaluation_does(self, name, objectives, record):
        objective, picture = objectives[name]
        evaluate = Recorded(objective, record)
        seen: list[tuple[Tensor, Tensor]] = []
        for turn in range(BEFORE_RECORDING + 3):
            at = (picture + 0.02 * turn).clamp(0.0, 1.0)
            evaluation, expected = evaluate(at), Deferred(objective, at)
            assert evaluation.losses == expected.losses
            seen.append((evaluation.differentiate(), expected.differentiate()))
            assert isinstance(evaluation, Known) == (record is tape and turn >= BEFORE_RECORDING)
        for gradient, expected_gradient in seen:  # after all were made: none was written over later
            assert torch.equal(gradient, expected_gradient)


def test_a_recording_that_fails_is_tried_once(objectives):
    objective, picture = objectives["joint"]
    tried = []

    def record(work):
        tried.append(work)
        return cannot(work)

    evaluate = Recorded(objective, record)
    for _ in range(BEFORE_RECORDING + 4):
        evaluate(picture)
    assert len(tried) == 1


def test_other_mistakes_than_a_device_s_are_not_hidden(objectives):
    objective, picture = objectives["joint"]

    def wrong(at: Tensor) -> Terms:
        raise TypeError("a mistake")

    evaluate = Recorded(objective, tape)
    for _ in range(BEFORE_RECORDING):
        evaluate(picture)
    evaluate._objective = wrong
    with pytest.raises(TypeError, match="a mistake"):
        evaluate(picture)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_picture_painted_from_recordings_is_the_same(optimizer, photo, style, left_half, encoder, quick, monkeypatch):
    regions = [Region(left_half, [(style, 1.0)]), Region(1 - left_half, [(1 - style, 1.0)])]
    settings = quick(schedule=(6, 6), optimizer=optimizer)
    large = photo.repeat(1, 1, 4, 4)
    regions = [Region(region.matte.repeat(1, 1, 4, 4), region.styles) for region in regions]

    def paint() -> Tensor:
        *_, last = iter_paint(large, regions, encoder, settings)
        return last.picture()

    expected, made = paint(), []

    def recorded(objective, start):
        made.append(Recorded(objective, tape))
        return made[-1]

    monkeypatch.setattr("pochoir.transfer.optimize.evaluator", recorded)
    assert torch.equal(paint(), expected)
    assert len(made) == 2  # one a scale
    assert all(each._recording is not None for each in made)


class Like(NamedTuple):
    """What is looked at of a picture that need not be there."""

    device: torch.device
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]


@pytest.mark.parametrize(
    ("device", "shape", "engine", "is_recorded"),
    [
        ("cuda", (1, 3, 512, 512), "auto", True),
        ("cuda", (1, 3, 528, 528), "auto", True),
        ("cuda", (1, 3, 528, 529), "auto", False),
        ("cuda", (2, 3, 528, 265), "auto", False),
        ("cuda", (1, 3, 64, 64), "torch", False),
        ("cuda:1", (1, 3, 64, 64), "auto", False),
        ("cpu", (1, 3, 64, 64), "auto", False),
        ("mps", (1, 3, 64, 64), "auto", False),
    ],
)
def test_small_pictures_on_cuda_are_recorded(device, shape, engine, is_recorded, monkeypatch):
    monkeypatch.setenv("POCHOIR_ENGINE", engine)
    monkeypatch.setattr("pochoir.transfer.cuda_graphs._cannot_record", {torch.device("cuda:1")})
    made = evaluator(lambda picture: None, Like(torch.device(device), shape))
    assert isinstance(made, Recorded) == is_recorded


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
class TestOnCuda:
    def test_a_graph_tells_what_an_evaluation_does(self, objectives):
        device = torch.device("cuda", torch.cuda.current_device())
        target = torch.rand(1, 3, 30, 40, device=device)

        def objective(picture: Tensor) -> Terms:
            return Terms((picture.square() - target).square().sum(), *target.new_zeros(5))

        evaluate = Recorded(objective, partial(record_on_cuda, device=device))
        for turn in range(4):
            at = torch.rand_like(target)
            evaluation, expected = evaluate(at), Deferred(objective, at)
            assert isinstance(evaluation, Known) == (turn >= BEFORE_RECORDING)
            assert evaluation.losses.total == pytest.approx(expected.losses.total)
            assert_close(evaluation.differentiate(), expected.differentiate())

    def test_what_waits_cannot_be_recorded_and_leaves_all_as_it_was(self, monkeypatch):
        device = torch.device("cuda", torch.cuda.current_device())
        refused: set[torch.device] = set()
        monkeypatch.setattr("pochoir.transfer.cuda_graphs._cannot_record", refused)
        number, before = torch.ones(2, device=device), torch.cuda.current_stream(device)

        def work() -> tuple[Tensor, Tensor]:
            return number * float(number.sum()), number

        with pytest.raises(RuntimeError):
            record_on_cuda(work, device=device)
        assert torch.cuda.current_stream(device) == before
        assert refused == {device}
        assert float((number + 1.0).sum()) == 4.0
