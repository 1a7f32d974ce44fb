"""Many photos with networks, styles and targets that are loaded and computed once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pochoir
from pochoir import loading
from pochoir import session as session_module
from pochoir.encoders import tiny_encoder
from pochoir.errors import OptionError, UnknownNameError
from pochoir.segmentation import Segmentation
from pochoir.transfer.features import FeatureTiles

SETTINGS = {"schedule": (2, 2), "threads": 1}


class LeftHalf:
    """A segmenter that finds the left half of every photo."""

    name = "left half"

    def segment(self, photo: torch.Tensor) -> Segmentation:
        matte = torch.zeros(1, 1, *photo.shape[-2:])
        matte[..., : photo.shape[-1] // 2] = 1.0
        return Segmentation(matte, self.name)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"photo-{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 56, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return paths


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Calls of what takes time, with tiny encoders in place of the trained one."""
    calls: Counter[str] = Counter()

    def counted(name, function):
        def call(*args, **kwargs):
            calls[name] += 1
            return function(*args, **kwargs)

        return call

    def load_tiny(*_args, **_kwargs):
        return tiny_encoder()

    monkeypatch.setattr(loading, "load_encoder", counted("encoders", load_tiny))
    monkeypatch.setattr(session_module, "load_style", counted("styles", session_module.load_style))
    monkeypatch.setattr(session_module, "create_segmenter", counted("segmenters", lambda *_args, **_kwargs: LeftHalf()))
    monkeypatch.setattr(FeatureTiles, "measure", counted("targets", FeatureTiles.measure))
    return calls


@pytest.fixture(autouse=True)
def weights_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"stands for the weights")
    monkeypatch.setattr(loading.weights, "where", lambda name: tmp_path / "weights.bin")


def test_a_loop_loads_everything_once_and_gives_the_bytes_of_single_calls(photos, style_file, counts, tmp_path):
    settings = SETTINGS | {"subject": style_file, "background": "mosaic"}
    with pochoir.Session() as session:
        for number, photo in enumerate(photos):
            session.stylize(photo, **settings).save(tmp_path / f"loop-{number}.png")
    assert counts == {"encoders": 1, "styles": 2, "segmenters": 1, "targets": 4}
    for number, photo in enumerate(photos):
        pochoir.stylize(photo, **settings).save(tmp_path / f"single-{number}.png")
        assert (tmp_path / f"single-{number}.png").read_bytes() == (tmp_path / f"loop-{number}.png").read_bytes()
    assert counts["encoders"] == 1 + len(photos)


def test_threads_share_a_session(photos, style_file, counts):
    expected = [pochoir.stylize(photo, style=style_file, **SETTINGS).composite for photo in photos]
    counts.clear()
    with pochoir.Session(style=style_file, **SETTINGS) as session, ThreadPoolExecutor(2) as pool:
        results = list(pool.map(session.stylize, photos))
    assert all(torch.equal(result.composite, picture) for result, picture in zip(results, expected, strict=True))
    assert counts["encoders"] <= 2
    assert (counts["styles"], counts["targets"]) == (1, 2)


def test_paintings_that_run_at_the_same_time_have_encoders_of_their_own(photos, style_file, counts):
    with pochoir.Session(style=style_file, **SETTINGS) as session:
        one, two = (session.iter_stylize(photo) for photo in photos[:2])
        next(iter(one)), next(iter(two))
        assert counts["encoders"] == 2
        one.close()
        next(iter(session.iter_stylize(photos[2])))
        assert counts["encoders"] == 2


def test_settings_of_the_session_hold_for_each_call_which_can_change_them(photos, style_file, encoder):
    with pochoir.Session(pochoir.Recipe(steps=2), style=style_file, encoder=encoder, threads=1) as session:
        plain = session.stylize(photos[0])
        assert plain.recipe.steps == 2
        other = session.stylize(photos[0], steps=1, style="mosaic")
        assert (other.recipe.steps, other.recipe.style[0].source) == (1, "mosaic")
        replaced = session.stylize(photos[0], pochoir.Recipe(steps=3, threads=1), style=style_file)
        assert replaced.recipe.steps == 3
    single = pochoir.stylize(photos[0], style=style_file, encoder=encoder, steps=2, threads=1)
    assert torch.equal(plain.composite, single.composite)


