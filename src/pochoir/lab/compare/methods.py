"""Methods of finding a subject that are compared, each run on the same picture."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pochoir import weights
from pochoir._types import Box
from pochoir.segmentation import GivenMatte, GrabCutSegmenter, Segmentation, Segmenter, U2NetSegmenter, trimap

METHODS = {
    "u2net": "U2-Net",
    "u2netp": "U2-Net-p",
    "grabcut-auto": "GrabCut, box by U2-Net",
    "grabcut-box": "GrabCut, given box",
    "grabcut-u2net": "GrabCut from U2-Net",
}
"""The methods and their names in tables."""
BASELINE = "u2net"
"""The method that the others are tested against."""
GIVEN_BOX = "grabcut-box"
"""The method that is told where the subject is; with the true box it is an oracle, not a competitor."""


class MethodRunner:
    """Runs all methods; their networks are loaded once.

    Args:
        u2net: Segmenter of ``"u2net"``, which also starts GrabCut.
        u2netp: Segmenter of ``"u2netp"``.
    """

    def __init__(self, u2net: Segmenter, u2netp: Segmenter) -> None:
        self.u2net = u2net
        self._u2netp = u2netp

    @classmethod
    def load(cls, *, device: str | torch.device = "cpu") -> "MethodRunner":
        """Load both networks.

        Raises:
            WeightsMissingError: One network's weights are not in the cache.
        """
        # Both files are looked up before the large one is read.
        paths = {name: weights.where(name) for name in ("u2net", "u2netp")}
        # As published, so that the networks are compared and not what is done with their answers.
        load = partial(U2NetSegmenter.from_file, device=device, preprocess="official", many=True)
        return cls(*(load(path, name=name) for name, path in paths.items()))

    def segment(self, picture: Tensor, *, box: Box | None = None) -> dict[str, Segmentation]:
        """Find the subject of a picture by every method, without refinement of edges.

        Args:
            picture: Shape (1, 3, H, W), RGB in [0, 1].
            box: Rectangle around the subject; without it ``"grabcut-box"`` is left out.

        Returns:
            The segmentation of each method, in the order of ``METHODS``. Mattes are rounded to 8 bits, as they are
            saved.
        """
        saliency = self.u2net.segment(picture)
        known = GivenMatte(saliency.matte, name=self.u2net.name)
        found = {"u2net": saliency, "u2netp": self._u2netp.segment(picture)}
        found["grabcut-auto"] = GrabCutSegmenter(finder=known).segment(picture)
        if box is not None:
            found["grabcut-box"] = GrabCutSegmenter(box=box).segment(picture)
        found["grabcut-u2net"] = GrabCutSegmenter(start=trimap(saliency.matte)).segment(picture)
        return {name: replace(item, matte=(item.matte * 255).round() / 255) for name, item in found.items()}
