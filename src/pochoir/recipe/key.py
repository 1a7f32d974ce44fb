"""Key of a piece of work: the one answer to whether a picture is already made."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pochoir.recipe.output_settings import OutputSettings
from pochoir.recipe.recipe import MASK_FIELDS, STYLE_FIELDS, Recipe
from pochoir.recipe.settings import SegmentSettings

if TYPE_CHECKING:
    from pochoir.recipe.environment import Environment
    from pochoir.recipe.request import Request

# Settings that do not change the picture asked for. `memory`: tiles give the same losses and gradients as the whole
# picture. `device` and `threads`: the same picture but for rounding. `commercial_safe`: the same picture, or a refusal.
# Everything else shapes the picture. That includes `time`: less time gives fewer steps; a request is compared as it was
# asked, not by the steps that a machine managed.
NOT_SHAPING = ("memory", "device", "threads", "commercial_safe")

# Settings that name files. Their contents are among the inputs, by role and sha256, so the paths are left out.
NAMING_FILES = (*MASK_FIELDS, "mask", "scribble", "protect")


def work_key(request: "Request", environment: "Environment") -> str:
    """Return the key of the picture that a request makes in an environment.

    Two runs with the same key make the same picture but for rounding, however long they take and wherever they run. The
    key depends on the settings that shape the picture, the roles and contents of the inputs, the form, the user's own
    objects, the version of pochoir and the weights; not on the device, threads, memory, file names and paths.

    Args:
        request: Picture that is wanted, as it was asked for.
        environment: Version and weights count; the rest does not.

    Returns:
        64 hexadecimal digits.
    """
    is_painted = request.form is None
    values = {
        "pochoir": environment.version,
        "settings": _shaping_settings(request.recipe, is_painted=is_painted),
        "inputs": [[entry.role, entry.sha256] for entry in request.inputs],
        "form": None if request.form is None else request.form.model_dump(mode="json"),
        "own": list(request.own),
        "weights": sorted(environment.weights.items()),
    }
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _shaping_settings(recipe: Recipe, *, is_painted: bool) -> dict[str, Any]:
    """Return the settings that shape a picture, without the names of files."""
    fields = Recipe.model_fields if is_painted else SegmentSettings.model_fields | OutputSettings.model_fields
    names = [name for name in fields if name not in (*NOT_SHAPING, *NAMING_FILES)]
    plain = recipe.to_dict()
    values = {name: plain[name] for name in names}
    if not is_painted:
        return values
    # Styles are inputs, too; their shares are not. A color has several spellings.
    values |= {name: [ref.weight for ref in getattr(recipe, name)] for name in STYLE_FIELDS}
    values["backdrop"] = recipe.backdrop.color or ("picture" if recipe.backdrop.picture else plain["backdrop"])
    values["init"] = "picture" if recipe.init.picture else plain["init"]
    return values
