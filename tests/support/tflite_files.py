"""Small TensorFlow Lite files, written by hand: a FlatBuffer of tables, from its schema."""

import struct
from collections.abc import Sequence

import numpy as np

TYPES = {np.dtype("float32"): 0, np.dtype("float16"): 1, np.dtype("int32"): 2}


class Table:
    """A table: scalar fields as (format, value), everything else as it is; None leaves a field out."""

    def __init__(self, *fields: object) -> None:
        self.fields = fields


class Vector:
    """A list of scalars."""

    def __init__(self, kind: str, values: Sequence[int] | bytes) -> None:
        self.data = struct.pack(f"<I{len(values)}{kind}", len(values), *values)


def _place(out: bytearray, item: object) -> int:
    """Append an item to the file and return where it begins. Offsets point forward."""
    out += bytes(-len(out) % 8)
    at = len(out)
    if isinstance(item, Vector):
        out += item.data
    elif isinstance(item, list):
        out += struct.pack("<I", len(item)) + bytes(4 * len(item))
        for k, each in enumerate(item):
            slot = at + 4 + 4 * k
            struct.pack_into("<I", out, slot, _place(out, each) - slot)
    else:
        return _place_table(out, item)
    return at


def _place_table(out: bytearray, table: object) -> int:
    assert isinstance(table, Table)
    index_at = len(out)
    out += bytes(4 + 2 * len(table.fields))
    out += bytes(-len(out) % 8)
    at = len(out)
    out += struct.pack("<i", at - index_at) + bytes(4)
    places = {}
    for k, field in enumerate(table.fields):
        if field is None:
            continue
        places[k] = len(out) - at
        out += bytes(8)
    struct.pack_into("<HH", out, index_at, 4 + 2 * len(table.fields), len(out) - at)
    for k, offset in places.items():
        struct.pack_into("<H", out, index_at + 4 + 2 * k, offset)
        field = table.fields[k]
        if isinstance(field, tuple):
            struct.pack_into(f"<{field[0]}", out, at + offset, field[1])
        else:
            struct.pack_into("<I", out, at + offset, _place(out, field) - at - offset)
    return at


def network(
    tensors: list[np.ndarray | tuple[int, ...]], operations: list[tuple[int, list[int], int, Table | None]], result: int
) -> bytes:
    """A network whose input is tensor 0. A tensor is a constant, or the shape of a value that is computed."""
    buffers, described = [Table(None)], []
    for tensor in tensors:
        if isinstance(tensor, tuple):
            described.append(Table(Vector("i", tensor), ("b", 0), ("I", 0)))
            continue
        buffers.append(Table(Vector("B", tensor.tobytes())))
        described.append(Table(Vector("i", tensor.shape), ("b", TYPES[tensor.dtype]), ("I", len(buffers) - 1)))
    kinds = sorted({kind for kind, *_ in operations})
    codes = [Table(("b", min(kind, 127)), None, None, ("i", kind)) for kind in kinds]
    listed = [
        Table(("I", kinds.index(kind)), Vector("i", inputs), Vector("i", [output]), ("B", 1 if options else 0), options)
        for kind, inputs, output, options in operations
    ]
    graph = Table(described, Vector("i", [0]), Vector("i", [result]), listed)
    out = bytearray(struct.pack("<I4s", 0, b"TFL3"))
    root = _place(out, Table(("I", 3), codes, [graph], None, buffers))
    struct.pack_into("<I", out, 0, root)
    return bytes(out)
