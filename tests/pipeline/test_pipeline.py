"""The whole way from a photo to a result, with a small random encoder and given mattes."""

import itertools
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import pochoir
from pochoir import _time_limit, imaging, loading, pipeline
from pochoir._types import Size
from pochoir.done import is_done
from pochoir.encoders import expected_engine
from pochoir.errors import EmptyRegionError, ImageReadError, InputError, OptionError, UnknownNameError, WeightsError
from pochoir.recipe import Recipe, Record, StyleRef, find_work_size
from pochoir.segmentation import Segmentation


class FixedSegmenter:
    """Finds what it was told to."""

    name = "fixed"

    def __init__(self, matte: torch.Tensor) -> None:
        self.matte = matte
        self.calls = 0

    def segment(self, photo: torch.Tensor) -> Segmentation:
        self.calls += 1
        return Segmentation(matte=self.matte, method=self.name)


def to_bytes(picture: torch.Tensor) -> np.ndarray:
    return (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def test_the_background_is_the_photo_bit_for_bit_where_the_matte_is_zero(photo_file, mask_file, style_file, quick):
    result = pochoir.stylize(photo_file, subject=style_file, mask=mask_file, **quick)
    photo = np.asarray(Image.open(photo_file).convert("RGB"))
    outside = result.matte[0, 0].numpy() == 0
    assert outside.any()
    np.testing.assert_array_equal(to_bytes(result.composite)[outside], photo[outside])
    inside = result.matte[0, 0].numpy() == 1
    assert np.abs(to_bytes(result.composite)[inside].astype(int) - photo[inside]).mean() > 4


def test_the_subject_is_the_photo_bit_for_bit_where_only_the_background_is_painted(
    photo_file, mask_file, style_file, quick
):
    result = pochoir.stylize(photo_file, background=style_file, mask=mask_file, **quick)
    photo = np.asarray(Image.open(photo_file).convert("RGB"))
    inside = result.matte[0, 0].numpy() == 1
    np.testing.assert_array_equal(to_bytes(result.composite)[inside], photo[inside])
    assert np.abs(to_bytes(result.composite)[~inside].astype(int) - photo[~inside]).mean() > 4


def test_two_styles_are_painted_in_one_picture(photo_file, mask_file, style_file, quick):
    result = pochoir.stylize(photo_file, subject=style_file, background=photo_file, mask=mask_file, **quick)
    assert torch.equal(result.composite, result.pastiche)
    assert result.losses.style < 1.0


def test_the_photo_s_alpha_is_the_matte(tmp_path, photo_file, mask_file, style_file, quick):
    photo = Image.open(photo_file)
    photo.putalpha(Image.open(mask_file))
    photo.save(tmp_path / "alpha.png")
    result = pochoir.stylize(tmp_path / "alpha.png", subject=style_file, **quick)
    np.testing.assert_array_equal(to_bytes(result.matte)[..., 0], np.asarray(Image.open(mask_file)))
    assert any("alpha" in note for note in result.notes)


def test_an_own_segmenter_is_asked_once(photo_file, style_file, disc_matte, quick):
    finder = FixedSegmenter(disc_matte)
    result = pochoir.stylize(photo_file, subject=style_file, segmenter=finder, refine="none", **quick)
    assert finder.calls == 1
    assert float((result.matte - disc_matte).abs().max()) <= 0.5 / 255 + 1e-6


def test_no_subject_is_looked_for_when_the_whole_picture_is_painted(photo_file, style_file, disc_matte, quick):
    finder = FixedSegmenter(disc_matte)
    result = pochoir.stylize(photo_file, style=style_file, segmenter=finder, **quick)
    assert finder.calls == 0
    assert result.matte is None
    with pytest.raises(OptionError, match="no cutout"):
        _ = result.cutout


@pytest.mark.parametrize("role", ["subject", "style"])
def test_a_transparent_backdrop_gives_a_cutout(role, photo_file, mask_file, style_file, quick):
    result = pochoir.stylize(photo_file, mask=mask_file, backdrop="transparent", **{role: style_file}, **quick)
    assert result.composite.shape == (1, 4, 48, 64)
    assert torch.equal(result.composite[:, 3:], result.matte)
    assert torch.equal(result.cutout, result.composite)


def test_a_background_style_is_not_painted_when_it_would_be_cut_away(photo_file, mask_file, style_file, quick):
    result = pochoir.stylize(
        photo_file, subject=style_file, background=style_file, mask=mask_file, backdrop="transparent", **quick
    )
    assert any("background style is not used" in note for note in result.notes)
    outside = result.matte[0, 0] == 0
    photo = imaging.load(photo_file).rgb
    assert torch.equal(result.pastiche[0, :, outside], photo[0, :, outside])


def test_a_colour_stands_behind_the_subject(photo_file, mask_file, style_file, quick):
    result = pochoir.stylize(photo_file, subject=style_file, mask=mask_file, backdrop="#08f", **quick)
    outside = result.matte[0, 0].numpy() == 0
    assert (to_bytes(result.composite)[outside] == (0, 136, 255)).all()


def test_a_picture_stands_behind_the_subject_and_covers_the_frame(tmp_path, photo_file, mask_file, style_file, quick):
    wide = Image.new("RGB", (200, 20), (10, 200, 30))
    wide.save(tmp_path / "wide.png")
    result = pochoir.stylize(photo_file, subject=style_file, mask=mask_file, backdrop=tmp_path / "wide.png", **quick)
    outside = result.matte[0, 0].numpy() == 0
    assert (to_bytes(result.composite)[outside] == (10, 200, 30)).all()


def test_a_new_backdrop_is_painted_if_the_background_has_a_style(photo_file, mask_file, style_file, quick):
    green = pochoir.stylize(photo_file, background=style_file, mask=mask_file, backdrop="#00ff00", **quick)
    own = pochoir.stylize(photo_file, background=style_file, mask=mask_file, **quick)
    outside = green.matte[0, 0] == 0
    painted = green.composite[0, :, outside]
    assert not torch.equal(painted, own.composite[0, :, outside])
    assert not bool((painted == torch.tensor([[0.0], [1.0], [0.0]])).all())


def test_the_same_seed_gives_the_same_bytes_and_redo_makes_them_again(
    tmp_path, monkeypatch, photo_file, mask_file, style_file, encoder
):
    monkeypatch.setattr(loading, "load_encoder", lambda *args, **kwargs: encoder)
    weights_file = tmp_path / "weights.bin"
    weights_file.write_bytes(b"stands for the weights")
    monkeypatch.setattr(pipeline.weights, "where", lambda name: weights_file)
    settings = {"steps": 3, "threads": 1, "init": "noise", "seed": 7}
    made = tmp_path / "made.png"
    pochoir.stylize(photo_file, subject=f"{style_file}:2", mask=mask_file, **settings).save(made)
    pochoir.stylize(photo_file, subject=f"{style_file}:2", mask=mask_file, **settings).save(tmp_path / "again.png")
    assert made.read_bytes() == (tmp_path / "again.png").read_bytes()

    record = Record.from_json(imaging.read_record(made))
    assert record.recipe.subject_style == (StyleRef(str(style_file), 2.0),)
    assert [entry.role for entry in record.request.inputs] == ["photo", "subject style", "mask"]
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in (photo_file, mask_file, style_file):
        path.rename(moved / path.name)
    painting = pipeline.replay(record, base=tmp_path / "elsewhere", inputs_dir=moved)
    for _ in painting:
        pass
    painting.result().save(tmp_path / "redone.png")
    assert made.read_bytes() == (tmp_path / "redone.png").read_bytes()

    with pytest.raises(InputError, match="is not there any more; name its folder with --inputs"):
        pipeline.replay(record, base=tmp_path / "elsewhere")
    Image.new("RGB", (8, 8)).save(moved / photo_file.name)
    with pytest.raises(InputError, match="it changed"):
        pipeline.replay(record, base=tmp_path, inputs_dir=moved)


@pytest.fixture
def record(monkeypatch, tmp_path, photo_file, style_file, encoder) -> Record:
    """Of a run that met weights which are in a file, as those of the real encoder are."""
    monkeypatch.setattr(loading, "load_encoder", lambda *args, **kwargs: encoder)
    (tmp_path / "weights.bin").write_bytes(b"stands for the weights")
    monkeypatch.setattr(pipeline.weights, "where", lambda name: tmp_path / "weights.bin")
    return Record.from_json(pochoir.stylize(photo_file, style=style_file, steps=1, threads=1).record())


def test_redo_of_a_run_in_limited_time_gives_the_same_file(tmp_path, monkeypatch, record, photo_file, style_file):
    monkeypatch.setattr(_time_limit, "SAVING_S", 0.0)
    made, redone, stopped = (tmp_path / f"{name}.png" for name in ("made", "redone", "stopped"))
    painting = pochoir.iter_stylize(photo_file, style=style_file, steps=100_000, time=0.2, threads=1)
    for _ in painting:
        pass
    painting.result().save(made)
    assert is_done(made, painting.key)
    again = pipeline.replay(Record.from_json(imaging.read_record(made)), base=tmp_path)
    assert again.key == painting.key
    next(iter(again))
    again.result().save(stopped)
    assert not is_done(stopped, painting.key)
    for _ in again:
        pass
    again.result().save(redone)
    assert made.read_bytes() == redone.read_bytes()
    assert is_done(redone, painting.key)


def test_redo_takes_the_file_that_has_not_changed_of_several_with_its_name(tmp_path, record, photo_file):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Image.new("RGB", (8, 8)).save(elsewhere / photo_file.name)
    painting = pipeline.replay(record, base=tmp_path, inputs_dir=elsewhere)
    assert painting.scene.sources.photo.path == str(photo_file)


def test_redo_refuses_other_weights(tmp_path, record):
    (tmp_path / "weights.bin").write_bytes(b"others")
    with pytest.raises(WeightsError, match="The weights 'vgg19' in the cache are not those that made this picture"):
        pipeline.replay(record, base=tmp_path)


def test_redo_tells_what_is_not_as_it_was(tmp_path, record):
    same = pipeline.replay(record, base=tmp_path).result()
    assert same.notes == ()
    other = pipeline.replay(
        record.replace(environment=record.environment.replace(version="0.0.1", device="mps")), base=tmp_path
    ).result()
    assert other.notes == (
        f"the picture may differ from the first one: pochoir was 0.0.1 and is {pochoir.__version__}, "
        "device was mps and is cpu",
    )
    halved = pipeline.replay(
        record.replace(environment=record.environment.replace(engine="bfloat16")), base=tmp_path
    ).result()
    assert halved.notes == (
        f"the picture may differ a little from the first one: engine was bfloat16 and is {expected_engine('cpu')}",
    )


def test_redo_of_a_record_that_is_not_whole(tmp_path, record):
    with pytest.raises(InputError, match="names no photo"):
        pipeline.replay(record.replace(request=record.request.replace(inputs=())), base=tmp_path)
    odd = record.request.inputs[1].replace(role="lamp")
    request = record.request.replace(inputs=(*record.request.inputs, odd))
    with pytest.raises(InputError, match="not those that its recipe asks for"):
        pipeline.replay(record.replace(request=request), base=tmp_path)


@pytest.fixture
def two_balls(tmp_path: Path) -> dict[str, Path]:
    """A photo of two balls, a mask of both, and a scribble that drops the right one."""
    places = ((8, 8, 32, 32), (60, 12, 80, 32))
    pictures = {"photo": Image.new("RGB", (96, 48), (120, 150, 200)), "mask": Image.new("L", (96, 48))}
    pictures["scribble"] = Image.new("RGBA", (96, 48))
    for place, color in zip(places, ((230, 90, 40), (240, 220, 70)), strict=True):
        ImageDraw.Draw(pictures["photo"]).ellipse(place, fill=color)
        ImageDraw.Draw(pictures["mask"]).ellipse(place, fill=255)
    ImageDraw.Draw(pictures["scribble"]).line((66, 22, 74, 22), fill=(255, 0, 0, 255), width=2)
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    return {name: tmp_path / f"{name}.png" for name in pictures}


@pytest.mark.parametrize("hidden", [0, 1])
def test_segment_leaves_out_what_the_photo_hides(hidden, two_balls):
    photo, finder = Image.open(two_balls["photo"]), FixedSegmenter(torch.ones(1, 1, 48, 96))
    veil = Image.new("L", photo.size, 255)
    veil.paste(hidden, (0, 0, 48, 48))
    photo.putalpha(veil)
    found = pochoir.segment(photo, segmenter=finder, refine="none")
    assert bool((found.matte[..., 48:] == 1).all())
    assert float(found.matte[..., :48].max()) == pytest.approx(hidden / 255)
    assert "what is transparent in the photo is left out of the subject" in found.notes


def test_segment_looks_at_a_photo_with_rounded_corners_as_at_any_other(two_balls):
    photo = Image.open(two_balls["photo"])
    corners = Image.new("L", photo.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 95, 47), 6, fill=255)
    photo.putalpha(corners)
    found = pochoir.segment(photo, segmenter=FixedSegmenter(torch.ones(1, 1, 48, 96)), refine="none")
    assert torch.equal(found.matte[0, 0] > 0, torch.from_numpy(np.asarray(corners) > 0))
    assert any("only the corners are transparent" in note or "few pixels" in note for note in found.notes)


