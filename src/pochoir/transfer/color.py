"""Colour statistics: starting in the style's palette, or keeping the photo's."""

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in the luma of sRGB-encoded values (ITU-R BT.601), as in the YIQ space of the paper."""


def luma(picture: Tensor) -> Tensor:
    """Return the luma of a picture. Shape (B, 3, H, W) to (B, 1, H, W), range kept."""
    weights = picture.new_tensor(LUMA).view(1, 3, 1, 1)
    return (picture * weights).sum(dim=1, keepdim=True)


def match_color(
    picture: Tensor, target: Tensor, weight: Tensor | None = None, target_weight: Tensor | None = None
) -> Tensor:
    r"""Give a picture the mean and covariance of another's colours.

    The linear map :math:`x \mapsto \Sigma_t^{1/2} \Sigma_x^{-1/2} (x - \mu_x) + \mu_t` with symmetric
    roots: no channel comes first, as one would with Cholesky factors. A picture that has the target's moments already
    stays as it is.

    Args:
        picture: Shape (1, 3, H, W).
        target: Picture whose colours are taken, shape (1, 3, h, w).
        weight: Weight of each pixel in the picture's own statistics, shape (1, 1, H, W); None weighs all alike.
        target_weight: Weight of each pixel of the target likewise, shape (1, 1, h, w).

    Returns:
        Shape (1, 3, H, W); values may leave [0, 1]. All pixels are mapped, those of weight 0 too.

    References:
        Gatys et al., "Preserving Color in Neural Artistic Style Transfer", arXiv:1606.05897, section 4.
    """
    mean, covariance = _moments(picture, weight)
    target_mean, target_covariance = _moments(target, target_weight)
    mapping = _power(target_covariance, 0.5) @ _power(covariance, -0.5)
    flat = picture.flatten(2)[0]  # (3, H * W)
    return (mapping @ (flat - mean) + target_mean).view_as(picture)


def match_luma(style: Tensor, photo: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the style's luma as a grey picture, shifted and scaled to the mean and spread of the photo's luma.

    Without it a dark style would find no dark photo to lie on when only lumas are compared.

    Args:
        style: Shape (1, 3, h, w).
        photo: Shape (1, 3, H, W).
        weight: Weight of each pixel in the style's own statistics, shape (1, 1, h, w); None weighs all alike.

    Returns:
        Grey picture of shape (1, 3, h, w); values may leave [0, 1].

    References:
        Gatys et al., arXiv:1606.05897, section 5.
    """
    source, target = luma(style), luma(photo)
    mean, spread = source.mean(), source.std(correction=0)
    if weight is not None:
        mean, variance = (moment.squeeze() for moment in _moments(source, weight))
        spread = variance.sqrt()
    gain = target.std(correction=0) / spread.clamp_min(1 / 255)
    return ((source - mean) * gain + target.mean()).expand(-1, 3, -1, -1)


def with_luma_of(photo: Tensor, pastiche: Tensor, share: Tensor | None = None) -> Tensor:
    """Lay the photo's chroma under the pastiche's luma.

    Adding the same amount to R, G and B changes luma and leaves the differences between the channels, which are
    the chroma, alone.

    Args:
        photo: Shape (1, 3, H, W).
        pastiche: Same shape.
        share: How much of the photo's chroma each pixel is to have in place of the pastiche's, shape (1, 1, H, W);
            None is all.

    Returns:
        Shape (1, 3, H, W), clipped to [0, 1].
    """
    joined = photo + luma(pastiche) - luma(photo)
    if share is not None:
        joined = pastiche + share * (joined - pastiche)
    return joined.clamp(0.0, 1.0)


def _moments(picture: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    flat = picture.flatten(2)[0]  # (channels, N)
    shares = torch.full_like(flat[:1], 1.0 / flat.shape[1]) if weight is None else weight.flatten() / weight.sum()
    mean = (flat * shares).sum(dim=1, keepdim=True)
    centred = flat - mean
    return mean, (centred * shares) @ centred.T


def _power(covariance: Tensor, exponent: float) -> Tensor:
    # Float64 on the CPU: 3x3, and not every accelerator has eigh or float64. One grey level squared is the least
    # variance that counts, so a flat picture is not blown up.
    values, vectors = torch.linalg.eigh(covariance.cpu().double())
    root: Tensor = vectors @ torch.diag(values.clamp_min((1 / 255) ** 2) ** exponent) @ vectors.T
    return root.to(covariance.dtype).to(covariance.device)  # one after the other, for the same reason
