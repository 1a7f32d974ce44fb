"""3x3 convolutions by Winograd's minimal filtering, in three steps for a batch of tiles."""

from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import COUNTER, FLOAT_BYTES, INTEGER_BYTES, SKEW, UNIT, Map, Waiting
from pochoir.kernels.native.compiling import helper, kernel
from pochoir.kernels.native.products import multiply, multiply_transposed
from pochoir.kernels.native.tiles import make_input_transform, make_output_transform, make_weight_transform
from pochoir.kernels.native.vectors import (
    call,
    clear,
    copy,
    fence,
    fetch_add,
    load_atomic,
    pause,
    read,
    read_integer,
    write,
)
from pochoir.kernels.winograd_matrices import winograd_matrices

weight_transform_4, weight_transform_6 = make_weight_transform(4), make_weight_transform(6)
input_transform_4, input_transform_6 = make_input_transform(4), make_input_transform(6)
output_transform_4, output_transform_6 = make_output_transform(4, gated=False), make_output_transform(6, gated=False)
gated_output_transform_4, gated_output_transform_6 = (
    make_output_transform(4, gated=True),
    make_output_transform(6, gated=True),
)

REVERSAL_4, REVERSAL_6 = winograd_matrices(4).reversal, winograd_matrices(6).reversal

FIELDS = len(Map._fields)
SOURCE, HEIGHT, WIDTH, TARGET, EXTRA, IS_FULL, GATE, FIRST = range(FIELDS)
YIELD, SLEEP, SLEEP_AMOUNT = (INTEGER_BYTES * index for index in range(len(Waiting._fields)))
SPINS_BEFORE_YIELD = 1000
"""Checks of a counter before a waiting thread yields its core: about ten microseconds."""
YIELDS_BEFORE_SLEEP = 30
"""Yields before a waiting thread sleeps: about a millisecond."""


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


@kernel("void(intp, intp, intp, intp, intp, intp, intp, intp)")
def pack_panels(
    outputs: int, weight: int, inputs: int, target: int, position: int, room: int, first: int, last: int
) -> None:
    """Transform some panels of weights.

    Args:
        outputs: Side of an output tile, 4 or 6.
        weight: Address of the weights, (channels, inputs, 3, 3).
        inputs: Input channels.
        target: Address of the positions, each (panels, inputs, COLUMNS).
        position: Distance between positions, in numbers.
        room: Address of scratch space, (9, COLUMNS).
        first: The first panel.
        last: The panel after the last.
    """
    for panel in range(first, last):
        for channel in range(inputs):
            for column in range(COLUMNS):
                place = weight + FLOAT_BYTES * 9 * ((panel * COLUMNS + column) * inputs + channel)
                for tap in range(9):
                    write(room + FLOAT_BYTES * (tap * COLUMNS + column), read(place + FLOAT_BYTES * tap))
            goal = target + FLOAT_BYTES * (panel * inputs + channel) * COLUMNS
            if outputs == 4:
                weight_transform_4(room, goal, position)
            else:
                weight_transform_6(room, goal, position)
    fence()


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
def multiply_tile_positions(
    outputs: int,
    rows: int,
    source: int,
    input_step: int,
    inputs: int,
    weights: int,
    channels: int,
    target: int,
    product_step: int,
    room: int,
    reversed_: bool,
    first: int,
    last: int,
) -> None:
    """Multiply tiles by weights at a range of transform positions.

    With ``reversed_`` the weights are packed for the forward pass, and ``room`` is scratch space for one panel.
    """
    side = outputs + 2
    for place in range(first, last):
        tiles, goal = source + FLOAT_BYTES * place * input_step, target + FLOAT_BYTES * place * product_step
        if reversed_:
            y, x = place // side, place % side
            mirrored = REVERSAL_4[y] * side + REVERSAL_4[x] if outputs == 4 else REVERSAL_6[y] * side + REVERSAL_6[x]
            matrix = weights + FLOAT_BYTES * mirrored * inputs * channels
            multiply_transposed(rows, tiles, inputs, matrix, channels, goal, room)
        else:
            multiply(rows, tiles, inputs, weights + FLOAT_BYTES * place * inputs * channels, channels, goal)


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