def test_corrections_are_recorded_and_redo_takes_them_again(tmp_path, monkeypatch, two_balls, style_file, encoder):
    monkeypatch.setattr(loading, "load_encoder", lambda *args, **kwargs: encoder)
    weights_file = tmp_path / "weights.bin"
    weights_file.write_bytes(b"stands for the weights")
    monkeypatch.setattr(pipeline.weights, "where", lambda name: weights_file)
    settings = {"mask": two_balls["mask"], "scribble": two_balls["scribble"], "keep_points": "20,20"}
    made = tmp_path / "made.png"
    result = pochoir.stylize(two_balls["photo"], subject=style_file, steps=2, threads=1, **settings)
    result.save(made)
    both = np.asarray(Image.open(two_balls["mask"])) > 0
    assert (to_bytes(result.matte)[..., 0] > 0).tolist() == (both & (np.arange(96) < 48)).tolist()

    record = Record.from_json(imaging.read_record(made))
    assert (str(record.recipe.keep_points), record.recipe.scribble) == ("20,20", str(two_balls["scribble"]))
    assert [entry.role for entry in record.request.inputs] == ["photo", "subject style", "mask", "scribble"]
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in (*two_balls.values(), style_file):
        path.rename(moved / path.name)
    painting = pipeline.replay(record, base=tmp_path / "elsewhere", inputs_dir=moved)
    for _ in painting:
        pass
    painting.result().save(tmp_path / "redone.png")
    assert made.read_bytes() == (tmp_path / "redone.png").read_bytes()
    Image.new("RGB", (96, 48), (255, 0, 0)).save(moved / "scribble.png")
    with pytest.raises(InputError, match=r"scribble .*it changed"):
        pipeline.replay(record, base=tmp_path, inputs_dir=moved)


