"""Inputs that are hashed without being decoded, files at other places, and outputs that exist."""

import os
from pathlib import Path

import pytest
from PIL import Image

from pochoir import imaging
from pochoir._files import place_of, reading_elsewhere
from pochoir.errors import ImageReadError, OutputPathError, UnknownNameError
from pochoir.jobs import Job
from pochoir.jobs.outputs import is_finished, remove_drafts
from pochoir.recipe import Recipe, Request
from pochoir.sources import check_shared_pictures, describe_inputs, load_sources


@pytest.fixture
def recipe(style_file: Path, mask_file: Path) -> Recipe:
    with Image.open(style_file) as image:
        Image.new("L", image.size, 255).save(style_file.with_name("white.png"))
    white = str(style_file.with_name("white.png"))
    return Recipe(
        subject_style=[f"{style_file}:2", "mosaic"],
        subject_style_mask=[white, white],
        background_style=["mosaic"],
        mask=str(mask_file),
        backdrop=str(style_file),
        init=str(style_file),
    )


def test_inputs_are_described_as_they_are_recorded(photo_file: Path, recipe: Recipe) -> None:
    plain = recipe.replace(subject_style=recipe.subject_style[:1], subject_style_mask=recipe.subject_style_mask[:1])
    for one in (plain, Recipe(style=["ink-wash"], scribble=str(photo_file))):
        assert describe_inputs(str(photo_file), one) == load_sources(photo_file, one, {}).files()
    picture = imaging.load(photo_file)
    assert describe_inputs(picture, plain) == describe_inputs(str(photo_file), plain)


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"init": "none.png"}, ImageReadError), ({"background_style": ["mosaik"]}, UnknownNameError)],
)
def test_inputs_that_are_not_there(
    photo_file: Path, recipe: Recipe, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        describe_inputs(str(photo_file), recipe.replace(subject_style_mask=(), **changes))
    with pytest.raises(error):
        check_shared_pictures(recipe.replace(subject_style_mask=(), **changes))
    with pytest.raises(ImageReadError, match="there is no such file"):
        describe_inputs(str(photo_file.with_name("none.png")), recipe)


def test_files_are_read_from_other_places_under_their_own_names(photo_file: Path, tmp_path: Path) -> None:
    copy = photo_file.rename(tmp_path / "copy.bin")
    with reading_elsewhere({str(photo_file): copy}):
        assert place_of(photo_file) == copy
        picture = imaging.load(str(photo_file))
        (described,) = describe_inputs(str(photo_file), Recipe())
    assert (picture.name, picture.path) == (photo_file.name, str(photo_file))
    assert described.sha256 == picture.sha256
    with pytest.raises(ImageReadError, match="there is no such file"):
        imaging.load(str(photo_file))


def test_a_pipe_is_written_to_and_never_refused(photo_file: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    job = Job(photo=str(photo_file), output=str(tmp_path / "pipe.png"))
    request = Request(recipe=Recipe(), inputs=describe_inputs(str(photo_file), Recipe()))
    assert not is_finished(job, request, alpha=False, inputs=[str(photo_file)])


@pytest.mark.parametrize("force", [False, True])
def test_what_lies_there_is_replaced_by_force_only(photo_file: Path, tmp_path: Path, force: bool) -> None:
    out = tmp_path / "new" / "out.png"
    job = Job(photo=str(photo_file), output=str(out), force=force)
    request = Request(recipe=Recipe(), inputs=describe_inputs(str(photo_file), Recipe()))
    assert not is_finished(job, request, alpha=False, inputs=[])
    assert out.parent.is_dir()
    out.write_text("somebody's notes")
    if force:
        assert not is_finished(job, request, alpha=False, inputs=[])
    else:
        with pytest.raises(OutputPathError, match="was not made by pochoir; choose another output or replace it"):
            is_finished(job, request, alpha=False, inputs=[])
    assert out.read_text() == "somebody's notes"


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    names = (".pochoir-1234.tmp", ".a.png.partial.12.abcd", ".a.png.partial", "a.tmp", ".pochoir-new.tmp")
    for name in names:
        (tmp_path / name).touch()
        if "new" not in name:
            os.utime(tmp_path / name, (1_000_000, 1_000_000))
    remove_drafts([Job(photo="p", output=str(tmp_path / "a.png")), Job(photo="p", output="-")])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.png.partial", ".pochoir-new.tmp", "a.tmp"]
