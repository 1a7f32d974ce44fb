"""3x3 convolutions by Winograd's minimal filtering, in three steps for a batch of tiles."""

from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import COUNTER, FLOAT_BYTES, INTEGER_BYTES, SKEW, UNIT, Waiting
from pochoir.kernels.native.compiling import helper, kernel
from pochoir.kernels.native.memory import call, fence, fetch_add, load_atomic, pause, read, read_integer, write
from pochoir.kernels.native.products import multiply, multiply_transposed
from pochoir.kernels.native.tile_steps import load_tiles, store_tiles
from pochoir.kernels.native.tiles import make_weight_transform
from pochoir.kernels.winograd_matrices import winograd_matrices

weight_transform_4, weight_transform_6 = make_weight_transform(4), make_weight_transform(6)

REVERSAL_4, REVERSAL_6 = winograd_matrices(4).reversal, winograd_matrices(6).reversal

YIELD, SLEEP, SLEEP_AMOUNT = (INTEGER_BYTES * index for index in range(len(Waiting._fields)))
SPINS_BEFORE_YIELD = 1000
"""Checks of a counter before a waiting thread yields its core: about ten microseconds."""
YIELDS_BEFORE_SLEEP = 30
"""Yields before a waiting thread sleeps: about a millisecond."""


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
