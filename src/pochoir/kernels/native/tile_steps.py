"""Steps of Winograd's convolution on tiles: from maps to transform positions, and back to maps."""

from pochoir.kernels.layout import FLOAT_BYTES, INTEGER_BYTES, Map
from pochoir.kernels.native.compiling import helper
from pochoir.kernels.native.memory import clear, copy, fence, read_integer
from pochoir.kernels.native.tiles import make_input_transform, make_output_transform

input_transform_4, input_transform_6 = make_input_transform(4), make_input_transform(6)
output_transform_4, output_transform_6 = make_output_transform(4, gated=False), make_output_transform(6, gated=False)
gated_output_transform_4 = make_output_transform(4, gated=True)
gated_output_transform_6 = make_output_transform(6, gated=True)

FIELDS = len(Map._fields)
SOURCE, HEIGHT, WIDTH, TARGET, EXTRA, IS_FULL, GATE, FIRST = range(FIELDS)


@helper
def copy_padded_patch(
    source: int, height: int, width: int, channels: int, top: int, left: int, side: int, patch: int
) -> None:
    """Copy a square that crosses the border, with zeros outside the map."""
    clear(patch, side * side * channels)
    first, last = max(left, 0), min(left + side, width)
    for y in range(max(top, 0), min(top + side, height)):
        goal = patch + FLOAT_BYTES * ((y - top) * side + first - left) * channels
        copy(source + FLOAT_BYTES * (y * width + first) * channels, goal, (last - first) * channels)


@helper
def copy_patch_back(
    target: int, height: int, width: int, channels: int, top: int, left: int, side: int, patch: int
) -> None:
    """Copy the part of a square that lies inside the map."""
    count = min(side, width - left) * channels
    for y in range(top, min(top + side, height)):
        goal = target + FLOAT_BYTES * (y * width + left) * channels
        copy(patch + FLOAT_BYTES * (y - top) * side * channels, goal, count)


@helper
def transform_inputs(
    outputs: int,
    source: int,
    height: int,
    width: int,
    channels: int,
    tile: int,
    target: int,
    position: int,
    patch: int,
) -> None:
    """Transform one tile of inputs."""
    side, across = outputs + 2, (width + outputs - 1) // outputs
    top, left = tile // across * outputs - 1, tile % across * outputs - 1
    start, row = source + FLOAT_BYTES * (top * width + left) * channels, width * channels
    if top < 0 or left < 0 or top + side > height or left + side > width:
        copy_padded_patch(source, height, width, channels, top, left, side, patch)
        start, row = patch, side * channels
    if outputs == 4:
        input_transform_4(start, row, target, position, channels)
    else:
        input_transform_6(start, row, target, position, channels)


@helper
def locate(
    map_: int, height: int, width: int, channels: int, top: int, left: int, side: int, inside: bool, patch: int
) -> int:
    """Return the address of a tile: in the map itself, or in a padded copy at the border."""
    if inside:
        return map_ + FLOAT_BYTES * (top * width + left) * channels
    copy_padded_patch(map_, height, width, channels, top, left, side, patch)
    return patch


@helper
def transform_outputs(
    outputs: int,
    products: int,
    position: int,
    extra: int,
    full_extra: bool,
    gate: int,
    target: int,
    height: int,
    width: int,
    channels: int,
    tile: int,
    floor: float,
    patch: int,
) -> None:
    """Transform the products of one tile to outputs."""
    across = (width + outputs - 1) // outputs
    top, left = tile // across * outputs, tile % across * outputs
    inside = top + outputs <= height and left + outputs <= width
    size = FLOAT_BYTES * outputs * outputs * channels
    row, goal = outputs * channels, patch
    if inside:
        row, goal = width * channels, target + FLOAT_BYTES * (top * width + left) * channels
    addition, addition_row, addition_pixel = extra, 0, 0
    if full_extra:
        addition = locate(extra, height, width, channels, top, left, outputs, inside, patch + size)
        addition_row, addition_pixel = row, channels
    if gate != 0:
        door = locate(gate, height, width, channels, top, left, outputs, inside, patch + 2 * size)
        if outputs == 4:
            gated_output_transform_4(
                products, position, addition, addition_row, addition_pixel, door, row, goal, row, channels, floor
            )
        else:
            gated_output_transform_6(
                products, position, addition, addition_row, addition_pixel, door, row, goal, row, channels, floor
            )
    elif outputs == 4:
        output_transform_4(
            products, position, addition, addition_row, addition_pixel, 0, row, goal, row, channels, floor
        )
    else:
        output_transform_6(
            products, position, addition, addition_row, addition_pixel, 0, row, goal, row, channels, floor
        )
    if not inside:
        copy_patch_back(target, height, width, channels, top, left, outputs, patch)


@helper
def field(maps: int, number: int, index: int) -> int:
    """Return one field of a map's row in the table."""
    return int(read_integer(maps + INTEGER_BYTES * (number * FIELDS + index)))


@helper
def find_tiles(outputs: int, maps: int, number: int, first: int, last: int) -> tuple[int, int, int]:
    """Return a map's first tile, and the start and end of its share of a range of tiles."""
    height, width, begin = field(maps, number, HEIGHT), field(maps, number, WIDTH), field(maps, number, FIRST)
    count = ((height + outputs - 1) // outputs) * ((width + outputs - 1) // outputs)
    return begin, max(first, begin), min(last, begin + count)


@helper
def load_tiles(
    outputs: int,
    maps: int,
    count: int,
    channels: int,
    target: int,
    position: int,
    patch: int,
    start: int,
    first: int,
    last: int,
) -> None:
    """Transform a range of input tiles; the target begins at the tile ``start``."""
    for number in range(count):
        source, height, width = field(maps, number, SOURCE), field(maps, number, HEIGHT), field(maps, number, WIDTH)
        begin, one, end = find_tiles(outputs, maps, number, first, last)
        for tile in range(one, end):
            goal = target + FLOAT_BYTES * (tile - start) * channels
            transform_inputs(outputs, source, height, width, channels, tile - begin, goal, position, patch)


@helper
def store_tiles(
    outputs: int,
    products: int,
    position: int,
    maps: int,
    count: int,
    channels: int,
    floor: float,
    patch: int,
    start: int,
    first: int,
    last: int,
) -> None:
    """Transform the products of a range of tiles to outputs; the products begin at the tile ``start``."""
    for number in range(count):
        begin, one, end = find_tiles(outputs, maps, number, first, last)
        for tile in range(one, end):
            transform_outputs(
                outputs,
                products + FLOAT_BYTES * (tile - start) * channels,
                position,
                field(maps, number, EXTRA),
                field(maps, number, IS_FULL) != 0,
                field(maps, number, GATE),
                field(maps, number, TARGET),
                field(maps, number, HEIGHT),
                field(maps, number, WIDTH),
                channels,
                tile - begin,
                floor,
                patch,
            )
    fence()
