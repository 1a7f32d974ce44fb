"""VGG as a feature extractor with layers by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pochoir import kernels
from pochoir._interrupts import check_interrupt
from pochoir.encoders.layers import CHANNELS, layer_table
from pochoir.errors import ShapeError, UnknownNameError
from pochoir.recipe import CONVOLUTIONS_PER_BLOCK, POOLINGS

if TYPE_CHECKING:
    from pochoir.encoders.stack import Stack

PADDINGS = ("zeros", "replicate")


class Normalization(NamedTuple):
    """Normalisation that a set of weights expects: ``(rgb * scale - mean) / std``, per RGB channel."""

    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


CAFFE = Normalization(255.0, (123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
"""Normalisation of the original weights: levels of 0 to 255 minus the mean. Loading converts their BGR order."""
TORCHVISION = Normalization(1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class VGG(nn.Module):
    """Convolutional part of VGG16 or VGG19.

    The network takes RGB in [0, 1] and normalises it. Its weights are frozen: only the picture gets gradients.

    On a CPU with AVX2 or AVX-512, single float32 pictures are computed by compiled kernels (``encoders.stack``), which
    provide first derivatives. Everything else is computed by torch, and so is everything if the environment variable
    ``POCHOIR_ENGINE`` is ``torch``. ``use_bfloat16`` is for GPUs.

    Args:
        architecture: ``"vgg16"`` or ``"vgg19"``.
        normalization: Normalisation that the weights expect.
        pooling: ``"max"`` as trained, or ``"avg"``, which Gatys et al. 2015 found to look slightly better. The
            average is not rescaled.
        padding: ``"zeros"`` as trained, or ``"replicate"``, which reduces the frame's effect on features.
        channels: Channels of the five blocks; small test networks change them.
        engine: ``"auto"``, or ``"torch"`` for torch only.

    References:
        Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        arXiv:1409.1556. Use for style: Gatys et al., arXiv:1508.06576.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        architecture: str = "vgg19",
        *,
        normalization: Normalization = CAFFE,
        pooling: str = "max",
        padding: str = "zeros",
        channels: Sequence[int] = CHANNELS,
        engine: str = "auto",
    ) -> None:
        super().__init__()
        if architecture not in CONVOLUTIONS_PER_BLOCK:
            raise UnknownNameError("encoder", architecture, CONVOLUTIONS_PER_BLOCK)
        if pooling not in POOLINGS:
            raise UnknownNameError("pooling", pooling, POOLINGS)
        if padding not in PADDINGS:
            raise UnknownNameError("padding", padding, PADDINGS)
        if engine not in kernels.ENGINES:
            raise UnknownNameError("engine", engine, kernels.ENGINES)
        self.architecture = architecture
        self._table = layer_table(architecture, channels)
        self.layers = tuple(self._table)
        self.pooling = pooling
        self.padding = padding
        self.scale = normalization.scale
        self.register_buffer("mean", torch.tensor(normalization.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(normalization.std).view(1, 3, 1, 1), persistent=False)
        self.convolutions = nn.ModuleDict()
        fan_in = 3
        for block, (count, width) in enumerate(zip(CONVOLUTIONS_PER_BLOCK[architecture], channels, strict=True), 1):
            for index in range(1, count + 1):
                self.convolutions[f"conv{block}_{index}"] = nn.Conv2d(fan_in, width, 3, padding=0)
                fan_in = width
        self._engine = engine
        self._stack: Stack | None = None
        self._stack_key: tuple[tuple[int, int], ...] = ()
        self._reloadable_key: tuple[tuple[int, int], ...] = ()
        self.requires_grad_(False)

    @property
    def engine(self) -> str:
        """Engine of single float32 pictures: ``"kernels"``, ``"torch"``, or ``"bfloat16"`` (torch, rounded)."""
        first = next(self.parameters())
        if first.dtype == torch.bfloat16:
            return "bfloat16"
        can_use_kernels = (
            self._engine == kernels.chosen_engine() == "auto"
            and self.padding == "zeros"
            and first.device.type == "cpu"
            and first.dtype == torch.float32
            and kernels.SUPPORTED
            and all(module.out_channels % kernels.COLUMNS == 0 for module in self._modules_in_order())
        )
        return "kernels" if can_use_kernels else "torch"

    def mark_reloadable(self) -> None:
        """Declare that the weights equal a mapped file, so that their memory pages can be dropped and read again."""
        self._reloadable_key = self._key()

    def release_memory(self) -> None:
        """Free the memory that earlier, larger pictures needed."""
        if self._stack is not None:
            self._stack.release_memory()

    def _key(self) -> tuple[tuple[int, int], ...]:
        """Return a value that changes when weights are replaced or modified."""
        return tuple((parameter.data_ptr(), parameter._version) for parameter in self.parameters())

    def _modules_in_order(self) -> list[nn.Conv2d]:
        return [cast(nn.Conv2d, module) for module in self.convolutions.values()]

    @staticmethod
    def stride(layer: str) -> int:
        """Return the pixels of the picture per position of a layer, in each direction; a power of two."""
        return layer_table("vgg19")[layer].stride  # which has all layers of VGG16, at the same strides

    def reach_px(self, layer: str) -> int:
        """Return the pixels beyond its own square that a position of a layer depends on, in each direction."""
        return self._table[layer].reach_px

    def forward(self, picture: Tensor, layers: Sequence[str], *, largest_px: float = 0.0) -> dict[str, Tensor]:
        """Return the activations of the named layers; deeper layers are not computed.

        Args:
            picture: RGB in [0, 1], shape (B, 3, H, W). Values outside are not clipped.
            layers: Names such as ``"relu4_2"``; see ``encoders.layers``.
            largest_px: Approximate pixels of the largest picture of the series that this one belongs to. It selects the
                kernels' tile size, which changes rounding.

        Returns:
            Activations by name, shape (B, C, h, w). They are never modified in place.

        Raises:
            UnknownNameError: The network has no such layer.
            ShapeError: The picture is not (B, 3, H, W), or too small for the deepest layer.
        """
        return self.forward_many([picture], layers, largest_px=largest_px)[0]

    def forward_many(
        self, pictures: Sequence[Tensor], layers: Sequence[str], *, largest_px: float = 0.0
    ) -> list[dict[str, Tensor]]:
        """Return the activations of the named layers for pictures of any sizes.

        On compiled kernels, small pictures are much faster together than one by one: their cost is reading the weights,
        which happens once for all. The results are the same, bit for bit. If the kernels cannot compute one of the
        pictures, torch computes all.

        Args:
            pictures: See ``forward``.
            layers: See ``forward``.
            largest_px: See ``forward``.

        Returns:
            The result of ``forward`` for each picture.

        Raises:
            UnknownNameError: The network has no such layer.
            ShapeError: A picture is not (B, 3, H, W), or too small for the deepest layer.
        """
        for name in layers:
            if name not in self.layers:
                raise UnknownNameError(f"layer of {self.architecture}", name, self.layers)
        for picture in pictures:
            self._check_shape(picture, layers)
        if not layers or not pictures:
            return [{} for _ in pictures]
        normalized = [(picture * self.scale - self.mean) / self.std for picture in pictures]
        if all(len(each) == 1 and each.dtype == torch.float32 for each in normalized) and self.engine == "kernels":
            return self._run_kernels(normalized, tuple(dict.fromkeys(layers)), largest_px)
        return [self._run_torch(each, set(layers)) for each in normalized]

    def use_bfloat16(self) -> None:
        """Switch convolutions to bfloat16 on torch, which halves the memory of activations.

        Named layers are still returned as float32, so that Gram matrices and losses are not rounded as well.
        """
        self.convolutions.to(torch.bfloat16)

    def _check_shape(self, picture: Tensor, layers: Sequence[str]) -> None:
        if picture.ndim != 4 or picture.shape[1] != 3:
            raise ShapeError(f"An encoder takes pictures of shape (B, 3, H, W); got {tuple(picture.shape)}.")
        smallest = max((self.stride(name) for name in layers), default=0)
        if min(picture.shape[-2:]) < smallest:
            raise ShapeError(
                f"{picture.shape[-1]}x{picture.shape[-2]} pixels are too few for these layers: "
                f"both sides must be at least {smallest}."
            )

    def _run_kernels(
        self, pictures: Sequence[Tensor], wanted: tuple[str, ...], largest_px: float
    ) -> list[dict[str, Tensor]]:
        # Importing compiles the kernels, so it is delayed until they are needed.
        from pochoir.encoders.stack import Features, Stack

        modules = self._modules_in_order()
        key = self._key()
        if self._stack is None or key != self._stack_key:
            tensors = [(module.weight.detach(), cast(Tensor, module.bias).detach()) for module in modules]
            named = dict(zip(self.convolutions, tensors, strict=True))
            self._stack = Stack(self.layers, named, self.pooling, may_release=key == self._reloadable_key)
            self._stack_key = key
        maps: tuple[Tensor, ...] = Features.apply(self._stack, wanted, largest_px, *pictures)  # type: ignore[no-untyped-call]
        count = len(wanted)
        return [dict(zip(wanted, maps[start : start + count], strict=True)) for start in range(0, len(maps), count)]

    def _run_torch(self, x: Tensor, wanted: set[str]) -> dict[str, Tensor]:
        last = max(self.layers.index(name) for name in wanted)
        dtype, weight = x.dtype, next(self.parameters())
        if weight.dtype == torch.bfloat16:
            x = x.to(weight.dtype)
        if x.device.type == "cuda":
            x = x.contiguous(memory_format=torch.channels_last)  # all later maps inherit this format
        tapped: dict[str, Tensor] = {}
        for position, name in enumerate(self.layers[: last + 1]):
            check_interrupt()
            # An in-place ReLU would overwrite the convolution's output.
            in_place = position > 0 and self.layers[position - 1] not in wanted
            x = self._apply_layer(name, x, in_place=in_place)
            if name in wanted:
                tapped[name] = x
        return {name: map_.to(dtype) for name, map_ in tapped.items()}

    def _apply_layer(self, name: str, x: Tensor, *, in_place: bool) -> Tensor:
        if name.startswith("relu"):
            return F.relu(x, inplace=in_place)
        if name.startswith("pool"):
            return F.max_pool2d(x, 2) if self.pooling == "max" else F.avg_pool2d(x, 2)
        conv = cast(nn.Conv2d, self.convolutions[name])
        if self.padding == "replicate":
            return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), conv.weight, conv.bias)
        return F.conv2d(x, conv.weight, conv.bias, padding=1)
