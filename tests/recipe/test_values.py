import pytest
from PIL import ImageColor

from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe import Backdrop, Bytes, Form, Init, Points, Seconds, SubjectChoice


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("1.5m", 90), ("1m30s", 90), ("2h", 7200), ("2 min", 120), ("1h 1m 1s", 3661)],
)
def test_durations(text, seconds):
    assert Seconds.parse(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "soon", "-3s", "3 days", "1m30x", "nan", "1e5s"])
def test_what_is_no_duration(text):
    with pytest.raises(OptionError, match="written like 30s"):
        Seconds.parse(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1000", 1000), ("2G", 2 << 30), ("1.5gb", 3 << 29), ("500M", 500 << 20), ("3 GiB", 3 << 30)]
)
def test_amounts(text, size):
    assert Bytes.parse(text) == size


@pytest.mark.parametrize("text", ["", "0", "much", "-2G", "2X", "nan"])
def test_what_is_no_amount(text):
    with pytest.raises(OptionError, match="written like 500M"):
        Bytes.parse(text)


@pytest.mark.parametrize(
    ("given", "pad", "text"),
    [("0", (0, 0.0), "0"), ("20", (20, 0.0), "20"), ("20px", (20, 0.0), "20"), (7, (7, 0.0), "7"),
     ("5%", (0, 0.05), "5%"), (" 2.5% ", (0, 0.025), "2.5%"), ("33.3333%", (0, 0.333333), "33.3333%")],
)  # fmt: skip
def test_margins(given, pad, text):
    form = Form(name="cutout", pad=given)
    assert form.pad == pad
    assert str(form.pad) == text
    assert Form(name="cutout", pad=str(form.pad)) == form


@pytest.mark.parametrize("pad", ["", "-1", "5 %%", "1e3", "many", "5.5", "%", "1/2", True, None, 1.5])
def test_what_is_no_margin(pad):
    with pytest.raises(OptionError, match="A margin is a number of pixels such as 20, or a share such as 5%; got"):
        Form(name="cutout", pad=pad)


@pytest.mark.parametrize(("pad", "message"), [("32769", "0 to 32768 pixels"), ("1001%", "0% to 1000%")])
def test_margins_have_bounds(pad, message):
    with pytest.raises(OptionError, match=f"A margin is {message}; got {pad}"):
        Form(name="cutout", pad=pad)


@pytest.mark.parametrize(
    "values",
    [{"trim": True}, {"pad": "1"}, {"size": 9}, {"square": True}, {"shadow": "keep"}, {"backdrop": "#fff"}],
    ids=str,
)
def test_only_cutouts_are_framed(values):
    with pytest.raises(OptionError, match="--shadow and --backdrop are for cutouts; add --as cutout"):
        Form(name="matte", **values)
    assert Form(name="cutout", **values).has_alpha == ("backdrop" not in values)
    assert not Form(name="matte").has_alpha


def test_forms_and_shadows_have_names():
    with pytest.raises(UnknownNameError, match=r"Unknown form 'mate'\. Did you mean 'matte'?"):
        Form(name="mate")
    with pytest.raises(UnknownNameError, match=r"Unknown shadow 'kept'\. Did you mean 'keep'?"):
        Form(name="cutout", shadow="kept")
    with pytest.raises(OptionError, match="size must be between 1 and 32768; got 0"):
        Form(name="cutout", size=0)


@pytest.mark.parametrize(
    ("text", "points", "canonical"),
    [
        ("", (), ""),
        ("3,4", ((3, 4),), "3,4"),
        (" 3 , 4 ; 0,0;", ((3, 4), (0, 0)), "3,4;0,0"),
        ("-3,4", ((-3, 4),), "-3,4"),
    ],
)
def test_points(text, points, canonical):
    assert Points.parse(text) == points
    assert str(Points.parse(text)) == canonical
    assert Points.parse(points) == Points.parse(text)


@pytest.mark.parametrize("text", ["3", "3,4,5", "a,b", "3.5,4", "3;4", "3 4", "99999999999,1"])
def test_what_are_no_points(text):
    with pytest.raises(OptionError, match="Points are X,Y;X,Y in whole photo pixels; got '"):
        Points.parse(text)


def test_texts_of_times_and_amounts():
    assert [str(Seconds.parse(value)) for value in ("30", "1m30s", 0.25, "1.5m")] == ["30s", "90s", "0.25s", "90s"]
    assert [str(Bytes.parse(value)) for value in ("2G", "1.5G", 1000, "512k")] == ["2G", "1536M", "1000", "512K"]


def test_backdrops():
    assert Backdrop("photo").is_photo
    assert Backdrop("transparent").is_transparent
    assert Backdrop("#f0A").color == Backdrop("#ff00aa").color == (255, 0, 170)
    assert (Backdrop("a/b.jpg").picture, Backdrop("a/b.jpg").color) == ("a/b.jpg", None)
    assert Backdrop.parse("White") == "#ffffff"
    ImageColor.getrgb("tomato")  # Pillow keeps colours that were asked for in another form
    assert Backdrop.parse("tomato") == Backdrop.parse("tomato") == "#ff6347"
    assert Backdrop.parse("rebeccapurple").color == (0x66, 0x33, 0x99)
    assert Backdrop.parse("./white").picture == "./white"
    assert Backdrop.parse("wall").picture == "wall"
    assert [Backdrop(name).picture for name in ("photo", "transparent", "#fff")] == [None, None, None]


def test_starting_points():
    assert (Init("noise").picture, Init("noise.png").picture) == (None, "noise.png")


def test_subjects_have_numbers():
    assert [SubjectChoice.parse(text).numbers for text in ("all", "largest", "3,1,3")] == [(), (1,), (1, 3)]
