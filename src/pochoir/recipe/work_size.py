"""Size that a photo is painted at."""

from pochoir._types import Size
from pochoir.errors import OptionError
from pochoir.recipe.geometry import FULL, MAX_SIZE_PX
from pochoir.recipe.recipe import Recipe

DEFAULT_LONG_SIDE_PX = 512


def find_work_size(photo: Size, recipe: Recipe) -> Size:
    """Return the size to paint at: ``recipe.size`` on the long side, or 512, or the photo's own if that is smaller.

    Raises:
        OptionError: The photo's own is wanted and is too large.
    """
    if recipe.size == FULL and photo.long_side > MAX_SIZE_PX:
        raise OptionError(f"The photo has {photo} pixels; --size takes up to {MAX_SIZE_PX}, and {FULL} is more here.")
    wanted = photo.long_side if isinstance(recipe.size, str) else recipe.size
    long_side = wanted if wanted is not None else min(DEFAULT_LONG_SIDE_PX, photo.long_side)
    return photo if long_side == photo.long_side else photo.fit_long_side(long_side)
