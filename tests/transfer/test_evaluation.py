import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from pochoir.transfer import Region, iter_paint
from pochoir.transfer.apart import ApartCriterion, take_apart
from pochoir.transfer.criterion import Criterion, StyledRegion, Terms, style_grams
from pochoir.transfer.evaluation import BEFORE_RECORDING, Deferred, Recorded, evaluator
from pochoir.transfer.levels import Level

WAITING = {"_local_scalar_dense", "is_nonzero", "item", "nonzero", "equal", "masked_select", "unique", "lift_fresh"}
"""What cannot be recorded: the program would wait for values, or copy numbers of its own to the device."""


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
        return Criterion(part.photo, regions, encoder, settings, **sizes)

    mattes = [left_half, 1 - left_half]
    level = Level(photo, [Region(matte, [(style, 1.0)]) for matte in mattes], style_scale=1.0, frame_px=40.0 * 48.0)
    wide = photo.repeat(1, 1, 8, 7)
    large = Level(wide, [Region(torch.ones_like(wide[:, :1]), [(style, 1.0)])], style_scale=1.0, frame_px=1.0)
    return {
        "joint": (build(level), photo),
        "in tiles": (build(large, most_px=1.0), wide),
        "apart": (ApartCriterion(level, take_apart(level), build), photo.repeat(2, 1, 1, 1)),
        "in turns": (
            ApartCriterion(level, take_apart(level), lambda part: build(part, most_px=1.0)),
            photo.repeat(2, 1, 1, 1),
        ),
    }


@pytest.mark.parametrize("name", ["joint", "in tiles", "apart", "in turns"])
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
        seen = []
        for turn in range(BEFORE_RECORDING + 3):
            at = (picture + 0.02 * turn).clamp(0.0, 1.0)
            evaluation, expected = evaluate(at), Deferred(objective, at)
            assert evaluation.losses == expected.losses
            seen.append((evaluation.differentiate(), expected.differentiate()))
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

    def recorded(objective, device):
        made.append(Recorded(objective, tape))
        return made[-1]

    monkeypatch.setattr("pochoir.transfer.optimize.evaluator", recorded)
    assert torch.equal(paint(), expected)
    assert len(made) == 2  # one a scale


@pytest.mark.parametrize(("engine", "kind"), [("auto", Recorded), ("torch", None)])
def test_cuda_is_recorded_unless_plain_torch_is_asked_for(engine, kind, monkeypatch):
    monkeypatch.setenv("POCHOIR_ENGINE", engine)
    made = evaluator(lambda picture: None, torch.device("cuda"))
    assert isinstance(made, Recorded) == (kind is Recorded)
    assert not isinstance(evaluator(lambda picture: None, torch.device("cpu")), Recorded)
