"""One pass of a network for several metrics that look at the same picture."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pochoir.encoders import VGG


class SharedEncoder:
    """An encoder that keeps its last features, for the next metric that asks for the same pictures.

    Args:
        encoder: The network.
    """

    def __init__(self, encoder: VGG) -> None:
        self._encoder = encoder
        self._layers: dict[str, None] = {}
        self._pictures: list[Tensor] = []
        self._found: dict[str, Tensor] = {}

    def register(self, layers: Sequence[str]) -> None:
        """Add layers to those that one pass computes."""
        self._layers |= dict.fromkeys(layers)
        self._pictures = []

    def encode(self, pictures: list[Tensor]) -> dict[str, Tensor]:
        """Return the activations of all registered layers, on the CPU.

        Args:
            pictures: RGB in [0, 1], shape (1, 3, H, W) each, all of one size; not to be changed in place.

        Returns:
            For each layer the activations, shape (B, C, h, w).
        """
        is_known = len(pictures) == len(self._pictures) and all(map(torch.Tensor.is_set_to, pictures, self._pictures))
        if not is_known:
            self._found = self._run(pictures)
            self._pictures = list(pictures)
        return self._found

    def _run(self, pictures: list[Tensor]) -> dict[str, Tensor]:
        device, layers = self._encoder.mean.device, list(self._layers)
        # A CPU gains nothing from batches, and a picture's last digits would depend on the others in its batch.
        at_once = 1 if device.type == "cpu" else len(pictures)
        with torch.no_grad():
            found = [
                self._encoder(torch.cat(pictures[at : at + at_once]).to(device), layers)
                for at in range(0, len(pictures), at_once)
            ]
        return {layer: torch.cat([features[layer] for features in found]).cpu() for layer in layers}
