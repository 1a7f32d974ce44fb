"""Examples of values of options, for messages: what a person could type."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from pochoir.recipe import settings_table

_BY_COMMAND: Final[Mapping[str, Mapping[str, str]]] = {
    "animate": {"--out": "out.webp"},
    "segment": {"--set": "grabcut-iterations=3"},
    "video": {"--out": "out.mp4"},
}
_BY_NAME: Final[Mapping[str, str]] = {
    "--backdrop": "white",
    "--cluster": "auto",
    "--dpi": "300",
    "--enlarge": "2",
    "--executor": "processes",
    "--other-mask": "other-matte.png",
    "--recipe": "look.toml",
    "--rig": "limbs.json",
    "--scribble": "scribble.png",
    "--size": "512",
    "--sweep-size": "160",
    "--time": "2m",
}
_BY_METAVAR: Final[Mapping[str, str]] = {
    "0..1": "0.5",
    "COLOR": "photo",
    "DIR": "pictures",
    "FIELD=V,V": "strength=0.3,0.7",
    "FIELD=VALUE": "pooling=average",
    "FILE": "matte.png",
    "M": "gram",
    "MASK[:AMOUNT]": "matte.png",
    "N": "2",
    "N%": "5%",
    "N,N,...": "24,12",
    "N=FILE": "12=matte.png",
    "N=X,Y,W,H": "12=40,30,200,300",
    "N=X,Y;...": "12=120,80",
    "NAME[:AMOUNT]": "nod",
    "NEW": "again.png",
    "OUT|DIR": "out.png",
    "S": "mosaic",
    "S[:WEIGHT]": "mosaic",
    "X,Y,W,H": "40,30,200,300",
    "X,Y;...": "120,80",
    "[NAME=]X,Y,W,H": "40,30,200,300",
}
_OTHERWISE: Final = "out.png"


def example_of(option: Any, command: str) -> str:
    """Return a value that an option takes, as it is typed in a shell."""
    return shlex.quote(_value_of(option, command))


def _value_of(option: Any, command: str) -> str:
    name, metavar = option.opts[-1], str(option.metavar or "")
    named = _BY_COMMAND.get(command, {}).get(name) or _BY_NAME.get(name)
    if named:
        return named
    setting = settings_table().get(name.removeprefix("--").replace("-", "_"))
    for default in (option.default, None if setting is None else setting.default):
        if default and isinstance(default, str | int | float):
            return str(default)
    if metavar in _BY_METAVAR:
        return _BY_METAVAR[metavar]
    first = metavar.partition("|")[0].partition("..")[0]
    return _BY_METAVAR.get(first, first) or _OTHERWISE
