"""Names of the encoders' layers."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Strict, WithJsonSchema

from pochoir.errors import OptionError, UnknownNameError

CONVOLUTIONS_PER_BLOCK = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions in each block of an encoder."""


def layer_names(encoder: str) -> tuple[str, ...]:
    """Return the names of an encoder's layers from shallow to deep: conv1_1, relu1_1, ..., pool1, ..., pool5."""
    names: list[str] = []
    for block, count in enumerate(CONVOLUTIONS_PER_BLOCK[encoder], start=1):
        for index in range(1, count + 1):
            names += [f"conv{block}_{index}", f"relu{block}_{index}"]
        names.append(f"pool{block}")
    return tuple(names)


def _split_text(value: Any) -> Any:
    """Split names that are written as one text, as in ``relu1_1, relu2_1``."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


LAYERS = tuple(dict.fromkeys(name for encoder in CONVOLUTIONS_PER_BLOCK for name in layer_names(encoder)))
"""Names of the layers of all encoders."""
LayerName = Annotated[str, Strict(), WithJsonSchema({"type": "string", "enum": list(LAYERS)})]
Layers = Annotated[tuple[LayerName, ...], BeforeValidator(_split_text)]
"""Names of layers; a text is split at its commas."""


def check_layers(encoder: str, content_layers: tuple[str, ...], style_layers: tuple[str, ...]) -> None:
    """Raise an error if an encoder has no such layers, one is named twice, or there are none."""
    allowed = layer_names(encoder)
    for label, layers in (("content", content_layers), ("style", style_layers)):
        for layer in layers:
            if layer not in allowed:
                raise UnknownNameError(f"{label} layer of {encoder}", layer, allowed)
        if len(set(layers)) != len(layers):
            raise OptionError(f"The {label} layers name a layer twice: {', '.join(layers)}.")
    if not style_layers and not content_layers:
        raise OptionError("At least one content layer or style layer is needed.")