def test_stylize_and_segment_find_the_same_subject(two_balls, style_file, quick):
    both = torch.from_numpy(np.asarray(Image.open(two_balls["mask"])) / 255.0).float()[None, None]
    for settings in ({"scribble": two_balls["scribble"]}, {"box": [0, 0, 50, 48]}, {"drop_points": "70,22"}):
        finder = FixedSegmenter(both)
        found = pochoir.segment(two_balls["photo"], segmenter=finder, **settings)
        painted = pochoir.stylize(two_balls["photo"], subject=style_file, segmenter=finder, **settings, **quick)
        assert float((painted.matte - found.matte).abs().max()) <= 0.5 / 255 + 1e-6
        assert float(found.matte[..., 55:].max()) == 0.0


@pytest.mark.parametrize(("choice", "kept"), [("largest", slice(0, 48)), ("1", slice(0, 48)), ("2", slice(48, 96))])
def test_one_of_several_subjects_can_be_chosen(choice, kept, two_balls):
    both = torch.from_numpy(np.asarray(Image.open(two_balls["mask"])) / 255.0).float()[None, None]
    found = pochoir.segment(two_balls["photo"], segmenter=FixedSegmenter(both), subject=choice, refine="none")
    expected = torch.zeros_like(both)
    expected[..., kept] = both[..., kept]
    assert torch.equal(found.matte, expected)
    assert len(found.parts) == 2
    with pytest.raises(OptionError, match="There is no subject 3: 2 subjects were found"):
        pochoir.segment(two_balls["photo"], segmenter=FixedSegmenter(both), subject="3")