def test_targets_of_an_own_encoder_are_kept_only_where_it_is_the_session_s(photos, style_file, counts, encoder):
    with pochoir.Session(style=style_file, encoder=encoder, **SETTINGS) as session:
        for photo in photos[:2]:
            session.stylize(photo)
        assert counts["targets"] == 2
        session.stylize(photos[0], encoder=tiny_encoder(seed=1))
        assert counts["targets"] == 4
        again = session.stylize(photos[0], encoder=tiny_encoder(seed=2))
    assert torch.equal(
        again.composite,
        pochoir.stylize(photos[0], style=style_file, encoder=tiny_encoder(seed=2), **SETTINGS).composite,
    )


def test_a_style_in_memory_is_decoded_once(photos, style_file, monkeypatch, encoder):
    decoded: list[str] = []
    decode = pochoir.imaging.reading.decode_pil
    monkeypatch.setattr(pochoir.imaging.reading, "decode_pil", lambda image: decoded.append("style") or decode(image))
    with pochoir.Session(style=Image.open(style_file), encoder=encoder, **SETTINGS) as session:
        results = [session.stylize(photo) for photo in photos[:2]]
    assert decoded == ["style"]
    single = pochoir.stylize(photos[1], style=style_file, encoder=encoder, **SETTINGS)
    assert torch.equal(results[1].composite, single.composite)


def test_a_style_file_that_changes_is_read_again(photos, tmp_path, encoder):
    style = tmp_path / "changing.png"
    with pochoir.Session(style=str(style), encoder=encoder, **SETTINGS) as session:
        for color in ("red", "blue"):
            Image.new("RGB", (40 + len(color), 40), color).save(style)
            result = session.stylize(photos[0])
            single = pochoir.stylize(photos[0], style=str(style), encoder=encoder, **SETTINGS)
            assert torch.equal(result.composite, single.composite)


def test_segment_loads_its_network_once(photos, counts):
    with pochoir.Session(refine="none") as session:
        found = [session.segment(photo) for photo in photos]
        assert counts["segmenters"] == 1
        assert found[0].method == "left half"
        assert torch.equal(found[0].matte, LeftHalf().segment(torch.zeros(1, 3, 40, 56)).matte)
        session.segment(photos[0], preprocess="rembg")
        assert counts["segmenters"] == 2
        with pytest.raises(UnknownNameError, match="Unknown setting of segment 'style'"):
            session.segment(photos[0], style="mosaic")


def test_an_own_segmenter_of_the_session_serves_both(photos, style_file, encoder):
    with pochoir.Session(segmenter=LeftHalf(), refine="none", encoder=encoder, **SETTINGS) as session:
        assert session.segment(photos[0]).method == "left half"
        matte = session.stylize(photos[0], subject=style_file).matte
    assert torch.equal(matte, LeftHalf().segment(torch.zeros(1, 3, 40, 56)).matte)


def test_a_closed_session_is_empty_and_refuses_new_work_but_lets_paintings_end(photos, style_file, counts):
    with pochoir.Session(style=style_file, **SETTINGS) as session:
        session.stylize(photos[0])
        assert repr(session) == "Session(1 encoders, 0 segmenters, 2 style targets)"
        painting = session.iter_stylize(photos[1])
        next(iter(painting))
    assert repr(session) == "Session(closed, 0 encoders, 0 segmenters, 0 style targets)"
    assert [step.done for step in painting] == [2, 3, 4]
    assert repr(session) == "Session(closed, 0 encoders, 0 segmenters, 0 style targets)"
    for call in (session.stylize, session.iter_stylize, session.segment):
        with pytest.raises(OptionError, match="This session is closed"):
            call(photos[0])


def test_wrong_settings_are_refused_at_once(style_file):
    with pytest.raises(UnknownNameError, match="stile"):
        pochoir.Session(stile=style_file)
    with pytest.raises(OptionError, match="The recipe must be a Recipe"):
        pochoir.Session("mosaic")
