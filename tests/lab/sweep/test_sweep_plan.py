from pathlib import Path

import pytest

import pochoir
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
    assert len(found.runs) == len({run.key for run in found.runs}) == 2 * 2 * 2 * 3
    assert len({run.picture_name for run in found.runs}) == 24
    run = found.runs[-1]
    assert (run.photo.label, run.style.label) == ("mask", "mosaic")
    assert run.recipe == Recipe(steps=3, style=(StyleRef("mosaic"),), style_weight=10.0, seed=2)
    assert run.title == "mask as mosaic, style-weight 10, seed 2"


def test_the_key_is_the_contents_and_not_the_place(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.png"
    moved.write_bytes(photo_file.read_bytes())
    before = [run.key for run in plan(photo_file, style_file).runs]
    assert before == [run.key for run in plan(moved, style_file).runs]
    assert before == [run.key for run in plan(photo_file, style_file, base=Recipe(threads=2, device="cpu")).runs]


def test_another_photo_style_setting_or_version_is_another_key(
    photo_file: Path, style_file: Path, mask_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [
        plan(photo_file, style_file).runs[0].key,
        plan(mask_file, style_file).runs[0].key,
        plan(photo_file, "mosaic").runs[0].key,
        plan(photo_file, style_file, base=Recipe(steps=99)).runs[0].key,
        plan(photo_file, style_file, base=Recipe(mask=str(mask_file))).runs[0].key,
        plan(photo_file, style_file, base=Recipe(backdrop="#000000")).runs[0].key,
    ]
    monkeypatch.setattr(pochoir, "__version__", "99")
    keys.append(plan(photo_file, style_file).runs[0].key)
    assert len(set(keys)) == len(keys)


def test_a_mask_counts_by_its_content(photo_file: Path, style_file: Path, mask_file: Path, tmp_path: Path) -> None:
    copied, changed = tmp_path / "copied.png", tmp_path / "changed.png"
    copied.write_bytes(mask_file.read_bytes())
    changed.write_bytes(photo_file.read_bytes())
    first, second, third = (
        plan(photo_file, style_file, base=Recipe(mask=str(path))).runs[0].key for path in (mask_file, copied, changed)
    )
    assert first == second != third
    masks = tuple([str(path)] for path in (mask_file, copied, changed))
    first, second, third = (run.key for run in plan(photo_file, style_file, style_mask=masks).runs)
    assert first == second != third


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