def test_other_seeds_differ_from_noise(photo_file, style_file, quick):
    one = pochoir.stylize(photo_file, style=style_file, init="noise", seed=1, **quick)
    two = pochoir.stylize(photo_file, style=style_file, init="noise", seed=2, **quick)
    assert not torch.equal(one.composite, two.composite)


def test_pictures_in_memory_serve_as_well_as_files(photo_file, style_file, mask_file, quick):
    from_files = pochoir.stylize(photo_file, subject=style_file, mask=mask_file, **quick)
    in_memory = pochoir.stylize(
        Image.open(photo_file),
        subject=[(np.asarray(Image.open(style_file)), 0.5)],
        mask=Image.open(mask_file),
        **quick,
    )
    assert torch.equal(from_files.composite, in_memory.composite)
    assert in_memory.recipe.subject_style == (StyleRef("<image>", 0.5),)
    record = Record.from_json(in_memory.record())
    assert record.request.own == ("encoder",)
    record = record.replace(request=record.request.replace(own=()))
    with pytest.raises(InputError, match="picture in memory"):
        pipeline.replay(record, base=Path())


def test_redo_refuses_what_an_object_of_the_user_s_own_has_made(photo_file, style_file, disc_matte, quick):
    finder = FixedSegmenter(disc_matte)
    result = pochoir.stylize(photo_file, subject=style_file, segmenter=finder, **quick)
    record = Record.from_json(result.record())
    assert record.request.own == ("segmenter 'fixed'", "encoder")
    assert record.environment.weights == {}
    with pytest.raises(InputError, match=r"an object of the user's own \(segmenter 'fixed' and encoder\)") as error:
        pipeline.replay(record, base=Path())
    assert "\n" not in str(error.value)


