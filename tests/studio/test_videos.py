"""Videos: uploads over the API, orders of films, and the calls that make the same film."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from pochoir.errors import InputError, UnknownNameError
from pochoir.recipe import Recipe, StyleRef
from pochoir.sequence.settings import VideoSettings, read_corrections
from pochoir.studio.app import build_app
from pochoir.studio.folder import Folder
from pochoir.studio.parts import Studio
from pochoir.studio.problems import FieldError
from pochoir.studio.service import Service
from pochoir.studio.videos import film_call, film_command, film_schema, read_film

from .conftest import OWN, picture_bytes, video_bytes


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    studio = Studio(Folder(tmp_path_factory.mktemp("videos")))
    opened = TestClient(build_app(Service(lambda: studio), hosts=frozenset({"testserver"})), headers=OWN)
    opened.studio = studio
    yield opened
    studio.assistant.close()
    studio.queue.close()


def upload(client, data, name="walk.mp4"):
    return client.post("/api/videos", content=data, headers={"X-File-Name": name})


def test_the_form_is_the_schema_of_the_settings():
    assert film_schema().keys() == VideoSettings.model_fields.keys() - {"corrections"}


def test_a_video_is_read_and_kept(client):
    answer = upload(client, video_bytes())
    assert answer.status_code == 200, answer.text
    video = answer.json()
    assert (video["width"], video["height"], video["frames"], video["has_sound"]) == (64, 48, 6, False)
    assert video["duration_s"] == pytest.approx(0.75, abs=0.1)
    poster = client.get(f"/api/videos/{video['id']}/poster")
    assert poster.headers["content-type"] == "image/webp"
    assert upload(client, video_bytes(), "other.mp4").json()["id"] == video["id"]
    assert client.get("/api/state").json()["videos"][0]["id"] == video["id"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty"),
        (b"no video", "read"),
        (video_bytes()[:300], "read"),
        (picture_bytes(), "still picture"),
    ],
    ids=["empty", "text", "truncated", "picture"],
)
def test_no_videos_are_refused_in_one_line(client, data, text):
    before = set(client.studio.folder.videos.iterdir())
    answer = upload(client, data)
    assert answer.status_code == 422
    assert text in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert str(client.studio.folder.root) not in answer.json()["error"]
    assert set(client.studio.folder.videos.iterdir()) == before


@pytest.mark.parametrize("with_length", [True, False])
def test_too_large_videos_are_refused(client, monkeypatch, with_length):
    monkeypatch.setattr("pochoir.studio.api.videos.VIDEO_LIMIT", 1000)
    data = bytes(5000)
    answer = upload(client, data if with_length else iter([data[:2500], data[2500:]]))
    assert answer.status_code == 413
    assert not any(client.studio.folder.uploads.iterdir())


@pytest.mark.parametrize(
    ("order", "text", "field"),
    [
        ({}, "Choose a look first", None),
        ({"film": {"on": 0}}, "on must be between 1 and 12", "on"),
        ({"film": {"on": ""}}, "on must be", "on"),
        ({"film": {"start": "soon"}}, "A time is above 0 and written like", "start"),
        ({"film": {"start": "5s", "end": "2s"}}, "has to be later", None),
        ({"film": {"corrections": [{"frame": 1, "mask": "/etc/passwd"}]}}, "cannot name a mask's file", "corrections"),
        ({"film": {"corrections": [{"frame": 1, "scribble": "a"}]}}, "Unknown field of a correction", "corrections"),
        ({"film": {"corrections": "1=2,3"}}, "corrections must be a list", "corrections"),
        ({"film": {"corrections": [{"frame": 99, "keep_points": [[1, 1]]}]}}, "There is no frame 99 to correct", None),
        ({"film": {"corrections": [{"frame": 1, "keep_points": [[64, 1]]}]}}, "correction of frame 1", None),
        ({"file_format": "exe"}, "file_format must be", "file_format"),
        ({"settings": {"strength": 9}}, "strength must be between 0 and 1", "strength"),
        ({"settings": {"enlarge": 2}}, "enlarge is for single pictures", "enlarge"),
        ({"film": {"start": "9s"}}, "is after the end of", None),
        ({"film": {"form": "cutout"}, "file_format": "mp4"}, ".mp4 holds no transparency", None),
        ({"film": {"codec": "prores"}, "file_format": "mp4"}, ".mp4 cannot hold prores", None),
    ],
)
def test_orders_that_are_refused(client, order, text, field):
    video = upload(client, video_bytes()).json()["id"]
    style = client.get("/api/styles").json()[0]["id"]
    looks = {"looks": {"whole": [{"id": style}]}} if order else {}
    for path, values in (("/api/films", {"video": video}), (f"/api/videos/{video}/preview", {})):
        if "file_format" in order and not values:
            continue
        answer = client.post(path, json=values | looks | order)
        assert answer.status_code == 422, answer.text
        assert text in answer.json()["error"]
        assert answer.json()["field"] == field
    assert client.get("/api/jobs").json() == []


def test_frames_that_are_not_there_are_named(client):
    video = upload(client, video_bytes()).json()["id"]
    answer = client.get(f"/api/videos/{video}/preview/999999")
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "There is no preview of this video yet; ask for one first.",
    )
    preview = client.studio.folder.videos / video / "preview"
    preview.mkdir(exist_ok=True)
    for number in range(5):
        (preview / f"{number}.webp").touch()
    answer = client.get(f"/api/videos/{video}/preview/999999")
    assert answer.status_code == 404
    assert answer.json()["error"] == "There is no frame 999999 in the last preview, which has frames 0 to 4."
    shutil.rmtree(preview)
    for number, text in ((99, "no frame 99"), (-1, "number must be"), ("x", "number must be")):
        answer = client.get(f"/api/videos/{video}/frames/{number}")
        assert answer.status_code == 422
        assert text in answer.json()["error"]


@pytest.mark.weights
def test_the_subject_of_a_frame_with_hints(client):
    video = upload(client, video_bytes()).json()["id"]

    def find(**hints):
        answer = client.post(f"/api/videos/{video}/frames/2/matte", json=hints)
        assert answer.status_code == 200, answer.text
        with Image.open(io.BytesIO(answer.content)) as matte:
            assert matte.mode == "L"
            return np.asarray(matte)

    with Image.open(io.BytesIO(client.get(f"/api/videos/{video}/frames/2").content)) as frame:
        assert frame.size == (64, 48)
    plain, kept = find(), find(keep_points=[[60, 3]], drop_points=[[28, 24]])
    assert plain.shape == (48, 64)
    assert plain[3, 60] < 100
    assert (kept[3, 60], kept[24, 28]) == (255, 0)
    assert not find(box=[0, 0, 10, 10])[:, 12:].any()
    for hints, text in (({"keep_points": [[64, 3]]}, "outside"), ({"mask": "x"}, "mask is not a field")):
        answer = client.post(f"/api/videos/{video}/frames/2/matte", json=hints)
        assert answer.status_code == 422
        assert text in answer.json()["error"]


def test_unknown_ids(client):
    for method, path in (("GET", ""), ("GET", "/poster"), ("GET", "/preview/0"), ("GET", "/frames/0"), ("DELETE", "")):
        assert client.request(method, f"/api/videos/0123456789abcdef{path}").status_code == 404
    assert client.post("/api/history/0123456789abcdef/resume").status_code == 404


def test_settings_of_another_kind_are_unknown():
    with pytest.raises(UnknownNameError):
        read_film({"speed": 3})
    with pytest.raises(FieldError):
        read_film({"keys": 99})
    assert read_film({"end": None}) == VideoSettings()


def test_the_calls_make_the_same_film():
    film = read_film({"keys": 4, "form": "cutout", "end": "2s", "sound": False})
    recipe = Recipe(subject_style=(StyleRef("mosaic"),), size=300)
    command = film_command(film, recipe, "my walk.mp4", "out.mp4")
    assert command.startswith("pochoir video 'my walk.mp4' -o out.mp4")
    for part in ("--keys 4", "--as cutout", "--end 2s", "--no-sound", "--subject-style mosaic", "--size 300"):
        assert part in command
    text = film_call(film, recipe, "my walk.mp4", "out.mp4")
    compile(text, "call", "exec")
    assert "form='cutout'" in text


def test_the_calls_hold_the_corrections():
    values = {
        "corrections": [
            {"frame": 3, "keep_points": [[1, 2], [3, 4]], "box": [0, 0, 5, 6]},
            {"frame": 1, "drop_points": [[5, 6]]},
        ]
    }
    film = read_film(values)
    command = film_command(film, Recipe(), "walk.mp4", "out.mp4")
    assert command == "pochoir video walk.mp4 -o out.mp4 --keep-points '3=1,2;3,4' --drop-points 1=5,6 --box 3=0,0,5,6"
    text = film_call(film, Recipe(), "walk.mp4", "out.mp4")
    assert "keep_points={3: '1,2;3,4'}" in text
    given = {"keep_points": {3: "1,2;3,4"}, "drop_points": {1: "5,6"}, "box": {3: "0,0,5,6"}}
    assert read_corrections(**given) == film.corrections


def test_only_a_stopped_film_can_go_on(client):
    with pytest.raises(InputError, match="Only a film that was stopped"):
        client.studio.queue.resume(client.studio.folder.root / "x.mp4", {})
