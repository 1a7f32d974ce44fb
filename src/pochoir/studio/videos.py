"""Videos: uploads, previews, and orders of films."""

import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from pochoir.errors import PochoirError
from pochoir.recipe import Recipe, format_setting
from pochoir.sequence.settings import Correction, VideoSettings
from pochoir.studio import film_work
from pochoir.studio.assistant import Assistant
from pochoir.studio.folder import Folder, NotFoundError, checked_id, new_id, newest_first, read_json, write_json
from pochoir.studio.models import Film, FilmOrder, FilmPreview, FrameHints, Order, Video
from pochoir.studio.orders import build_recipe, options_of, python_arguments
from pochoir.studio.plans import Plan
from pochoir.studio.problems import FieldError
from pochoir.studio.shelf import Shelf
from pochoir.studio.uploads import Upload

FACTS, POSTER = "video.json", "poster.webp"
VIDEO_LIMIT = 4 << 30
"""Largest video in bytes."""
MAX_VIDEOS = 20
"""Videos that are kept; the oldest ones go first."""
FORMATS = ("mp4", "webm", "mov", "mkv", "webp", "gif")
"""Formats of films."""
MAX_FRAMES = 100
"""Single frames of a video that are kept as pictures; the oldest ones go first."""
CORRECTIONS = "corrections"
"""Setting that has no control of the form: frames are corrected in the picture."""
_OPTIONS = {"keep_points": "--keep-points", "drop_points": "--drop-points", "box": "--box"}


def film_schema() -> dict[str, Any]:
    """Return the JSON schema of each setting of a film that the page offers."""
    properties: dict[str, Any] = VideoSettings.model_json_schema()["properties"]
    return {name: schema for name, schema in properties.items() if name != CORRECTIONS}


class Videos:
    """Collection of videos.

    Args:
        folder: Places of the files.
        helper: Process that reads videos.
        previewer: Process that paints previews. It is ended after each, because it may hold much memory.
    """

    def __init__(self, folder: Folder, helper: Assistant, previewer: Assistant) -> None:
        self._folder, self._helper, self._previewer = folder, helper, previewer

    def all(self) -> list[Video]:
        """Return the videos, the one that was opened last first."""
        found = (read_json(path) for path in newest_first(self._folder.videos.glob(f"*/{FACTS}")))
        return [Video(**values) for values in found if values is not None]

    def get(self, id_: str) -> Video:
        """Return a video.

        Raises:
            NotFoundError: There is no such video.
        """
        values = read_json(self._place(id_) / FACTS)
        if values is None:
            raise NotFoundError("There is no such video any more; drop it again.")
        return Video(**values)

    def path(self, id_: str) -> Path:
        """Return the file of a video."""
        return self._place(id_) / "file" / self.get(id_).name

    def poster(self, id_: str) -> Path:
        """Return the first frame of a video."""
        self.get(id_)
        return self._place(id_) / POSTER

    async def add(self, upload: Upload) -> Video:
        """Keep an upload as a video; the same file again is the same video.

        Raises:
            InputError: The file is no video that can be read.
            MissingExtraError: PyAV is not installed.
        """
        id_ = upload.sha256[:16]
        place = self._place(id_)
        if (place / FACTS).is_file():
            os.utime(place / FACTS)  # now it is the latest
            return self.get(id_)
        kept = place / "file" / upload.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            upload.path.replace(kept)  # it may be large, and is not needed at its old place
            facts = await self._helper.run(film_work.read_video, str(kept), str(place / POSTER))
            video = Video(id=id_, name=upload.name, **facts)
            write_json(place / FACTS, video.model_dump(mode="json"))
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        for path in newest_first(self._folder.videos.glob(f"*/{FACTS}"))[MAX_VIDEOS:]:
            shutil.rmtree(path.parent, ignore_errors=True)
        return video

    def remove(self, id_: str) -> None:
        """Forget a video."""
        self.get(id_)
        shutil.rmtree(self._place(id_), ignore_errors=True)

    async def preview(self, id_: str, film: Film, recipe: Recipe) -> FilmPreview:
        """Paint a few small frames, and estimate the whole film.

        Raises:
            InputError: A setting cannot be used.
        """
        place = self._place(id_) / "preview"
        form = read_film(film.film).model_dump(mode="json", exclude_defaults=True)
        try:
            made = await self._previewer.run(
                film_work.preview_film, str(self.path(id_)), recipe.to_dict(), form, str(place)
            )
        finally:
            self._previewer.close()
        return FilmPreview(version=new_id(os.urandom(16)), **made)

    async def check(self, plan: Plan) -> None:
        """Refuse a film that could not be begun.

        Raises:
            InputError: The settings, the video and the format do not go together.
        """
        form = {name: value for name, value in plan.form.items() if name != "agreed"}
        await self._helper.run(film_work.check_film, plan.source, plan.recipe.to_dict(), form, f"film{plan.suffix}")

    def preview_frame(self, id_: str, number: int) -> Path:
        """Return a frame of the last preview.

        Raises:
            NotFoundError: There is none.
        """
        folder = self._place(id_) / "preview"
        path = folder / f"{number}.webp"
        if path.is_file():
            return path
        self.get(id_)
        count = sum(1 for _ in folder.glob("*.webp"))
        if not count:
            raise NotFoundError("There is no preview of this video yet; ask for one first.")
        raise NotFoundError(f"There is no frame {number} in the last preview, which has frames 0 to {count - 1}.")

    async def frame(self, id_: str, number: int) -> Path:
        """Return a picture of a frame.

        Raises:
            NotFoundError: There is no such video.
            InputError: There is no such frame.
        """
        picture, matte = self._frame_paths(id_, number)
        if not picture.is_file():
            await self._helper.run(film_work.find_in_frame, str(self.path(id_)), number, None, str(picture), str(matte))
        return picture

    async def matte(self, id_: str, number: int, hints: FrameHints) -> Path:
        """Return the matte of the subject in a frame, at the size of the picture of ``frame``.

        Raises:
            NotFoundError: There is no such video.
            InputError: There is no such frame, or a hint lies outside of it.
        """
        picture, matte = self._frame_paths(id_, number)
        given = hints.model_dump(mode="json", exclude_defaults=True)
        await self._helper.run(film_work.find_in_frame, str(self.path(id_)), number, given, str(picture), str(matte))
        return matte

    def _frame_paths(self, id_: str, number: int) -> tuple[Path, Path]:
        self.get(id_)
        folder = self._place(id_) / "frames"
        folder.mkdir(exist_ok=True)
        for path in newest_first(folder.iterdir())[2 * MAX_FRAMES :]:
            path.unlink(missing_ok=True)
        return folder / f"{number}.webp", folder / f"{number}.png"

    def _place(self, id_: str) -> Path:
        return self._folder.videos / checked_id(id_)


