"""Sheets: one order painted small several times, over a grid of settings."""

import pytest

from pochoir.errors import InputError
from pochoir.studio.models import Look, LooksOf, Order
from pochoir.studio.orders import settings_schema
from pochoir.studio.problems import FieldError
from pochoir.studio.sheets import iter_orders, read_grid, seeds, suggestions

ORDER = Order(
    looks=LooksOf(whole=[Look(id="a" * 16)]),
    settings={"seed": 5, "strength": 0.4, "size": 1024, "enlarge": 4, "full_size": True},
)


def test_variations_are_small_and_differ_in_the_seed_alone():
    made = list(iter_orders(ORDER, seeds(ORDER, 3), "b" * 16))
    assert [each.settings["seed"] for each, _ in made] == [5, 6, 7]
    assert {each.settings["size"] for each, _ in made} == {256}
    assert {each.settings["strength"] for each, _ in made} == {0.4}
    assert {(each.settings["enlarge"], each.settings["full_size"]) for each, _ in made} == {(1, False)}
    assert {place.sheet for _, place in made} == {"b" * 16}


def test_pictures_that_were_to_be_small_stay_so():
    order = Order(settings={"size": 64})
    assert {each.settings["size"] for each, _ in iter_orders(order, seeds(order, 2), "b" * 16)} == {64}


def test_a_grid_has_every_combination_and_the_last_axis_is_the_fastest():
    axes = read_grid(["strength=0.2,0.8", "color=style, photo"])
    assert axes == {"strength": [0.2, 0.8], "color": ["style", "photo"]}
    made = list(iter_orders(ORDER, axes, "b" * 16))
    assert [tuple(place.values.values()) for _, place in made] == [
        (0.2, "style"),
        (0.2, "photo"),
        (0.8, "style"),
        (0.8, "photo"),
    ]
    assert [(each.settings["strength"], each.settings["color"]) for each, _ in made] == [
        tuple(place.values.values()) for _, place in made
    ]


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        (["strength=0.2"], "A sheet has 2 to 16 pictures; these values make 1"),
        (["strength=0.1,0.2,0.3,0.4,0.5", "seed=1,2,3,4"], "make 20"),
        (["strength=0.2,7"], "strength must be between 0 and 1"),
        (["strength=0.2,0.2"], "twice"),
        (["strength=0.2,0.3", "strength=0.4,0.5"], "given twice"),
        (["strength="], "empty"),
        (["strength"], "field=value,value"),
        ([""], "field=value,value"),
        (["size=256,4096"], "cannot sweep size"),
        (["mask=/etc/passwd,/etc/hosts"], "cannot sweep mask"),
        (["nothing=1,2"], "Unknown field to sweep"),
    ],
)
def test_grids_that_are_refused(grid, text):
    with pytest.raises(InputError, match=text):
        read_grid(grid)


def test_suggestions_are_settings_of_the_page_and_allowed():
    for name, values in suggestions().items():
        assert name in settings_schema()
        assert read_grid([f"{name}={','.join(map(str, values))}"])[name] == values


def test_too_many_pictures_are_told_beside_the_grid():
    with pytest.raises(FieldError) as caught:
        read_grid(["seed=" + ",".join(map(str, range(17)))])
    assert caught.value.field == "grid"
