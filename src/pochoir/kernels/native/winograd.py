"""Convolutions of 3x3 by Winograd's minimal filtering, in three steps for some tiles at a time."""

from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import COUNTER, FLOAT_BYTES, INTEGER_BYTES, SKEW, UNIT, Map, Waiting
from pochoir.kernels.native.compiling import compiled, helper
from pochoir.kernels.native.products import multiply, multiply_transposed
from pochoir.kernels.native.tiles import make_back, make_forth, make_weights
from pochoir.kernels.native.vectors import call, clear, copy, look, pause, read, read_integer, settle, take, write
from pochoir.kernels.winograd_matrices import minimal_filtering

weights_4, weights_6 = make_weights(4), make_weights(6)
forth_4, forth_6 = make_forth(4), make_forth(6)
back_4, back_6 = make_back(4, gated=False), make_back(6, gated=False)
gated_back_4, gated_back_6 = make_back(4, gated=True), make_back(6, gated=True)

REVERSAL_4, REVERSAL_6 = minimal_filtering(4).reversal, minimal_filtering(6).reversal

FIELDS = len(Map._fields)
SOURCE, HEIGHT, WIDTH, TARGET, EXTRA, IS_FULL, GATE, FIRST = range(FIELDS)
GIVE_WAY, SLEEP, NAP = (INTEGER_BYTES * index for index in range(len(Waiting._fields)))
LOOKS = 1000
"""At what other threads have done before this one gives way: some ten microseconds."""
TURNS_GIVEN = 30
"""Before it sleeps: about a millisecond."""


@helper
def cut_patch(source: int, height: int, width: int, channels: int, top: int, left: int, side: int, patch: int) -> None:
    """Copy a square that reaches over the border, with zeros beyond it."""
    clear(patch, side * side * channels)
    first, last = max(left, 0), min(left + side, width)
    for y in range(max(top, 0), min(top + side, height)):
        goal = patch + FLOAT_BYTES * ((y - top) * side + first - left) * channels
        copy(source + FLOAT_BYTES * (y * width + first) * channels, goal, (last - first) * channels)


@helper
def paste_patch(
    target: int, height: int, width: int, channels: int, top: int, left: int, side: int, patch: int
) -> None:
    """Copy what of a square lies inside the border."""
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
    """Bring one tile of inputs to its positions."""
    side, across = outputs + 2, (width + outputs - 1) // outputs
    top, left = tile // across * outputs - 1, tile % across * outputs - 1
    start, row = source + FLOAT_BYTES * (top * width + left) * channels, width * channels
    if top < 0 or left < 0 or top + side > height or left + side > width:
        cut_patch(source, height, width, channels, top, left, side, patch)
        start, row = patch, side * channels
    if outputs == 4:
        forth_4(start, row, target, position, channels)
    else:
        forth_6(start, row, target, position, channels)


@helper
def locate(
    map_: int, height: int, width: int, channels: int, top: int, left: int, side: int, inside: bool, patch: int
) -> int:
    """Where a tile of a map is: in the map itself, or in a copy that goes on beyond the border."""
    if inside:
        return map_ + FLOAT_BYTES * (top * width + left) * channels
    cut_patch(map_, height, width, channels, top, left, side, patch)
    return patch


