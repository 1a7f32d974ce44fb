import cv2
import pytest
import torch
from skimage import data

from pochoir import faces, imaging
from pochoir._types import Size
from pochoir.errors import WeightsMissingError
from pochoir.faces import Face, draw_amounts, find_faces
from pochoir.recipe import Recipe


@pytest.mark.weights
class TestDetector:
    def test_a_face_is_found_where_it_is(self):
        (face,) = find_faces(imaging.load(data.astronaut()).rgb)
        assert (face.left, face.top, face.width, face.height) == pytest.approx((173, 68, 106, 106), abs=14)
        assert face.score > 0.9

    @pytest.mark.parametrize("scale", [0.4, 0.2])
    def test_small_faces_are_found(self, scale):
        photo = imaging.load(data.astronaut()).rgb
        side = round(512 * scale)
        frame = torch.full((1, 3, 400, 600), 0.5)
        frame[..., 100 : 100 + side, 200 : 200 + side] = imaging.resize(photo, Size(side, side))
        (face,) = find_faces(frame)
        middle = (face.left + face.width / 2, face.top + face.height / 2)
        assert middle == pytest.approx((200 + 226 * scale, 100 + 121 * scale), abs=12 * scale + 3)

    @pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "brick", "grass"])
    def test_no_face_is_seen_in_photos_without_one(self, name):
        assert find_faces(imaging.load(getattr(data, name)()).rgb) == ()

    @pytest.mark.parametrize("size", [(1, 1), (31, 400), (32, 900), (900, 33)])
    def test_photos_of_any_shape(self, size):
        noise = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
        assert find_faces(noise) == ()

    def test_the_same_photo_gives_the_same_faces(self):
        photo = imaging.load(data.astronaut()).rgb
        assert find_faces(photo) == find_faces(photo)


def test_without_the_detector_the_error_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise WeightsMissingError("pochoir models pull faces")

    monkeypatch.setattr(faces.weights, "where", missing)
    with pytest.raises(WeightsMissingError, match="pochoir models pull faces"):
        find_faces(torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("size", [Size(512, 768), Size(1000, 333), Size(40, 1024), Size(64, 64)])
def test_tiles_cover_the_photo_at_each_level(size):
    sides: dict[int, torch.Tensor] = {}
    for left, top, side in faces._plan_tiles(size):
        covered = sides.setdefault(side, torch.zeros(size))
        covered[top : top + side, left : left + side] = 1.0
    assert all(bool((covered == 1.0).all()) for covered in sides.values())
    assert len(faces._plan_tiles(size)) <= 24


def test_of_several_finds_of_a_face_the_surest_counts():
    one, same, other = Face(10, 10, 20, 20, 0.8), Face(12, 12, 14, 14, 0.9), Face(60, 10, 20, 20, 0.7)
    assert faces._drop_duplicates([one, same, other]) == [same, other]


def test_known_faces_are_joined_unless_they_were_found():
    found, known, missed = Face(10, 10, 20, 20, 0.8), Face(12, 11, 22, 22, 0.9), Face(60, 10, 20, 20, 0.7)
    assert faces.join_faces([found], [known, missed]) == (found, missed)
    assert faces.join_faces([], [known]) == (known,)


class TestAmounts:
    def test_small_faces_are_protected_more_than_large_ones(self):
        size = Size(300, 300)
        widths = (10, 40, 52, 72, 116, 160, 250)
        found = [float(draw_amounts([Face(20, 20, width, width, 1.0)], size).max()) for width in widths]
        assert found == pytest.approx([1.0, 1.0, 0.775, 0.4, 0.25, 0.1, 0.1], abs=1e-3)

    @pytest.mark.parametrize(("width", "least", "most"), [(40, 1.0, 1.0), (52, 0.7, 0.8), (72, 0.4, 0.4)])
    def test_faces_of_middle_size_lose_their_eyes_with_little_protection(self, width, least, most):
        found = draw_amounts([Face(100, 100, width, width, 1.0)], Size(300, 300)).max()
        assert least - 1e-5 <= float(found) <= most + 1e-5

    def test_an_ellipse_with_a_soft_rim_reaches_over_brows_and_chin(self):
        amounts = draw_amounts([Face(100, 100, 100, 100, 1.0)], Size(300, 300))[0, 0]
        assert float(amounts[100, 150]) > 0.0  # brows
        assert float(amounts[195, 150]) > 0.0  # chin
        assert float(amounts[20, 150]) == float(amounts[150, 20]) == 0.0
        steps = amounts[150].diff().abs()
        assert float(steps.max()) < 0.05

    def test_without_faces_there_is_nothing(self):
        assert not bool(draw_amounts([], Size(20, 30)).any())


@pytest.mark.weights
def test_the_mode_follows_recipe_and_cache(monkeypatch):
    assert faces.choose_mode(Recipe()) == "on"
    assert faces.choose_mode(Recipe(keep="none")) == "off"
    monkeypatch.setattr(faces, "WEIGHTS", "vgg16-missing")
    monkeypatch.setattr(faces.weights, "where", lambda name: (_ for _ in ()).throw(WeightsMissingError("not here")))
    assert faces.choose_mode(Recipe()) == "missing"


def test_opencv_reads_such_networks():
    assert hasattr(cv2.dnn, "readNetFromTFLite")
    assert hasattr(cv2.dnn, "ENGINE_CLASSIC")
