import numpy as np
import pytest

from pochoir.errors import OutputPathError, WriteError
from pochoir.sequence.store import FolderStore, MemoryStore

MATTE = np.arange(48, dtype=np.uint8).reshape(6, 8)
PICTURE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
CUTOUT = np.random.default_rng(1).integers(0, 256, (6, 8, 4), dtype=np.uint8)


@pytest.fixture(params=["memory", "folder"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "work", "k")


def test_parts_come_back_unchanged(store):
    assert store.read_cuts() is None
    assert store.read_picture("key", 3) is None
    assert store.read_json("facts") is None
    for number, picture in enumerate((MATTE, PICTURE, CUTOUT)):
        store.write_picture("key", number, picture)
    store.write_cuts([np.int64(4), 9])
    store.write_json("facts", {"size": [6, 8]})
    for number, picture in enumerate((MATTE, PICTURE, CUTOUT)):
        assert np.array_equal(store.read_picture("key", number), picture)
    assert store.read_picture("matte", 0) is None
    assert store.read_cuts() == (4, 9)
    assert store.read_json("facts") == {"size": [6, 8]}


def test_what_a_caller_does_to_a_picture_does_not_change_the_store(store):
    picture = MATTE.copy()
    store.write_picture("matte", 0, picture)
    picture[:] = 0
    store.read_picture("matte", 0)[:] = 0
    assert np.array_equal(store.read_picture("matte", 0), MATTE)


def test_only_the_same_request_resumes(tmp_path):
    folder = tmp_path / "work"
    first = FolderStore(folder, "one")
    assert not first.resumed
    first.write_picture("matte", 0, MATTE)
    again = FolderStore(folder, "one")
    assert again.resumed
    assert again.read_picture("matte", 0) is not None
    other = FolderStore(folder, "two")
    assert not other.resumed
    assert other.read_picture("matte", 0) is None
    assert not folder.exists()


def test_nothing_is_made_before_the_first_part(tmp_path):
    FolderStore(tmp_path / "work", "k").remove()
    assert list(tmp_path.iterdir()) == []


def test_damaged_parts_are_not_used_and_can_be_written_again(tmp_path):
    store = FolderStore(tmp_path / "work", "k")
    store.write_picture("key", 0, PICTURE)
    store.write_json("facts", [1, 2])
    store.write_cuts([5])
    for file in store.folder.iterdir():
        if file.name != "store.json":
            data = file.read_bytes()
            file.write_bytes(data[: len(data) // 2])
    assert store.read_picture("key", 0) is None
    assert store.read_json("facts") is None
    assert store.read_cuts() is None
    store.write_picture("key", 0, PICTURE)
    assert np.array_equal(store.read_picture("key", 0), PICTURE)


def test_a_value_that_was_changed_by_hand_is_not_used(tmp_path):
    store = FolderStore(tmp_path / "work", "k")
    store.write_json("facts", [1, 2])
    (file,) = store.folder.glob("facts*")
    file.write_text(file.read_text().replace("1, 2", "1, 3"))
    assert store.read_json("facts") is None


def test_foreign_files_are_never_removed(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(OutputPathError, match="holds other files"):
        FolderStore(folder, "k")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputPathError, match="is a file"):
        FolderStore(tmp_path / "file", "k")


def test_a_failed_write_leaves_no_draft(tmp_path, monkeypatch):
    store = FolderStore(tmp_path / "work", "k")
    store.write_picture("key", 0, PICTURE)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", fail)
    with pytest.raises(WriteError, match="No space left"):
        store.write_picture("key", 0, MATTE)
    monkeypatch.undo()
    assert np.array_equal(store.read_picture("key", 0), PICTURE)
    assert len(list(store.folder.iterdir())) == 2
