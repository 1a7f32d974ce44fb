"""Similarity by CLIP's picture encoders, through ``open_clip`` or ``sentence-transformers`` if they are installed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor

from pochoir.errors import MissingExtraError, UnknownNameError, WeightsMissingError
from pochoir.similarity.protocol import Features, Measure, View
from pochoir.similarity.vectors import cosine, euclidean

DEFAULT_MODEL = "ViT-B-16-plus-240/laion400m_e32"
"""Network of the study that pochoir grew out of."""
SENTENCE_TRANSFORMERS = "sentence-transformers/"
_CHECKPOINTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


class ClipLikeness:
    """Similarity to a network that was trained to match pictures with texts: 100 times the cosine of two vectors.

    The network sees the middle square of a picture at its own input size. A part is shown on the backdrop; its pixels
    get no further weights.

    Args:
        name: Name that the metric was asked for by.
        embed: Takes RGB pictures of 8 bits and returns one vector each, shape (B, C).

    References:
        Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", arXiv:2103.00020.
    """

    closer: Literal["higher", "lower"] = "higher"
    pixels: int | None = None

    def __init__(self, name: str, embed: Callable[[list[Image.Image]], Tensor]) -> None:
        self.name = name
        self._embed = embed

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Describe pictures."""
        with torch.no_grad():
            vectors = self._embed([_to_image(view.rgb) for view in views])
        return [(vector,) for vector in vectors.float().cpu()]

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two descriptions."""
        angle = cosine(one[0], other[0])
        return Measure(100.0 * angle, angle, euclidean(one[0], other[0]))


def load_clip(name: str, *, device: str = "cpu") -> ClipLikeness:
    """Return a CLIP metric. Its network has to be on this machine; nothing is downloaded.

    Args:
        name: ``clip``; ``clip:MODEL/TAG`` or ``clip:MODEL/FILE`` with a model of open_clip and one of its trainings or
            a checkpoint's path; or ``clip:sentence-transformers/NAME``.
        device: Device that the network runs on.

    Raises:
        MissingExtraError: The package is not installed, or does not fit the installed torch.
        UnknownNameError: There is no such model, or no such training of it.
        WeightsMissingError: The weights are not on this machine.
    """
    model = name.partition(":")[2] or DEFAULT_MODEL
    if model.startswith(SENTENCE_TRANSFORMERS):
        return ClipLikeness(name, _load_sentence_transformer(model, device))
    return ClipLikeness(name, _load_open_clip(model, device))


def _load_open_clip(name: str, device: str) -> Callable[[list[Image.Image]], Tensor]:
    try:
        import open_clip
    except (ImportError, RuntimeError) as error:  # torchvision raises a RuntimeError if it does not fit torch
        raise _missing("open_clip", error) from error
    model_name, _, tag = name.partition("/")
    if model_name not in open_clip.list_models():
        raise UnknownNameError("model of open_clip", model_name, open_clip.list_models())
    settings = {} if Path(tag).is_file() else _settings_of(open_clip, model_name, tag)
    checkpoint = Path(tag) if Path(tag).is_file() else _find_checkpoint(settings, model_name, tag)
    model, _, prepare = open_clip.create_model_and_transforms(
        model_name,
        pretrained=str(checkpoint),
        device=device,
        force_quick_gelu=bool(settings.get("quick_gelu")),
        image_mean=settings.get("mean"),
        image_std=settings.get("std"),
        image_interpolation=settings.get("interpolation"),
        image_resize_mode=settings.get("resize_mode"),
    )
    model.eval()

    def embed(pictures: list[Image.Image]) -> Tensor:
        found: Tensor = model.encode_image(torch.stack([prepare(picture) for picture in pictures]).to(device))
        return found

    return embed


def _settings_of(open_clip: Any, model: str, tag: str) -> dict[str, Any]:
    tags = open_clip.list_pretrained_tags_by_model(model)
    if tag not in tags:
        raise UnknownNameError(f"training of {model}", tag, tags)
    settings: dict[str, Any] = open_clip.get_pretrained_cfg(model, tag)
    return settings


def _find_checkpoint(settings: dict[str, Any], model: str, tag: str) -> Path:
    """Return the path of a checkpoint that open_clip has downloaded before."""
    from huggingface_hub import try_to_load_from_cache

    places = [Path("~/.cache/clip").expanduser() / str(settings["url"]).rpartition("/")[2]] if "url" in settings else []
    repository, _, file = str(settings.get("hf_hub", "")).rpartition("/")
    if repository:
        cached = [try_to_load_from_cache(repository, each) for each in ([file] if file else _CHECKPOINTS)]
        places += [Path(place) for place in cached if isinstance(place, str)]
    for place in places:
        if place.is_file():
            return place
    raise WeightsMissingError(
        f"The weights of {model}/{tag} are not on this machine. Fetch them once with: "
        f"python -c \"import open_clip; open_clip.create_model('{model}', pretrained='{tag}')\"; "
        f"or name a checkpoint that you have: clip:{model}/FILE"
    )


def _load_sentence_transformer(name: str, device: str) -> Callable[[list[Image.Image]], Tensor]:
    try:
        from sentence_transformers import SentenceTransformer
    except (ImportError, RuntimeError) as error:
        raise _missing("sentence_transformers", error) from error
    try:
        model = SentenceTransformer(name, device=device, local_files_only=True)
    except (OSError, ValueError) as error:
        raise WeightsMissingError(
            f"The model {name} is not on this machine. Fetch it once with: "
            f"python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('{name}')\""
        ) from error

    def embed(pictures: list[Image.Image]) -> Tensor:
        found: Tensor = model.encode(pictures, convert_to_tensor=True, show_progress_bar=False)
        return found

    return embed


def _missing(package: str, error: Exception) -> MissingExtraError:
    return MissingExtraError(
        f"The metric clip needs the package {package} and a torchvision that fits torch ({error}); "
        "install them with: pip install 'pochoir[clip]'"
    )


def _to_image(rgb: Tensor) -> Image.Image:
    values = rgb[0].permute(1, 2, 0).clamp(0, 1).mul(255).add(0.5).to(torch.uint8)
    return Image.fromarray(values.cpu().numpy())
