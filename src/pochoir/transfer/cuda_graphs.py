"""The objective at a picture and its gradient, as the device computes them fastest."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor

from pochoir import kernels
from pochoir.transfer.criterion import Losses, Terms
from pochoir.transfer.tiling import FRAME_MARGIN_PX

logger = logging.getLogger(__name__)

Objective: TypeAlias = Callable[[Tensor], Terms]

Work: TypeAlias = Callable[[], tuple[Tensor, Tensor]]
Recorder: TypeAlias = Callable[[Work], tuple[Tensor, Tensor, Callable[[], object]]]
"""Records the launches of some work; returns its results and a function that repeats it into the same tensors."""

BEFORE_RECORDING = 1
"""Evaluations of a scale before one is recorded: in them the objective works out what it keeps for all."""
RECORDED_UP_TO_PX = (512 + 2 * FRAME_MARGIN_PX) ** 2
"""In larger pictures the device is always behind, and no launch is waited for."""


class Evaluation(Protocol):
    """The objective at one picture."""

    @property
    def losses(self) -> Losses:
        """Its terms."""

    def differentiate(self) -> Tensor:
        """Return its gradient. Call it once."""


_cannot_record: set[torch.device] = set()
_recording = threading.Lock()


def evaluator(objective: Objective, start: Tensor) -> Callable[[Tensor], Evaluation]:
    """Return a function that evaluates an objective at pictures of the first one's shape and device."""
    is_small = len(start) * start.shape[-2] * start.shape[-1] <= RECORDED_UP_TO_PX
    is_on_cuda = start.device.type == "cuda" and start.device not in _cannot_record
    if is_on_cuda and is_small and kernels.chosen_engine() == "auto":
        return Recorded(objective, partial(record_on_cuda, device=start.device))
    return lambda picture: Deferred(objective, picture)


class Deferred:
    """The gradient waits until it is known to be needed.

    It is there at once where the objective itself works it out: for a picture in tiles, and for regions one by one.
    """

    def __init__(self, objective: Objective, picture: Tensor) -> None:
        with torch.enable_grad():
            self._picture = picture.detach().requires_grad_()
            terms = objective(self._picture)
        self._total, self.losses = terms.total, terms.numbers()

    def differentiate(self) -> Tensor:
        """Return the gradient. Call it once."""
        (gradient,) = torch.autograd.grad(self._total, self._picture)
        return gradient


class Recorded:
    """An objective and its gradient, recorded once and replayed for every further picture.

    An evaluation is some hundreds of launches. On a GPU each of them takes a processor core some microseconds, and for
    small pictures that is longer than what is launched takes. A replay is one launch.

    Args:
        objective: What it launches must not depend on values: nothing in it may wait for the device.
        record: Makes the recording. If it cannot (``RuntimeError``), evaluations go on as before.
    """

    def __init__(self, objective: Objective, record: Recorder) -> None:
        self._objective, self._record = objective, record
        self._evaluated = 0
        self._recording: _Recording | None = None

    def __call__(self, picture: Tensor) -> Evaluation:
        """Evaluate the objective at a picture."""
        if self._evaluated == BEFORE_RECORDING:
            self._recording = self._try_to_record(picture)
        self._evaluated += 1
        if self._recording is None:
            return Deferred(self._objective, picture)
        with torch.no_grad():
            self._recording.picture.copy_(picture)
        self._recording.replay()
        return Known(Losses(*self._recording.terms.tolist()), self._recording.gradient.clone())

    def _try_to_record(self, picture: Tensor) -> "_Recording | None":
        given = picture.detach().clone().requires_grad_()

        def work() -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                terms = self._objective(given)
                (gradient,) = torch.autograd.grad(terms.total, given)
            return terms.stacked(), gradient

        try:
            return _Recording(given, *self._record(work))
        except RuntimeError as error:  # a driver or a device that cannot
            logger.warning("Steps cannot be recorded as a graph and take longer: %s", error)
            return None


class _Recording(NamedTuple):
    """Tensors that a recording reads and writes in place, and its replay."""

    picture: Tensor
    terms: Tensor
    gradient: Tensor
    replay: Callable[[], object]


class Known:
    """An evaluation whose gradient is already computed."""

    def __init__(self, losses: Losses, gradient: Tensor) -> None:
        self.losses, self._gradient = losses, gradient

    def differentiate(self) -> Tensor:
        """Return the gradient."""
        return self._gradient


def record_on_cuda(work: Work, *, device: torch.device) -> tuple[Tensor, Tensor, Callable[[], object]]:
    """Record as a CUDA graph. What lies between its input and its output has memory of its own until it is dropped.

    Raises:
        RuntimeError: The work cannot be recorded. It is not tried again on this device: what a failed recording had
            taken is not given back.
    """
    before = torch.cuda.current_stream(device)
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    try:
        # If it fails, torch.cuda.graph does not return to the stream that it came from, so that is done around it.
        # Other threads may use the device meanwhile, but not record.
        with _recording, torch.cuda.device(device), torch.cuda.stream(stream):
            stream.wait_stream(before)
            work()  # libraries initialise per thread and stream, which cannot be recorded
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                terms, gradient = work()
    except RuntimeError:
        _cannot_record.add(device)
        raise
    return terms, gradient, graph.replay
