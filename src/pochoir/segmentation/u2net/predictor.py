"""U2-Net as a segmenter: from a photo to a matte."""

from pathlib import Path

import torch
from torch import Tensor

from pochoir import imaging, kernels
from pochoir._types import Size
from pochoir.errors import UnknownNameError
from pochoir.segmentation.confidence import decidedness
from pochoir.segmentation.protocol import Doubt, Segmentation, check_photo, coverage_notes
from pochoir.segmentation.u2net.loading import load_u2net
from pochoir.segmentation.u2net.multiscale import MultiscaleMaps, predict_multiscale
from pochoir.segmentation.u2net.network import U2NET, U2NETP, SaliencyMaps, U2Net
from pochoir.segmentation.u2net.preprocessing import CONVENTIONS, MULTISCALE, normalize, stretch
from pochoir.weights.mapped import release_pages

CONFIGS = {"u2net": U2NET, "u2netp": U2NETP}
"""Networks that have trained weights, by the name of their weights."""

PREPROCESSINGS = (MULTISCALE, *CONVENTIONS)
"""Names of the ways to show a photo to the network."""

UNSURE_BELOW = 0.5
"""Strongest answer of the network below which a note says that it is unsure."""


class U2NetSegmenter:
    """Segmenter that runs U2-Net.

    Args:
        network: A network in evaluation mode, see ``load_u2net``.
        name: Name to show to users.
        device: Device to run the network on.
        preprocess: Preparation of the photo: ``"multiscale"`` smoothly shrunk, with its mirror image, and at two more
            sizes where these disagree; ``"official"`` as the authors do; ``"rembg"`` as that tool does (its mattes,
            pixel for pixel); ``"report"`` at 512 pixels, smoothly shrunk.
        with_detail: With ``"multiscale"``, always run the finest input; see ``predict_multiscale``.
        many: Whether many photos will be segmented. On a CPU that has them, compiled kernels then run most
            convolutions, in half the time; but for one photo they take longer to load than they save. They run from
            the first photo on, so that a matte does not depend on its place in a batch. Mattes differ from those of
            plain torch by less than 1e-4.

    Raises:
        UnknownNameError: There is no such preprocessing.
    """

    def __init__(
        self,
        network: U2Net,
        *,
        name: str = "u2net",
        device: str | torch.device = "cpu",
        preprocess: str = MULTISCALE,
        with_detail: bool = False,
        many: bool = False,
    ) -> None:
        if preprocess not in PREPROCESSINGS:
            raise UnknownNameError("preprocessing", preprocess, PREPROCESSINGS)
        self.name = name
        self._preprocess = preprocess
        self._with_detail = with_detail
        self._may_release = False
        self._device = torch.device(device)
        # Channels last: a tenth faster on a CPU, maps equal within 1e-7. Torch's stubs lack the argument.
        self._network = network.to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        on_kernels = many and self._device.type == "cpu" and kernels.chosen_engine() == "auto" and kernels.SUPPORTED
        # Without kernels a batch saves nothing on a CPU, and takes twice the memory.
        self._takes_batches = on_kernels or self._device.type != "cpu"
        if on_kernels:
            from pochoir.segmentation.u2net.compiled import use_kernels  # slow to load

            use_kernels(self._network)

    @classmethod
    def from_file(
        cls,
        path: Path,
        *,
        name: str,
        device: str | torch.device = "cpu",
        preprocess: str = MULTISCALE,
        with_detail: bool = False,
        many: bool = False,
    ) -> "U2NetSegmenter":
        """Read the weights of ``"u2net"`` or ``"u2netp"`` from an ``.onnx`` or ``.pth`` file.

        Raises:
            UnknownNameError: There is no network, or no preprocessing, of that name.
            WeightsError: The file cannot be read, or holds another network.
        """
        if name not in CONFIGS:
            raise UnknownNameError("U2-Net", name, CONFIGS)
        if preprocess not in PREPROCESSINGS:  # before the file is read, which takes a while
            raise UnknownNameError("preprocessing", preprocess, PREPROCESSINGS)
        network = load_u2net(path, CONFIGS[name])
        made = cls(network, name=name, device=device, preprocess=preprocess, with_detail=with_detail, many=many)
        made._may_release = True  # nobody else holds the network, so its weights are those of the file
        return made

    def segment(self, photo: Tensor) -> Segmentation:
        """Find the subject of a photo.

        Args:
            photo: Shape (1, 3, H, W), RGB in [0, 1], any size.

        Returns:
            The matte at the photo's size and on its device, and a confidence where several inputs were compared. The
            stages are the fused map and the side outputs of the first input, in the photo's proportions.

        Raises:
            ShapeError: The photo has another shape.
        """
        size = check_photo(photo)
        doubt = None
        if self._preprocess == MULTISCALE:
            found = predict_multiscale(photo, self._predict, with_detail=self._with_detail)
            maps, matte = found.first, imaging.resize(found.merged, size, mode="bilinear")
            doubt = _doubt(found)
        else:
            convention = CONVENTIONS[self._preprocess]
            maps = self._predict(normalize(convention.shrink(photo)))
            matte = convention.enlarge(stretch(maps.fused), size)
        if self._may_release:
            # Painting follows, and 176 MB of weights would stay in memory beside it. The system keeps the file at hand.
            release_pages(self._network.parameters())
        shown = size.fit_long_side(max(maps.fused.shape[-2:]))
        stages = (("fused", maps.fused), *((f"side {number}", side) for number, side in enumerate(maps.sides, start=1)))
        return Segmentation(
            matte=matte,
            method=self.name,
            stages=tuple((caption, imaging.resize(stage, shown, mode="bilinear")) for caption, stage in stages),
            notes=coverage_notes(matte) or _weakness_notes(maps.fused, self.name),
            doubt=doubt,
        )

    def _predict(self, small: Tensor) -> SaliencyMaps:
        portions = [small] if self._takes_batches else small.chunk(len(small))
        found = [self._run(portion) for portion in portions]
        # Tensors born in inference mode can never meet autograd, which a matte that guides a style does: these are new.
        fused, *sides = (torch.cat(maps).to(small.device) for maps in zip(*found, strict=True))
        return SaliencyMaps(fused, tuple(sides))

    def _run(self, small: Tensor) -> tuple[Tensor, ...]:
        with torch.inference_mode():
            maps = self._network(small.to(self._device).contiguous(memory_format=torch.channels_last))
        return (maps.fused, *maps.sides)


def _doubt(found: MultiscaleMaps) -> Doubt:
    undecided = 1.0 - (2.0 * found.merged - 1.0).abs()
    difference = imaging.resize(found.difference, Size(*found.merged.shape[-2:]), mode="bilinear")
    return Doubt(min(decidedness(found.merged), found.agreement), torch.maximum(undecided, difference))


def _weakness_notes(fused: Tensor, name: str) -> tuple[str, ...]:
    peak = float(fused.max())
    if peak >= UNSURE_BELOW:
        return ()
    return (f"{name} is unsure that there is a subject: its strongest answer is {peak:.2f} of 1.",)
