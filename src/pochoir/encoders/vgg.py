"""VGG as a feature extractor with layers by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pochoir import kernels
from pochoir.errors import ShapeError, UnknownNameError
from pochoir.recipe.recipe import CONVOLUTIONS_PER_BLOCK, POOLINGS, layer_names

if TYPE_CHECKING:
    from pochoir.encoders.stack import Stack

CHANNELS = (64, 128, 256, 512, 512)
PADDINGS = ("zeros", "replicate")


class Normalization(NamedTuple):
    """What a set of weights expects of its input: ``(rgb * scale - mean) / std``, per RGB channel."""

    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


CAFFE = Normalization(255.0, (123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
"""Of the original weights: grey levels less the training set's mean. Their BGR order is undone on loading."""
TORCHVISION = Normalization(1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class VGG(nn.Module):
    """The convolutional part of VGG16 or VGG19.

    It takes RGB in [0, 1] and normalises by itself, so that no caller can forget to or do it twice. Its weights
    are frozen: gradients reach the picture only.

    On a CPU with AVX2 or AVX-512, single float32 pictures go through compiled kernels (``encoders.stack``), which
    have one derivative. Everything else goes through plain torch, and so does everything if the environment variable
    ``POCHOIR_ENGINE`` is ``torch``. ``halve`` is for GPUs.

    Args:
        architecture: ``"vgg16"`` or ``"vgg19"``.
        normalization: What the weights that will be loaded expect.
        pooling: ``"max"`` as trained, or ``"avg"``, which Gatys et al. 2015 found to look slightly better. The
            average is not rescaled.
        padding: ``"zeros"`` as trained, or ``"replicate"``, which shows less of the frame in the features.
        channels: Channels of the five blocks; other than VGG's own only for small test networks.
        engine: ``"auto"``, or ``"torch"`` for plain torch only.

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
        self.layers = layer_names(architecture)
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
        self._key_as_read: tuple[tuple[int, int], ...] = ()
        self.requires_grad_(False)

    @property
    def engine(self) -> str:
        """What computes single float32 pictures: ``"kernels"``, ``"torch"``, or ``"bfloat16"``: torch, halved."""
        first = next(self.parameters())
        if first.dtype == torch.bfloat16:
            return "bfloat16"
        serves = (
            self._engine == kernels.chosen_engine() == "auto"
            and self.padding == "zeros"
            and first.device.type == "cpu"
            and first.dtype == torch.float32
            and kernels.SUPPORTED
            and all(module.out_channels % kernels.COLUMNS == 0 for module in self._modules_in_order())
        )
        return "kernels" if serves else "torch"

    def mark_as_read(self) -> None:
        """Say that the weights are those of a file, which can be read again."""
        self._key_as_read = self._key()

    def give_back(self) -> None:
        """Give back what memory the pictures so far took, where they were larger than those to come."""
        if self._stack is not None:
            self._stack.give_back()

    def _key(self) -> tuple[tuple[int, int], ...]:
        """Tells whether weights have been replaced or changed."""
        return tuple((parameter.data_ptr(), parameter._version) for parameter in self.parameters())

    def _modules_in_order(self) -> list[nn.Conv2d]:
        return [cast(nn.Conv2d, module) for module in self.convolutions.values()]

    @staticmethod
    def stride(layer: str) -> int:
        """Pixels of the picture per position of a layer, in each direction; a power of two."""
        block = int(layer.removeprefix("conv").removeprefix("relu").removeprefix("pool")[0])
        return 1 << (block if layer.startswith("pool") else block - 1)

    def reach_px(self, layer: str) -> int:
        """How many pixels beyond its own square a position of a layer depends on, in each direction."""
        names = self.layers[: self.layers.index(layer) + 1]
        return sum(self.stride(name) for name in names if name.startswith("conv"))

    def forward(self, picture: Tensor, layers: Sequence[str], *, largest_px: float = 0.0) -> dict[str, Tensor]:
        """Activations of the named layers.

        The network is run no further than the deepest of them.

        Args:
            picture: RGB in [0, 1], shape (B, 3, H, W). Values outside are taken as they are.
            layers: Names such as ``"relu4_2"``; see ``recipe.layer_names``.
            largest_px: Pixels of the largest picture, about, among which this one will be shown again and again. For
                large ones the compiled kernels have ways of their own, which round differently.

        Returns:
            For each name the activations, shape (B, C, h, w). They are never modified in place.

        Raises:
            UnknownNameError: A layer is not one of this network's.
            ShapeError: The picture is not (B, 3, H, W), or too small for the deepest layer.
        """
        return self.show([picture], layers, largest_px=largest_px)[0]

    def show(
        self, pictures: Sequence[Tensor], layers: Sequence[str], *, largest_px: float = 0.0
    ) -> list[dict[str, Tensor]]:
        """Activations of the named layers for pictures of any sizes.

        On the compiled kernels small pictures take much less time so than one after the other: what they cost is
        reading the weights, which is done once for all of them. What becomes of each is the same, bit for bit. If one
        of the pictures is not for the kernels, all of them go through plain torch.

        Args:
            pictures: As ``forward`` takes them.
            layers: Likewise.
            largest_px: Likewise.

        Returns:
            For each picture what ``forward`` gives.

        Raises:
            UnknownNameError: As of ``forward``.
            ShapeError: Likewise.
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

    def halve(self) -> None:
        """From now on convolve in bfloat16, on plain torch: with half the memory for what is between the named layers.

        Those are handed out as float32 all the same, so that Gram matrices and losses are not rounded, too.
        """
        self.convolutions.to(torch.bfloat16)

    def _check_shape(self, picture: Tensor, layers: Sequence[str]) -> None:
        if picture.ndim != 4 or picture.shape[1] != 3:
            raise ShapeError(f"An encoder takes pictures of shape (B, 3, H, W); got {tuple(picture.shape)}.")
        smallest = max((self.stride(name) for name in layers), default=0)
        if min(picture.shape[-2:]) < smallest:
            raise ShapeError(
                f"{picture.shape[-1]}x{picture.shape[-2]} pixels are too few for the layers asked for: "
                f"both sides must be at least {smallest}."
            )

    def _run_kernels(
        self, pictures: Sequence[Tensor], wanted: tuple[str, ...], largest_px: float
    ) -> list[dict[str, Tensor]]:
        # Importing compiles the kernels, so it waits until they are needed.
        from pochoir.encoders.stack import Features, Stack

        modules = self._modules_in_order()
        key = self._key()
        if self._stack is None or key != self._stack_key:
            tensors = [(module.weight.detach(), cast(Tensor, module.bias).detach()) for module in modules]
            named = dict(zip(self.convolutions, tensors, strict=True))
            self._stack = Stack(self.layers, named, self.pooling, lets_go=key == self._key_as_read)
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
            x = x.contiguous(memory_format=torch.channels_last)  # and so are all maps that follow
        tapped: dict[str, Tensor] = {}
        for position, name in enumerate(self.layers[: last + 1]):
            # ReLU may work in place only where nobody keeps the convolution's output.
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
