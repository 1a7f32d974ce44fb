"""Guided Gram matrices of several regions at once, summed over tiles."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pochoir import kernels
from pochoir._interrupts import check_interrupt
from pochoir.encoders import VGG
from pochoir.transfer.functional import sum_outer_products
from pochoir.transfer.tiling import Tile, Window

if TYPE_CHECKING:
    from pochoir.kernels.arena import Arena


class GuidedGrams:
    """Guided Gram matrices of several regions, of which each tile gives a part.

    Args:
        guides: For each region its guides by layer, each (1, 1, h, w), none zero everywhere.
    """

    def __init__(self, guides: Sequence[Mapping[str, Tensor]]) -> None:
        self.guides = guides
        self.totals = [{layer: float(guide.sum()) for layer, guide in region.items()} for region in guides]
        # Computed once for all steps: reading numbers makes a GPU wait.
        self._weights: dict[Tile, dict[str, dict[int, Tensor]]] = {}
        self._arena: Arena | None = None

    def __call__(self, tile: Tile, features: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Return the tile's part for each region and layer, shape (1, C, C); the parts of all tiles add up."""
        if tile not in self._weights:
            self._weights[tile] = self._weigh(tile)
        parts: list[dict[str, Tensor]] = [{} for _ in self.guides]
        for layer, weights in self._weights[tile].items():
            check_interrupt()
            core = tile.positions_shown(VGG.stride(layer))
            matrices = self._sum(features[layer], core, list(weights.values()))
            for region, matrix in zip(weights, matrices, strict=True):
                parts[region][layer] = matrix
        return parts

    def _weigh(self, tile: Tile) -> dict[str, dict[int, Tensor]]:
        """By layer and number of the region, the weights of the tile's positions."""
        weights: dict[str, dict[int, Tensor]] = {}
        for index, (region, totals) in enumerate(zip(self.guides, self.totals, strict=True)):
            for layer, guide in region.items():
                weights.setdefault(layer, {})[index] = _core_weights(
                    guide, tile.positions(VGG.stride(layer)), totals[layer]
                )
        return weights

    def _sum(self, features: Tensor, core: Window, weights: list[Tensor]) -> Sequence[Tensor]:
        if not _suits_kernels(features):
            return [sum_outer_products(core.cut(features), each) for each in weights]
        if self._arena is None:
            from pochoir.kernels.arena import Arena

            self._arena = Arena()
        matrices: tuple[Tensor, ...] = _OnKernels.apply(features, core, weights, self._arena)  # type: ignore[no-untyped-call]
        return matrices


def _core_weights(guide: Tensor, core: Window, total: float) -> Tensor:
    """Return the weights over a tile's core, (1, 1, h, w); where all are alike (1, 1, 1, 1), which saves a copy."""
    here = core.cut(guide) / total
    return here[..., :1, :1] if bool(here.min() == here.max()) else here.contiguous()


def _suits_kernels(features: Tensor) -> bool:
    # An encoder on kernels returns maps with the channels of a position side by side.
    return (
        features.device.type == "cpu"
        and features.dtype == torch.float32
        and len(features) == 1
        and features.stride(1) == 1
        and kernels.chosen_engine() == "auto"
        and kernels.SUPPORTED
        and features.shape[1] % kernels.COLUMNS == 0
    )


class _OnKernels(torch.autograd.Function):
    """The matrices of all regions, with one backward pass for all of them."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, core: Window, weights: Sequence[Tensor], arena: "Arena"
    ) -> tuple[Tensor, ...]:
        from pochoir.kernels.grams import weighted_gram

        ctx.save_for_backward(features)
        # Weights beyond the core are 0, and kernels skip those positions. Cutting out the core would be a copy.
        ctx.weights = [features.new_zeros(features.shape[-2:]) for _ in weights]
        for whole, each in zip(ctx.weights, weights, strict=True):
            core.cut(whole).copy_(each[0, 0])
        ctx.arena = arena
        map_ = features[0].permute(1, 2, 0).contiguous()
        return tuple(weighted_gram(map_, each, arena)[None] for each in ctx.weights)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        from pochoir.kernels.grams import multiply_by_matrices

        check_interrupt()

        (features,) = ctx.saved_tensors
        map_ = features[0].permute(1, 2, 0).contiguous()
        matrices = [gradient[0].contiguous() for gradient in gradients]
        pairs = list(zip(matrices, ctx.weights, strict=True))
        return multiply_by_matrices(map_, pairs, ctx.arena).permute(2, 0, 1)[None], None, None, None