def test_an_own_segmenter_that_is_not_asked_is_not_recorded(photo_file, style_file, mask_file, disc_matte, quick):
    finder = FixedSegmenter(disc_matte)
    for settings in ({"style": style_file}, {"subject": style_file, "mask": mask_file}):
        result = pochoir.stylize(photo_file, segmenter=finder, **settings, **quick)
        assert Record.from_json(result.record()).request.own == ("encoder",)
    assert finder.calls == 0


def test_full_size_keeps_the_photo_s_size_and_pixels(tmp_path, style_file, quick):
    pixels = np.random.default_rng(0).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    mask = np.zeros((90, 150), dtype=np.uint8)
    mask[20:70, 40:110] = 255
    result = pochoir.stylize(pixels, subject=style_file, mask=mask, size=64, full_size=True, **quick)
    assert result.pastiche.shape[-2:] == (38, 64)
    np.testing.assert_array_equal(to_bytes(result.composite)[mask == 0], pixels[mask == 0])


@pytest.mark.parametrize(
    ("photo", "size", "expected"),
    [
        (Size(300, 451), None, Size(300, 451)),
        (Size(3000, 4000), None, Size(384, 512)),
        (Size(300, 451), 902, Size(600, 902)),
        (Size(1, 400), 100, Size(1, 100)),
        (Size(3000, 4000), "full", Size(3000, 4000)),
    ],
)
def test_the_long_side_is_what_was_asked_for(photo, size, expected):
    assert find_work_size(photo, Recipe(size=size)) == expected


def test_a_photo_that_is_too_large_in_full_is_told():
    with pytest.raises(OptionError, match=r"^The photo has 9000x100 pixels; --size takes up to 8192"):
        find_work_size(Size(100, 9000), Recipe(size="full"))


def test_a_run_can_be_stopped_and_continued(photo_file, style_file, quick):
    painting = pochoir.iter_stylize(photo_file, style=style_file, **quick)
    first = next(iter(painting))
    assert (first.done, first.total) == (1, 3)
    early = painting.result()
    assert 0.0 <= float(early.composite.min()) <= float(early.composite.max()) <= 1.0
    assert [step.done for step in painting] == [2, 3]
    assert painting.result().losses.total <= first.losses.total


def test_what_was_broken_off_is_recorded_by_the_steps_that_were_done(photo_file, style_file, quick):
    painting = pochoir.iter_stylize(photo_file, style=style_file, **quick | {"schedule": (2, 3)})
    for step in painting:
        if step.scale == 2:
            break
    early = painting.result()
    done = Record.from_json(early.record()).recipe
    assert done.schedule == (2, 1)
    again = pochoir.stylize(photo_file, done.replace(threads=1), encoder=quick["encoder"])
    assert torch.equal(again.composite, early.composite)
    for _ in painting:
        pass
    assert Record.from_json(painting.result().record()).recipe == painting.recipe


def test_a_run_in_limited_time_leaves_steps_out_and_can_be_made_again(photo_file, style_file, quick, monkeypatch):
    monkeypatch.setattr(_time_limit, "SAVING_S", 0.0)
    limited = quick | {"steps": 100_000, "time": "0.3s"}
    result = pochoir.stylize(photo_file, style=style_file, **limited)
    assert result.timings["paint"] < 0.6  # a step of this network takes milliseconds
    assert any(note.endswith((": time was up", ": more steps would not show")) for note in result.notes)
    record = Record.from_json(result.record())
    assert (record.request.recipe.time, record.done) == (0.3, record.recipe.schedule)
    done = record.recipe
    assert done.time is None
    assert 1 <= sum(done.schedule) < 100_000
    assert torch.equal(pochoir.stylize(photo_file, done, encoder=quick["encoder"]).composite, result.composite)


