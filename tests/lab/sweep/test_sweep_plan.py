from pathlib import Path

import pytest

from pochoir.errors import ImageReadError, OptionError, PochoirError, UnknownNameError, WeightsMissingError
from pochoir.lab.sweep.grid import Axis
from pochoir.lab.sweep.plan import Plan, plan_sweep
from pochoir.recipe import Recipe, StyleRef

pytestmark = pytest.mark.weights  # only that they are there is looked at


def plan(photo: Path, *styles: str | Path, base: Recipe | None = None, **axes: tuple[object, ...]) -> Plan:
    swept = [Axis(name, values) for name, values in (axes or {"seed": (0, 1)}).items()]
    return plan_sweep([str(photo)], [str(style) for style in styles], base or Recipe(), swept)


def test_every_photo_in_every_style_in_every_setting(photo_file: Path, style_file: Path, mask_file: Path) -> None:
    found = plan_sweep(
        [str(photo_file), str(mask_file)],
        [str(style_file), "mosaic"],
        Recipe(steps=3),
        [Axis("style_weight", (1.0, 10.0)), Axis("seed", (0, 1, 2))],
    )
    assert len(found.runs) == 2 * 2 * 2 * 3
    assert len({run.picture_name for run in found.runs}) == 24
    run = found.runs[-1]
    assert (run.photo.label, run.style.label) == ("mask", "mosaic")
    assert run.recipe == Recipe(steps=3, style=(StyleRef("mosaic"),), style_weight=10.0, seed=2)
    assert run.title == "mask as mosaic, style-weight 10, seed 2"


def test_a_picture_is_named_by_its_settings_and_not_by_the_machine(photo_file: Path, style_file: Path) -> None:
    names = [run.picture_name for run in plan(photo_file, style_file).runs]
    assert names == [run.picture_name for run in plan(photo_file, style_file, base=Recipe(threads=2)).runs]
    assert not set(names) & {run.picture_name for run in plan(photo_file, style_file, base=Recipe(steps=9)).runs}


def test_a_run_becomes_a_job_that_paints_it(photo_file: Path, tmp_path: Path) -> None:
    run = plan(photo_file, "mosaic").runs[1]
    job = run.job(tmp_path)
    assert (job.kind, job.photo, job.output) == ("stylize", str(photo_file), str(tmp_path / run.picture_name))
    assert job.recipe == run.recipe


def test_photos_of_one_name_get_labels_of_their_own(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    namesake = tmp_path / "other" / "photo.png"
    namesake.write_bytes(style_file.read_bytes())
    found = plan_sweep([str(photo_file), str(namesake)], ["mosaic"], Recipe(), [])
    assert [item.label for item in found.photos] == ["photo-1", "photo-2"]


@pytest.mark.parametrize(
    ("axes", "error", "match"),
    [
        ({"style_weight": (1.0, -1.0)}, OptionError, "style_weight must be between 0 and"),
        ({"pooling": ("max", "mean")}, UnknownNameError, "Unknown pooling 'mean'"),
        ({"style_layers": (("relu9_9",), ("relu1_1",))}, UnknownNameError, "style layer of vgg19 'relu9_9'"),
        ({"seed": (0,)}, OptionError, "nothing to sweep"),
        ({"subject_style": (["mosaic"], ["ink-wash"])}, OptionError, "cannot be joined with a subject"),
    ],
)
def test_settings_that_cannot_be_run_are_told_before_the_first_run(
    photo_file: Path, axes: dict[str, tuple[object, ...]], error: type[PochoirError], match: str
) -> None:
    with pytest.raises(error, match=match):
        plan(photo_file, "mosaic", **axes)


def test_inputs_that_cannot_be_used(photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match="A sweep needs a style"):
        plan(photo_file)
    with pytest.raises(ImageReadError, match="no such file"):
        plan(tmp_path / "missing.png", "mosaic")
    with pytest.raises(UnknownNameError, match="Unknown style 'mozaic'"):
        plan(photo_file, "mozaic")
    with pytest.raises(OptionError, match="same picture is given twice: mosaic, mosaic"):
        plan(photo_file, "mosaic", "mosaic")
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    with pytest.raises(WeightsMissingError, match="pochoir models pull vgg19"):
        plan(photo_file, "mosaic")