@kernel("void(intp, intp, intp, intp, intp, intp, float32, intp, intp, intp, intp)")
def convolve_tiles(
    outputs: int,
    maps: int,
    count: int,
    inputs: int,
    weights: int,
    channels: int,
    floor: float,
    room: int,
    counter: int,
    each: int,
    tiles: int,
) -> None:
    """Run all three steps for batches of tiles, taking the next free batch until none is left.

    Args:
        outputs: Side of an output tile, 4 or 6.
        maps: Address of the table of maps (``layout.Map``), whose tiles are numbered consecutively.
        count: Number of maps.
        inputs: Input channels.
        weights: Address of the weights packed by ``convolution.pack``.
        channels: Output channels.
        floor: Lower bound of ungated outputs.
        room: Address of scratch space for the positions of ``each`` tiles, followed by three tiles.
        counter: Address of the atomic counter of tiles taken.
        each: Tiles in a batch.
        tiles: Number of tiles.
    """
    rows, positions = (each + UNIT - 1) // UNIT * UNIT, (outputs + 2) * (outputs + 2)
    input_step, product_step = rows * inputs + SKEW, rows * channels + SKEW
    products = room + FLOAT_BYTES * positions * input_step
    patch = products + FLOAT_BYTES * positions * product_step
    first = fetch_add(counter, each)
    while first < tiles:
        last = min(tiles, first + each)
        rows = (last - first + UNIT - 1) // UNIT * UNIT
        load_tiles(outputs, maps, count, inputs, room, input_step, patch, first, first, last)
        multiply_tile_positions(
            outputs,
            rows,
            room,
            input_step,
            inputs,
            weights,
            channels,
            products,
            product_step,
            0,
            False,
            0,
            positions,
        )
        store_tiles(outputs, products, product_step, maps, count, channels, floor, patch, first, first, last)
        first = fetch_add(counter, each)


@helper
def wait_for(counter: int, total: int, waiting: int) -> None:
    """Wait until a counter reaches ``total``.

    Other threads are usually about to finish, so the wait begins by spinning. If there are more threads than cores, one
    of them may need this thread's core; so the wait then yields, and at last sleeps.
    """
    checks = 0
    while load_atomic(counter) < total:
        pause()
        checks += 1
        if checks % SPINS_BEFORE_YIELD == 0:
            if checks < YIELDS_BEFORE_SLEEP * SPINS_BEFORE_YIELD:
                call(read_integer(waiting + YIELD), 0)
            else:
                call(read_integer(waiting + SLEEP), read_integer(waiting + SLEEP_AMOUNT))
    fence()


@kernel("void(intp, intp, intp, intp, intp, intp, float32, intp, intp, intp, intp, intp, intp, intp, intp)")
def convolve_positions(
    outputs: int,
    maps: int,
    count: int,
    inputs: int,
    weights: int,
    channels: int,
    floor: float,
    reversed_: bool,
    room: int,
    own: int,
    counters: int,
    each: int,
    start: int,
    last: int,
    waiting: int,
) -> None:
    """Run each step for a range of tiles on all threads together, so that weights are read once.

    Args:
        outputs: As in ``convolve_tiles``, like the next six.
        maps: See there.
        count: See there.
        inputs: See there.
        weights: See there.
        channels: See there.
        floor: See there.
        reversed_: The weights are packed for the forward pass, and this is its backward pass.
        room: Address of scratch space for the positions of all tiles, shared by all threads.
        own: Address of the thread's scratch space: three tiles, followed by a panel of weights, (inputs, COLUMNS).
        counters: Address of five atomic counters, COUNTER bytes apart: work taken in each of the three steps, then work
            finished in the first and second.
        each: Tiles in a batch.
        start: The first tile.
        last: The tile after the last.
        waiting: Address of ``layout.Waiting``.
    """
    tiles, positions = last - start, (outputs + 2) * (outputs + 2)
    rows = (tiles + UNIT - 1) // UNIT * UNIT
    input_step, product_step = rows * inputs + SKEW, rows * channels + SKEW
    products = room + FLOAT_BYTES * positions * input_step
    panel = own + FLOAT_BYTES * 3 * positions * max(inputs, channels)
    gathered, multiplied = counters + 3 * COUNTER, counters + 4 * COUNTER
    done = fetch_add(counters, each)
    while done < tiles:
        end = min(tiles, done + each)
        load_tiles(outputs, maps, count, inputs, room, input_step, own, start, start + done, start + end)
        fence()
        fetch_add(gathered, end - done)
        done = fetch_add(counters, each)
    wait_for(gathered, tiles, waiting)
    place = fetch_add(counters + COUNTER, 1)
    while place < positions:
        multiply_tile_positions(
            outputs,
            rows,
            room,
            input_step,
            inputs,
            weights,
            channels,
            products,
            product_step,
            panel,
            reversed_,
            place,
            place + 1,
        )
        fence()
        fetch_add(multiplied, 1)
        place = fetch_add(counters + COUNTER, 1)
    wait_for(multiplied, positions, waiting)
    done = fetch_add(counters + 2 * COUNTER, each)
    while done < tiles:
        end = min(tiles, done + each)
        store_tiles(
            outputs, products, product_step, maps, count, channels, floor, own, start, start + done, start + end
        )
        done = fetch_add(counters + 2 * COUNTER, each)
