"""Loading of encoders from weight files."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir import kernels, weights
from pochoir.encoders.array_pickle import read_array_pickle, to_convolution
from pochoir.encoders.vgg import CAFFE, TORCHVISION, VGG, Normalization
from pochoir.errors import UnknownNameError, WeightsError
from pochoir.recipe import CONVOLUTIONS_PER_BLOCK
from pochoir.weights.mapped import load_mapped

_DAMAGE = (
    *(pickle.UnpicklingError, EOFError, OSError, RuntimeError, ValueError),  # not a file of tensors
    *(LookupError, TypeError, AttributeError),  # unexpected tensors
)


class _Format(NamedTuple):
    """Reader of a weight file, and the normalisation that its network expects."""

    normalization: Normalization
    read: Callable[[Path, str], dict[str, Tensor]]


def load_encoder(
    name: str,
    *,
    pooling: str = "max",
    padding: str = "zeros",
    device: str = "cpu",
    engine: str = "auto",
    may_round: bool = False,
) -> VGG:
    """Load an encoder with its trained weights.

    Args:
        name: ``"vgg19"`` (original weights) or ``"vgg16"`` (torchvision's).
        pooling: ``"max"`` or ``"avg"``.
        padding: ``"zeros"`` or ``"replicate"``.
        device: Device of the network.
        engine: ``"auto"``, or ``"torch"`` for torch only, in full precision; see ``VGG``.
        may_round: Allow half precision where the device is faster at it: on GPUs with bfloat16 units. The rounding is
            invisible in paintings (``benchmarks/half_precision.py``), but not in measurements.

    Raises:
        UnknownNameError: There is no such encoder, pooling, padding or engine.
        WeightsMissingError: Its weights are not in the cache.
        WeightsError: The weight file cannot be read.
    """
    if name not in _FORMATS:
        raise UnknownNameError("encoder", name, _FORMATS)
    form = _FORMATS[name]
    path = weights.where(name)

    def build(state: Mapping[str, Tensor]) -> VGG:
        # All parameters are replaced, so none need random values first.
        with torch.device("meta"):
            encoder = VGG(name, normalization=form.normalization, pooling=pooling, padding=padding, engine=engine)
        encoder.load_state_dict(state, assign=True)
        return encoder

    try:
        encoder = load_mapped(path, lambda: form.read(path, name), build)
    except _DAMAGE as error:
        # Torch's own message advises an unsafe load, so only the type of error is reported.
        raise WeightsError(
            f"The weight file {path} is damaged or not {name}'s ({type(error).__name__}); "
            f"fetch it again with: pochoir models pull {name}"
        ) from error
    # The file does not hold the buffers.
    encoder.mean = torch.tensor(form.normalization.mean).view(1, 3, 1, 1)
    encoder.std = torch.tensor(form.normalization.std).view(1, 3, 1, 1)
    encoder = encoder.requires_grad_(False).eval().to(device)
    encoder.mark_reloadable()
    if not device.startswith("cuda"):
        return encoder
    if may_round and engine == "auto" and expected_engine(device) == "bfloat16":
        encoder.use_bfloat16()
    # Tensor cores need the channels of a pixel side by side.
    return encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def expected_engine(device: str) -> str:
    """Return the ``VGG.engine`` of an encoder that may round, on an available device."""
    if kernels.chosen_engine() == "auto" and device == "cpu" and kernels.SUPPORTED:
        return "kernels"
    if kernels.chosen_engine() == "auto" and device.startswith("cuda"):
        with torch.cuda.device(torch.device(device)):
            return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "torch"
    return "torch"


def tiny_encoder(*, seed: int = 0, pooling: str = "max", padding: str = "zeros") -> VGG:
    """Return a VGG19 with 4 to 8 channels and random weights, for quick tests; layer names are the same."""
    encoder = VGG("vgg19", pooling=pooling, padding=padding, channels=(4, 4, 8, 8, 8))
    generator = torch.Generator().manual_seed(seed)
    state = {
        key: torch.randn(value.shape, generator=generator) * (2.0 / max(1, value[0].numel())) ** 0.5
        if key.endswith("weight")
        else torch.zeros_like(value)
        for key, value in encoder.state_dict().items()
    }
    encoder.load_state_dict(state)
    return encoder.eval()


def _read_coded(path: Path, architecture: str) -> dict[str, Tensor]:
    """Read the original Caffe weights, coded as 8-bit indices into a table of 256 values per layer."""
    stored = torch.load(path, map_location="cpu", weights_only=True)
    state: dict[str, Tensor] = {}
    for block, count in enumerate(CONVOLUTIONS_PER_BLOCK[architecture], start=1):
        for index in range(1, count + 1):
            source, target = f"block{block}_conv{index}", f"convolutions.conv{block}_{index}"
            coded = stored.pop(f"{source}_W_q")
            weight = stored[f"{source}_W_table"].index_select(0, coded.flatten().int()).view(coded.shape)
            if block == index == 1:
                weight = weight.flip(1)  # the file's first layer reads BGR, ours RGB
            state[f"{target}.weight"] = weight.contiguous()
            state[f"{target}.bias"] = stored[f"{source}_b"]
    return state


def _read_channels_last(path: Path, architecture: str) -> dict[str, Tensor]:
    """Read torchvision's weights from a pickle of arrays of shape (rows, columns, inputs, outputs)."""
    stored = read_array_pickle(path)[architecture.upper() + "_0"]
    names = [
        f"conv{block}_{index}"
        for block, count in enumerate(CONVOLUTIONS_PER_BLOCK[architecture], start=1)
        for index in range(1, count + 1)
    ]
    state: dict[str, Tensor] = {}
    for name, number in zip(names, range(len(stored)), strict=True):
        weight, bias = to_convolution(stored[f"Conv_{number}"])
        state[f"convolutions.{name}.weight"], state[f"convolutions.{name}.bias"] = weight, bias
    return state


_FORMATS = {
    "vgg19": _Format(CAFFE, _read_coded),
    "vgg16": _Format(TORCHVISION, _read_channels_last),
}
