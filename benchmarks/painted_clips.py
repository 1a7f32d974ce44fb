"""Subjects that are painted once and moved in many ways, for benchmarks of animation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pochoir import clips
from pochoir.animation.clip import Actor, Clip, Effects, Stage
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.clips.plan import Plan
from pochoir.clips.production import BOIL_HOLD, PARALLAX, SHADOW


@dataclass(frozen=True)
class Painted:
    """A photo, its matte, and its paintings, all of one size and with the same room around them.

    Attributes:
        photo: Colours before painting, shape (H, W, 3).
        alpha: Matte, shape (H, W).
        cutouts: Premultiplied paintings of the subject, shape (n, H, W, 4).
        plates: Paintings of the background, shape (n, H, W, 3).
    """

    photo: np.ndarray
    alpha: np.ndarray
    cutouts: np.ndarray
    plates: np.ndarray

    @classmethod
    def make(
        cls, photo: Path, *, boil: int = 0, margin: str = "0%", keep: Path | None = None, **options: object
    ) -> "Painted":
        """Paint a photo with the options of ``pochoir.animate``, or read from ``keep`` what was painted before."""
        if keep is not None and keep.exists():
            with np.load(keep) as stored:
                return cls(**stored)
        production = clips.prepare(photo, motion="breathe", margin=margin, boil=boil, **options)
        made, scene = production.clip(), production._subject.scene
        actors = made.stage.actors
        plates = made.stage.plates or (np.full((*made.size, 3), 0.9, np.float32),)
        colors = scene.photo_at(scene.saved_size)[0].permute(1, 2, 0).numpy()
        alpha = scene.matte_at(scene.saved_size)[0, 0].numpy()
        plan = Plan(colors, alpha, production.settings, None, is_transparent=False)
        painted = cls(
            plan.place(colors),
            plan.place(alpha),
            np.stack([sum(actor.cutouts[k] for actor in actors) for k in range(len(actors[0].cutouts))]),
            np.stack(plates),
        )
        if keep is not None:
            keep.parent.mkdir(parents=True, exist_ok=True)
            np.savez(keep, **vars(painted))
        return painted

    def clip(self, settings: ClipSettings, rig: Rig | None = None, *, alone: bool = False) -> Clip:
        """Return a clip of the paintings, without further room around them.

        Args:
            settings: Settings of the clip; their margin is ignored.
            rig: Limbs; None finds them.
            alone: Show only the first subject that moves.
        """
        settings = settings.replace(margin="0%")
        plan = Plan(self.photo, self.alpha, settings, rig, is_transparent=False)
        roles = [role for role in plan.cast.roles if role.moves][:1] if alone else plan.cast.roles
        cutouts = self.cutouts if settings.boil else self.cutouts[:1]
        actors = tuple(Actor(role.puppet, tuple(map(role.take, cutouts)), role.moves) for role in roles)
        effects = Effects(
            shadow=SHADOW if settings.shadow else 0.0,
            parallax=PARALLAX if settings.parallax else 0.0,
            towards=settings.towards,
            boil_hold=max(BOIL_HOLD, settings.on),
        )
        plates = tuple(self.plates if settings.boil else self.plates[:1])
        return Clip(Stage(actors, plates, plan.size, plan.scroll), plan.timing, effects)
