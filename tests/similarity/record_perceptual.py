"""Record LPIPS and DISTS values by the packages ``lpips`` and ``piq`` into ``perceptual_values.json``.

The packages are needed for this only:  pip install --target SITE --no-deps lpips==0.1.4 piq==0.8.0 tqdm
Then:  PYTHONPATH=SITE python tests/similarity/record_perceptual.py --dists dists-pytorch's weights.pt

Both packages want torchvision and download weights. So stand-ins for torchvision's two networks are given to them,
with layers numbered as torchvision does and the convolutions of pochoir's weight files. LPIPS' heads come from the
package ``lpips`` itself, DISTS' weights from the file of its authors.
"""

import argparse
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pochoir import weights
from pochoir.encoders.array_pickle import read_array_pickle, to_convolution

VALUES = Path(__file__).with_name("perceptual_values.json")
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


def draw_pairs() -> dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Return pairs of pictures of 8 bits, drawn from formulas and a seeded generator, by name."""
    y, x = np.mgrid[0:96, 0:128] / 96.0
    base = np.stack([0.5 + 0.4 * np.sin(9 * x), 0.5 + 0.4 * np.cos(7 * y + 3 * x), 0.2 + 0.6 * y], axis=-1)
    base[30:70, 40:90] = (0.9, 0.7, 0.1)
    rng = np.random.default_rng(5)
    noisy = base + rng.normal(0, 0.15, base.shape)
    shifted = np.roll(base, (3, 5), axis=(0, 1))
    return {
        name: (_to_bytes(base), _to_bytes(other))
        for name, other in {"noise": noisy, "shift": shifted, "inverse": 1 - base, "dark": base * 0.4}.items()
    }


def _to_bytes(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def _vgg16(**_: object) -> nn.Module:
    stored = read_array_pickle(weights.where("vgg16"))["VGG16_0"]
    layers: list[nn.Module] = []
    number, fan_in = 0, 3
    for entry in VGG16:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(2, 2))
            continue
        convolution = nn.Conv2d(fan_in, entry, 3, padding=1)
        _load(convolution, stored[f"Conv_{number}"])
        layers += [convolution, nn.ReLU(inplace=False)]
        number, fan_in = number + 1, entry
    return _with_features(layers)


def _alexnet(**_: object) -> nn.Module:
    stored = read_array_pickle(weights.where("alexnet"))["AlexNet_0"]
    convolutions = [
        nn.Conv2d(3, 64, 11, 4, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        *(nn.Conv2d(a, b, 3, padding=1) for a, b in ((192, 384), (384, 256), (256, 256))),
    ]
    layers: list[nn.Module] = []
    for number, convolution in enumerate(convolutions):
        _load(convolution, stored[f"Conv_{number}"])
        layers += [convolution, nn.ReLU(inplace=False)] + ([nn.MaxPool2d(3, 2)] if number < 2 else [])
    return _with_features(layers)


def _load(convolution: nn.Conv2d, stored: Any) -> None:
    weight, bias = to_convolution(stored)
    convolution.load_state_dict({"weight": weight, "bias": bias})


def _with_features(layers: list[nn.Module]) -> nn.Module:
    network = nn.Module()
    network.features = nn.Sequential(*layers)
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dists", type=Path, required=True, help="weights.pt of dists-pytorch 0.1")
    options = parser.parse_args()
    torchvision, models = types.ModuleType("torchvision"), types.ModuleType("torchvision.models")
    models.vgg16, models.alexnet, models.vgg19 = _vgg16, _alexnet, _vgg16  # type: ignore[attr-defined]
    torchvision.models = models  # type: ignore[attr-defined]
    sys.modules |= {"torchvision": torchvision, "torchvision.models": models}
    unused = types.ModuleType("piq.feature_extractors")  # needs more of torchvision, and nothing here needs it
    unused.InceptionV3 = unused.clip = None  # type: ignore[attr-defined]
    sys.modules[unused.__name__] = unused
    import lpips
    import piq

    alex, vgg = (lpips.LPIPS(net=net, verbose=False) for net in ("alex", "vgg"))
    stored = torch.load(options.dists, weights_only=True)
    torch.hub.load_state_dict_from_url = lambda *_, **__: stored
    dists = piq.DISTS()
    values: dict[str, dict[str, float]] = {}
    with torch.no_grad():
        for name, pair in draw_pairs().items():
            one, other = (torch.from_numpy(each).permute(2, 0, 1)[None].float() / 255 for each in pair)
            values[name] = {
                "lpips": float(alex(one, other, normalize=True)),
                "lpips:vgg": float(vgg(one, other, normalize=True)),
                "dists": float(dists(one, other)),
            }
    VALUES.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