@helper
def transform_results(
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
    """Bring the positions of one tile to its results."""
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
            gated_back_4(
                products, position, addition, addition_row, addition_pixel, door, row, goal, row, channels, floor
            )
        else:
            gated_back_6(
                products, position, addition, addition_row, addition_pixel, door, row, goal, row, channels, floor
            )
    elif outputs == 4:
        back_4(products, position, addition, addition_row, addition_pixel, 0, row, goal, row, channels, floor)
    else:
        back_6(products, position, addition, addition_row, addition_pixel, 0, row, goal, row, channels, floor)
    if not inside:
        paste_patch(target, height, width, channels, top, left, outputs, patch)


@compiled("void(intp, intp, intp, intp, intp, intp, intp, intp)")
def pack_panels(
    outputs: int, weight: int, inputs: int, target: int, position: int, room: int, first: int, last: int
) -> None:
    """Bring some panels of weights to their positions.

    Args:
        outputs: Side of a tile of results, 4 or 6.
        weight: Address of the weights, (channels, inputs, 3, 3).
        inputs: Channels that come.
        target: Address of the positions, each of (panels, inputs, COLUMNS).
        position: Numbers from one position to the next.
        room: Address of room, (9, COLUMNS).
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
                weights_4(room, goal, position)
            else:
                weights_6(room, goal, position)
    settle()


@helper
def field(maps: int, number: int, index: int) -> int:
    """What the table says of a map."""
    return int(read_integer(maps + INTEGER_BYTES * (number * FIELDS + index)))


@helper
def find_tiles(outputs: int, maps: int, number: int, first: int, last: int) -> tuple[int, int, int]:
    """The first tile of a map, and which of a range of tiles are its own: the first and the one after the last."""
    height, width, begin = field(maps, number, HEIGHT), field(maps, number, WIDTH), field(maps, number, FIRST)
    count = ((height + outputs - 1) // outputs) * ((width + outputs - 1) // outputs)
    return begin, max(first, begin), min(last, begin + count)


@helper
def gather_tiles(
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
    """Bring a range of tiles to their positions, in which the tile ``start`` lies first."""
    for number in range(count):
        source, height, width = field(maps, number, SOURCE), field(maps, number, HEIGHT), field(maps, number, WIDTH)
        begin, one, end = find_tiles(outputs, maps, number, first, last)
        for tile in range(one, end):
            goal = target + FLOAT_BYTES * (tile - start) * channels
            transform_inputs(outputs, source, height, width, channels, tile - begin, goal, position, patch)


@helper
def multiply_places(
    outputs: int,
    rows: int,
    coming: int,
    coming_position: int,
    inputs: int,
    weights: int,
    channels: int,
    going: int,
    going_position: int,
    room: int,
    reversed_: bool,
    first: int,
    last: int,
) -> None:
    """Multiply the tiles at some positions by the weights there.

    With ``reversed_`` weights, those of the convolution of which this is the way back, ``room`` holds a panel of them.
    """
    side = outputs + 2
    for place in range(first, last):
        source, goal = coming + FLOAT_BYTES * place * coming_position, going + FLOAT_BYTES * place * going_position
        if reversed_:
            y, x = place // side, place % side
            mirrored = REVERSAL_4[y] * side + REVERSAL_4[x] if outputs == 4 else REVERSAL_6[y] * side + REVERSAL_6[x]
            matrix = weights + FLOAT_BYTES * mirrored * inputs * channels
            multiply_transposed(rows, source, inputs, matrix, channels, goal, room)
        else:
            multiply(rows, source, inputs, weights + FLOAT_BYTES * place * inputs * channels, channels, goal)


@helper
def spread_tiles(
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
    """Bring the positions of a range of tiles, in which the tile ``start`` lies first, to their results."""
    for number in range(count):
        begin, one, end = find_tiles(outputs, maps, number, first, last)
        for tile in range(one, end):
            transform_results(
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
    settle()


@compiled("void(intp, intp, intp, intp, intp, intp, float32, intp, intp, intp, intp)")
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
    """All three steps for some tiles, and then for others, until none are left.

    Args:
        outputs: Side of a tile of results, 4 or 6.
        maps: Address of the table of maps (``layout.Map``), whose tiles are numbered through.
        count: How many maps there are.
        inputs: Channels that come.
        weights: Address of the weights as ``convolution.pack`` leaves them.
        channels: Channels that go.
        floor: Ungated results become at least this.
        room: Address of room for the positions of ``each`` tiles and, after them, for three tiles.
        counter: Address of the number of tiles that are taken, which threads share.
        each: Tiles to take at once.
        tiles: How many there are.
    """
    rows, positions = (each + UNIT - 1) // UNIT * UNIT, (outputs + 2) * (outputs + 2)
    coming, going = rows * inputs + SKEW, rows * channels + SKEW
    products = room + FLOAT_BYTES * positions * coming
    patch = products + FLOAT_BYTES * positions * going
    first = take(counter, each)
    while first < tiles:
        last = min(tiles, first + each)
        rows = (last - first + UNIT - 1) // UNIT * UNIT
        gather_tiles(outputs, maps, count, inputs, room, coming, patch, first, first, last)
        multiply_places(outputs, rows, room, coming, inputs, weights, channels, products, going, 0, False, 0, positions)
        spread_tiles(outputs, products, going, maps, count, channels, floor, patch, first, first, last)
        first = take(counter, each)


@helper
def wait_for(counter: int, total: int, waiting: int) -> None:
    """Wait until other threads have done what they took.

    They are about to be done, so it is watched for. But if more threads run than there are cores, or than the process
    may use, one of them may wait for this one's.
    """
    looked = 0
    while look(counter) < total:
        pause()
        looked += 1
        if looked % LOOKS == 0:
            if looked < TURNS_GIVEN * LOOKS:
                call(read_integer(waiting + GIVE_WAY), 0)
            else:
                call(read_integer(waiting + SLEEP), read_integer(waiting + NAP))
    settle()


@compiled("void(intp, intp, intp, intp, intp, intp, float32, intp, intp, intp, intp, intp, intp, intp, intp)")
def convolve_places(
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
    """All three steps for a range of tiles, each step shared with other threads: the weights are read once for all.

    Args:
        outputs: As for ``convolve_tiles``, and so are the next six.
        maps: Likewise.
        count: Likewise.
        inputs: Likewise.
        weights: Likewise.
        channels: Likewise.
        floor: Likewise.
        reversed_: Whether the weights are packed for the convolution of which this is the way back.
        room: Address of room for the positions of all tiles, which threads share.
        own: Address of room for three tiles and, after them, for a panel of weights, (inputs, COLUMNS).
        counters: Address of numbers, COUNTER bytes apart, which threads share: of each step how much of it has been
            taken, then of the first and of the second how much is done.
        each: Tiles to take at once.
        start: The first tile.
        last: The tile after the last.
        waiting: Address of how to wait for other threads (``layout.Waiting``).
    """
    tiles, positions = last - start, (outputs + 2) * (outputs + 2)
    rows = (tiles + UNIT - 1) // UNIT * UNIT
    coming, going = rows * inputs + SKEW, rows * channels + SKEW
    products = room + FLOAT_BYTES * positions * coming
    panel = own + FLOAT_BYTES * 3 * positions * max(inputs, channels)
    gathered, multiplied = counters + 3 * COUNTER, counters + 4 * COUNTER
    done = take(counters, each)
    while done < tiles:
        end = min(tiles, done + each)
        gather_tiles(outputs, maps, count, inputs, room, coming, own, start, start + done, start + end)
        settle()
        take(gathered, end - done)
        done = take(counters, each)
    wait_for(gathered, tiles, waiting)
    place = take(counters + COUNTER, 1)
    while place < positions:
        multiply_places(
            outputs, rows, room, coming, inputs, weights, channels, products, going, panel, reversed_, place, place + 1
        )
        settle()
        take(multiplied, 1)
        place = take(counters + COUNTER, 1)
    wait_for(multiplied, positions, waiting)
    done = take(counters + 2 * COUNTER, each)
    while done < tiles:
        end = min(tiles, done + each)
        spread_tiles(outputs, products, going, maps, count, channels, floor, own, start, start + done, start + end)
        done = take(counters + 2 * COUNTER, each)