def test_a_step_that_would_end_too_late_is_broken_off(tmp_path, photo_file, style_file, quick):
    painting = pochoir.iter_stylize(photo_file, style=style_file, **quick | {"steps": 100_000, "time": "0.6s"})
    steps = []
    naps = 0

    def becomes_slow():  # asked many times in each step
        nonlocal naps
        if len(steps) >= 3:
            naps += 1
            time.sleep(0.05)
        return False

    painting.should_stop = becomes_slow
    for step in painting:
        steps.append(step)
    assert naps * 0.05 < 0.6  # the clock would also count the other programs of a busy machine
    assert painting.is_finished
    result = painting.result()
    assert result.notes[-1].endswith(": time was up")
    record = Record.from_json(result.record())
    assert sum(record.done) == len(steps) < 100
    again = pochoir.stylize(photo_file, record.recipe, encoder=quick["encoder"])
    assert torch.equal(again.composite, result.composite)


def test_a_run_that_more_steps_would_not_change_says_so(photo_file, style_file, quick):
    nothing_to_do = {"style_weight": 0.0, "tv_weight": 0.0, "schedule": (100,), "init": "content"}
    result = pochoir.stylize(photo_file, style=photo_file, **quick | nothing_to_do)
    assert re.fullmatch(r"painted in \d\d of 100 steps: more steps would not show", result.notes[-1])
    finished = pochoir.stylize(photo_file, style=style_file, **quick)
    assert finished.notes == ()


def test_a_run_with_time_enough_is_the_same_as_without(photo_file, style_file, quick):
    unlimited = pochoir.stylize(photo_file, style=style_file, **quick)
    limited = pochoir.stylize(photo_file, style=style_file, time="1h", **quick)
    assert torch.equal(limited.composite, unlimited.composite)
    assert limited.notes == unlimited.notes


def test_little_memory_gives_nearly_the_same_picture(photo_file, style_file, encoder):
    settings = {"encoder": encoder, "steps": 2, "threads": 1, "size": 300, "schedule": (2,)}
    whole = pochoir.stylize(photo_file, style=style_file, **settings)
    tiled = pochoir.stylize(photo_file, style=style_file, memory="256M", **settings)
    assert float((tiled.composite - whole.composite).abs().max()) < 1e-3


def test_a_closed_painting_keeps_its_best_picture_and_takes_no_further_step(photo_file, style_file, quick):
    painting = pochoir.iter_stylize(photo_file, style=style_file, **quick | {"steps": 3})
    first = next(iter(painting))
    expected = first.picture()
    painting.close()
    assert list(painting) == []
    assert torch.allclose(painting.result().composite, expected, rtol=0, atol=1e-6)


def test_a_result_before_the_first_step_is_the_photo(photo_file, style_file, quick):
    result = pochoir.iter_stylize(photo_file, style=style_file, **quick).result()
    assert torch.equal(result.composite, imaging.load(photo_file).rgb)
    assert result.losses is None


def test_an_empty_mask_is_refused(photo_file, style_file, quick):
    with pytest.raises(EmptyRegionError, match="mask is empty"):
        pochoir.stylize(photo_file, subject=style_file, mask=np.zeros((48, 64), np.uint8), **quick)


def test_no_subject_found_says_what_to_do(photo_file, style_file, quick):
    finder = FixedSegmenter(torch.zeros(1, 1, 48, 64))
    with pytest.raises(EmptyRegionError, match=r"fixed found no subject in photo\.png; give a --mask"):
        pochoir.stylize(photo_file, subject=style_file, segmenter=finder, **quick)


def test_a_full_mask_leaves_the_background_out_and_says_so(photo_file, style_file, quick):
    full = np.full((48, 64), 255, np.uint8)
    result = pochoir.stylize(photo_file, subject=style_file, background=photo_file, mask=full, **quick)
    assert "the background has no pixels and is not painted" in result.notes
    assert "the mask is full: everything is subject and there is no background" in result.notes
    whole = pochoir.stylize(photo_file, style=style_file, **quick)
    assert torch.equal(result.composite, whole.composite)


