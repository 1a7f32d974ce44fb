"""The layers of a clip, for painting programs."""

import numpy as np
import torch
from torch import Tensor

from pochoir import imaging
from pochoir.animation.arrays import Layer, Picture
from pochoir.animation.clip import Clip
from pochoir.clips.arrays import to_tensor


def clip_layers(clip: Clip, photo: Picture) -> tuple[imaging.Layer, ...]:
    """Return the layers at rest from top to bottom: matte (hidden), parts of the subjects, plate, photo (hidden).

    Args:
        clip: The clip.
        photo: The photo on the clip's canvas, shape (H, W, 3).
    """
    matte = np.max([actor.cutouts[0][..., 3] for actor in clip.stage.actors], axis=0)
    layers = [imaging.Layer("matte", to_tensor(np.repeat(matte[..., None], 3, axis=2)), is_visible=False)]
    many = len(clip.stage.actors) > 1
    for number, actor in reversed(list(enumerate(clip.stage.actors, start=1))):
        parts = zip(actor.puppet.names, actor.puppet.layers(actor.cutouts[0]), strict=True)
        suffix = f" {number}" if many else ""
        layers += [imaging.Layer(f"{name}{suffix}", _to_straight(part)) for name, part in reversed(list(parts))]
    layers += [imaging.Layer("plate", to_tensor(plate)) for plate in clip.stage.plates[:1]]
    layers.append(imaging.Layer("photo", to_tensor(photo), is_visible=False))
    return tuple(layers)


def _to_straight(layer: Layer) -> Tensor:
    alpha = layer[..., 3:]
    colors = np.where(alpha > 0, layer[..., :3] / np.maximum(alpha, 1e-6), 0.0)
    both = np.concatenate([np.clip(colors, 0.0, 1.0), alpha], axis=2).astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(both)).permute(2, 0, 1)[None]
