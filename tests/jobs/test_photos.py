"""Photos that are named, places of outputs, folders that fill up, and the progress of batches."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest

from pochoir.errors import ImageReadError, OptionError, OutputPathError
from pochoir.jobs import Progress, Queued, Saved, Skipped, Started
from pochoir.jobs.photos import Photo, find_photos, place_outputs
from pochoir.jobs.progress import BatchProgress
from pochoir.jobs.watch import FolderWatch, Places

SUFFIXES = frozenset({".png", ".jpg"})


class TestPlaces:
    def names(self, folder: Path, *arguments: Path | str, labels: Sequence[str] = ("",)) -> list[str]:
        out = folder / "o"
        found = find_photos([str(item) for item in arguments], suffixes=SUFFIXES, out=out)
        places = place_outputs(found.photos, out, suffix=".png", labels=labels)
        return [place.output.relative_to(out).as_posix() for place in places]

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("x/a.jpg", "x/a.png", "x/b.jpg", "y/b.jpg", "y/B.png", "x/.hidden.png", "x/.git/d.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    def test_names_that_meet_keep_their_extension(self, folder: Path) -> None:
        assert self.names(folder, folder / "x") == ["a.jpg.png", "a.png.png", "b.png"]

    def test_the_same_name_in_two_folders_gets_a_number(self, folder: Path) -> None:
        assert self.names(folder, folder / "x" / "b.jpg", folder / "y" / "b.jpg") == ["b.jpg.png", "b.jpg-2.png"]

    def test_capitals_make_no_other_name(self, folder: Path) -> None:
        assert self.names(folder, folder / "y") == ["B.png.png", "b.jpg.png"]

    def test_a_photo_that_is_named_twice_is_one(self, folder: Path) -> None:
        (folder / "link.jpg").symlink_to(folder / "x" / "b.jpg")
        assert self.names(folder, folder / "x" / "b.jpg", folder / "x", folder / "link.jpg") == [
            "b.png",
            "a.jpg.png",
            "a.png.png",
        ]

    def test_patterns_keep_what_is_below_their_fixed_part(self, folder: Path) -> None:
        assert self.names(folder, f"{folder}/*/b.jpg") == ["x/b.png", "y/b.png"]

    def test_a_name_with_brackets_is_a_name(self, folder: Path) -> None:
        (folder / "a[1].jpg").touch()
        assert self.names(folder, folder / "a[1].jpg", folder / "x" / "b.jpg") == ["a[1].png", "b.png"]

    def test_nothing_found(self, folder: Path) -> None:
        (folder / "none").mkdir()
        with pytest.raises(ImageReadError, match="There is no picture in"):
            self.names(folder, folder / "none")

    @pytest.mark.parametrize("force", [False, True])
    def test_another_photo_is_not_overwritten_unless_forced(self, folder: Path, force: bool) -> None:
        (folder / "c.jpg").touch()
        (folder / "x" / "c.png").touch()
        names = [str(folder / "c.jpg"), f"{folder}/*/c.png"]  # c.png in x, and x/c.png below it
        photos = find_photos(names, suffixes=SUFFIXES).photos
        if force:
            assert len(place_outputs(photos, folder / "x", suffix=".png", force=True)) == 2
        else:
            with pytest.raises(OutputPathError, match="is an input and would be overwritten"):
                place_outputs(photos, folder / "x", suffix=".png")

    def test_several_styles_are_named(self, folder: Path) -> None:
        assert self.names(folder, folder / "y", labels=["ink", "mosaic"]) == [
            "B.png-ink.png",
            "B.png-mosaic.png",
            "b.jpg-ink.png",
            "b.jpg-mosaic.png",
        ]
        assert self.names(folder, folder / "x" / "b.jpg", labels=["ink", "mosaic"]) == ["b-ink.png", "b-mosaic.png"]

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("*.jpg", ["a.png", "b.png"]),
            ("a.*", ["a.jpg.png", "a.png.png"]),
            ("[b].jpg", ["b.png"]),
            ("**", ["a.jpg.png", "a.png.png", "b.png", "deep/er/c.png"]),
            ("**/*.jpg", ["a.png", "b.png", "deep/er/c.png"]),
            ("d*/e?/c.jpg", ["deep/er/c.png"]),
        ],
    )
    def test_patterns_inside_a_folder_with_brackets(self, folder: Path, pattern: str, expected: list[str]) -> None:
        odd = (folder / "x").rename(folder / "x [1] *")
        (odd / "deep" / "er").mkdir(parents=True)
        (odd / "deep" / "er" / "c.jpg").touch()
        assert self.names(folder, f"{odd}/{pattern}") == expected

    def test_a_relative_pattern(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        assert self.names(folder, "x/*.jpg") == ["a.png", "b.png"]
        assert self.names(folder, "?/b.jpg") == ["x/b.png", "y/b.png"]


class TestFolderWatch:
    def test_a_photo_settles_once_and_again_when_it_changes(self, tmp_path: Path) -> None:
        now = [100.0]
        watched = FolderWatch(tmp_path, suffixes=SUFFIXES, settle_s=2.0, clock=lambda: now[0])
        assert (watched.poll(), watched.unsettled) == ([], 0)
        photo = tmp_path / "sub" / "a.png"
        photo.parent.mkdir()
        photo.write_bytes(b"half")
        assert (watched.poll(), watched.unsettled) == ([], 1)
        now[0] += 1.5
        photo.write_bytes(b"half and")
        assert watched.poll() == []
        now[0] += 1.5
        assert watched.poll() == []
        now[0] += 0.5
        (found,) = watched.poll()
        assert (found.path, found.relative.as_posix(), watched.unsettled) == (photo, "sub/a.png", 0)
        assert watched.poll() == []
        photo.write_bytes(b"another")
        assert (watched.poll(), watched.unsettled) == ([], 1)
        photo.unlink()
        assert (watched.poll(), watched.unsettled) == ([], 0)

    def test_old_files_are_whole_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").touch()
        os.utime(tmp_path / "a.png", (1_000_000, 1_000_000))
        assert [photo.path.name for photo in FolderWatch(tmp_path, suffixes=SUFFIXES).poll()] == ["a.png"]

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ImageReadError, match="there is no such folder"):
            FolderWatch(tmp_path / "none", suffixes=SUFFIXES)

    def test_a_place_that_was_given_stays_given(self, tmp_path: Path) -> None:
        places = Places(tmp_path / "o", suffix=".png", labels=["", "ink"])
        one, two = (Photo(tmp_path / name, PurePath(name)) for name in ("a.jpg", "A.tif"))
        for _ in range(2):
            assert [path.name for _, path in places.place(one)] == ["a.png", "a-ink.png"]
            assert [path.name for _, path in places.place(two)] == ["A.tif.png", "A.tif-ink.png"]


class TestBatchProgress:
    def test_time_left_counts_shares_and_no_skipped_ones(self) -> None:
        now = [0.0]
        batch = BatchProgress(10, clock=lambda: now[0])
        assert batch.left_s is None
        for job in "abcd":
            batch.add(Started(job=job))
            batch.add(Skipped(job=job, outputs=()))
        assert (batch.done, batch.left_s) == (4, None)
        batch.add(Started(job="e"))
        now[0] = 10.0
        batch.add(Progress(job="e", done=5, total=10))
        assert batch.units == 4.5
        assert batch.left_s == pytest.approx(10.0 / 0.5 * 5.5)
        now[0] = 20.0
        batch.add(Saved(job="e", outputs=()))
        assert batch.left_s == pytest.approx(20.0 * 5)
        assert dict(batch.counts) == {"skipped": 4, "saved": 1}

    def test_a_job_that_is_queued_again_begins_anew(self) -> None:
        batch = BatchProgress(2)
        batch.add(Started(job="a"))
        batch.add(Progress(job="a", done=1, total=2))
        batch.add(Queued(job="a", photo="p", output="o", reason="lost"))
        assert batch.units == 0


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(OptionError, match="empty"):
        find_photos([""], suffixes=SUFFIXES)