def test_nothing_to_paint_is_refused(photo_file, mask_file, quick):
    with pytest.raises(EmptyRegionError, match="no style was given"):
        pochoir.stylize(photo_file, **quick)
    full = np.full((48, 64), 255, np.uint8)
    with pytest.raises(EmptyRegionError, match="background has no pixels"):
        pochoir.stylize(photo_file, background=mask_file, mask=full, **quick)


def test_a_style_that_is_neither_file_nor_name(photo_file, quick):
    with pytest.raises(UnknownNameError, match="Did you mean 'stained-glass'"):
        pochoir.stylize(photo_file, style="stained-gloss", **quick)
    with pytest.raises(ImageReadError, match=r"missing.jpg.*built-in styles are"):
        pochoir.stylize(photo_file, style="missing.jpg", **quick)


def test_a_device_that_is_not_there(photo_file, style_file, quick):
    with pytest.raises(OptionError, match="no device cuda:63"):
        pochoir.stylize(photo_file, style=style_file, device="cuda:63", **quick)


def test_the_number_of_threads_is_put_back_after_each_step(photo_file, style_file, encoder):
    before = torch.get_num_threads()
    settings = {"style": style_file, "encoder": encoder, "steps": 2}
    one, other = (pochoir.iter_stylize(photo_file, threads=before + more, **settings) for more in (1, 2))
    for _ in zip(one, other, strict=True):
        assert torch.get_num_threads() == before
    for _ in pochoir.iter_stylize(photo_file, threads=before + 1, **settings):
        break
    assert torch.get_num_threads() == before


def test_settings_win_over_the_recipe(photo_file, style_file, encoder):
    recipe = Recipe(steps=50, threads=1, style=(StyleRef("not-this"),))
    painting = pochoir.iter_stylize(photo_file, recipe, style=style_file, encoder=encoder, steps=2)
    assert painting.recipe == Recipe(steps=2, threads=1, style=(StyleRef(str(style_file)),))
    assert len(list(itertools.islice(painting, 10))) == 2


def test_colours_of_the_photo_can_be_kept(photo_file, style_file, quick):
    result = pochoir.stylize(photo_file, style=style_file, color="photo", **quick)
    photo = imaging.load(photo_file).rgb
    inside = ((result.composite > 0.004) & (result.composite < 0.996)).all(dim=1)[0]
    chroma = (result.composite[:, 0] - result.composite[:, 2])[0, inside]
    torch.testing.assert_close(chroma, (photo[:, 0] - photo[:, 2])[0, inside], rtol=0, atol=1e-5)
    assert float((result.composite - photo).abs().mean()) > 0.01


def test_segment_gives_the_matte_at_the_photo_s_size(photo_file, disc_matte):
    found = pochoir.segment(photo_file, segmenter=FixedSegmenter(disc_matte), refine="none")
    assert torch.equal(found.matte, disc_matte)
    assert found.method == "fixed"


@pytest.mark.parametrize("name", ["mask", "steps", "style"])
def test_segment_refuses_what_it_would_not_use(name, photo_file, disc_matte):
    with pytest.raises(UnknownNameError, match=f"Unknown setting of segment '{name}'"):
        pochoir.segment(photo_file, segmenter=FixedSegmenter(disc_matte), **{name: 3})


@pytest.mark.parametrize("style", [[("mosaic", 1, 2)], [("mosaic", "x")], [("mosaic",)]])
def test_a_style_s_share_that_is_none(style, photo_file, quick):
    with pytest.raises(OptionError, match=r"are a pair such as \(picture, 2.0\); got"):
        pochoir.stylize(photo_file, style=style, **quick)


@pytest.mark.parametrize("recipe", ["mosaic", {"style": ["mosaic"]}])
def test_a_recipe_that_is_none(recipe, photo_file, quick):
    with pytest.raises(OptionError, match="must be a Recipe; got"):
        pochoir.stylize(photo_file, recipe, **quick)


def test_a_sliver_as_backdrop_takes_no_more_memory_than_the_frame(photo_file, mask_file, style_file, quick):
    sliver = np.full((1, 20_000, 3), (10, 200, 30), np.uint8)
    result = pochoir.stylize(photo_file, subject=style_file, mask=mask_file, backdrop=sliver, **quick)
    outside = result.matte[0, 0].numpy() == 0
    assert (to_bytes(result.composite)[outside] == (10, 200, 30)).all()