def read_film(values: dict[str, Any]) -> VideoSettings:
    """Return the settings of a film; values that are None have their defaults.

    Raises:
        FieldError: A value cannot be used; the error names the setting.
        InputError: There is no such setting.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if any(isinstance(each, dict) and each.get("mask") for each in _as_list(given.get(CORRECTIONS))):
        raise FieldError(CORRECTIONS, "A correction of the page holds points and a box; it cannot name a mask's file.")
    for name in given.keys() & VideoSettings.model_fields.keys():
        try:
            VideoSettings.model_validate({name: given[name]})
        except PochoirError as error:
            raise FieldError(name, str(error)) from error
    return VideoSettings.model_validate(given)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def film_recipe(order: Film, shelf: Shelf) -> Recipe:
    """Return the settings of the painting of a film. A cutout and a matte need no look."""
    plain = Order(looks=order.looks, settings=order.settings)
    return build_recipe(plain, shelf.source, None, needs_look=read_film(order.film).form == "painting")


def plan_film(order: FilmOrder, videos: Videos, shelf: Shelf) -> Plan:
    """Return a film of a video.

    Raises:
        InputError: The video or a setting cannot be used.
    """
    video = videos.get(order.video)
    form = read_film(order.film).model_dump(mode="json", exclude_defaults=True)
    return Plan(
        None,
        str(videos.path(video.id)),
        film_recipe(order, shelf),
        f"{Path(video.name).stem}-painted",
        kind="video",
        suffix=f".{order.file_format}",
        form=form | ({"agreed": True} if order.agreed else {}),
        order=Order(looks=order.looks, settings=order.settings),
        video=video.id,
    )


def film_command(film: VideoSettings, recipe: Recipe, video: str, out: str) -> str:
    """Return the command that makes the same film."""
    parts = ["pochoir", "video", video, "-o", out]
    for name, value in film.model_dump(mode="json", exclude_defaults=True, exclude={CORRECTIONS}).items():
        if name == "sound":
            parts.append("--no-sound")
        else:
            parts += ["--as" if name == "form" else f"--{name}", str(value)]
    for option, values in _hints(film.corrections).items():
        for frame, text in values.items():
            parts += [_OPTIONS[option], f"{frame}={text}"]
    return shlex.join([*parts, *options_of(recipe)])


def _hints(corrections: tuple[Correction, ...]) -> dict[str, dict[int, str]]:
    """Return points and boxes as texts, by option and frame."""
    found = {
        name: {each.frame: format_setting(getattr(each, name)) for each in corrections if getattr(each, name)}
        for name in _OPTIONS
    }
    return {name: values for name, values in found.items() if values}


def film_call(film: VideoSettings, recipe: Recipe, video: str, out: str) -> str:
    """Return the Python code that makes the same film."""
    given = film.model_dump(mode="json", exclude_defaults=True, exclude={CORRECTIONS}) | _hints(film.corrections)
    arguments = [repr(video), *(f"{name}={value!r}" for name, value in given.items()), *python_arguments(recipe)]
    lines = "".join(f"\n    {each}," for each in arguments)
    return f"import pochoir\n\nfilm = pochoir.stylize_video({lines}\n)\nfilm.save({out!r})"
