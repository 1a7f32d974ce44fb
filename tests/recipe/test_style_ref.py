import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pochoir.errors import OptionError
from pochoir.recipe import StyleRef


@pytest.mark.parametrize(
    ("text", "source", "weight"),
    [
        ("mosaic", "mosaic", 1.0),
        ("mosaic:0.5", "mosaic", 0.5),
        ("mosaic:2", "mosaic", 2.0),
        ("mosaic:1e-3", "mosaic", 0.001),
        ("a:b.jpg", "a:b.jpg", 1.0),
        ("a:b.jpg:3", "a:b.jpg", 3.0),
        ("C:/x.jpg", "C:/x.jpg", 1.0),
        ("C:\\x.jpg:2", "C:\\x.jpg", 2.0),
        ("name:abc", "name:abc", 1.0),
        ("name:", "name:", 1.0),
        (":2", ":2", 1.0),
        ("a:1:2", "a:1", 2.0),
        ("dir with spaces/é.jpg", "dir with spaces/é.jpg", 1.0),
    ],
)
def test_parse(text, source, weight):
    assert StyleRef.parse(text) == (source, weight)


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "-inf", "1e999"])
def test_a_share_must_be_above_zero(weight):
    with pytest.raises(OptionError, match=r"The weight of style 'x' must be above 0; got (0|-1|nan|inf|-inf)\."):
        StyleRef.parse(f"x:{weight}")


def test_a_style_needs_a_name():
    with pytest.raises(OptionError, match=r"A style needs a name or a path; got ''\."):
        StyleRef.parse("")


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        (StyleRef(""), "needs a name or a path; got ''"),
        (StyleRef(5), "needs a name or a path; got 5"),
        (StyleRef("x", "2"), "weight of style 'x' must be a number; got '2'"),
        (StyleRef("x", True), "weight of style 'x' must be a number; got True"),
        (StyleRef("x", 0), "weight of style 'x' must be above 0; got 0"),
    ],
)
def test_checked_refuses(ref, message):
    with pytest.raises(OptionError, match=message):
        ref.checked()


@given(source=st.text(min_size=1), weight=st.floats(1e-300, 1e300))
@example(source="photo:2", weight=1.0)
@example(source="mosaic", weight=1 / 3)
@example(source="mosaic", weight=123456789.0)
@example(source=":2", weight=1.0)
def test_text_and_back(source, weight):
    assert StyleRef.parse(str(StyleRef(source, weight))) == (source, weight)


def test_text_is_short():
    assert [str(StyleRef("a", weight)) for weight in (1.0, 2.0, 0.5, 3)] == ["a", "a:2", "a:0.5", "a:3"]
    assert str(StyleRef("C:/x.jpg")) == "C:/x.jpg"
