"""Rigs: their files, their checks, and the puppets that they make."""

import itertools
import json

import numpy as np
import pytest

from pochoir._types import Size
from pochoir.animation import raster
from pochoir.animation.clip import Actor, Clip, Effects, Stage
from pochoir.animation.limbs import find_branches, find_limbs
from pochoir.animation.mesh import Mesh
from pochoir.animation.motions import MOTIONS, Move
from pochoir.animation.parts import BODY, split
from pochoir.animation.posing import Pose, pose_bones
from pochoir.animation.puppet import Sheet
from pochoir.animation.rig import Rig
from pochoir.animation.rigged import Rigged
from pochoir.animation.timing import Timing
from pochoir.animation.torso import torso_distance
from pochoir.errors import InputError
from support.cutouts import capsule, draw_animal, draw_person, ellipse, paint, person_rig

PERSON = [name for name, motion in MOTIONS.items() if motion.needs == "person"]
PHASES = np.arange(0, 72, 3) / 72


@pytest.fixture(scope="module")
def person() -> Rigged:
    alpha = paint(draw_person())[..., 3]
    return Rigged(alpha, person_rig().check(alpha))


@pytest.fixture(scope="module")
def animal() -> Rigged:
    alpha = paint(draw_animal())[..., 3]
    rig = find_limbs(alpha)
    assert rig is not None
    return Rigged(alpha, rig)


def at(puppet: Rigged, name: str, phase: float, face: int = 0) -> np.ndarray:
    return puppet.pose([Move(MOTIONS[name], face=face)], lambda period_s: phase)


# ---- files


def test_a_rig_comes_back_from_its_file() -> None:
    rig = person_rig()
    assert Rig.from_json(rig.to_json()) == rig
    assert json.loads(rig.to_json())["pochoir_rig"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(pochoir_rig=9), 'should be an object with "pochoir_rig": 1'),
        (lambda v: v["limbs"][0].update(kind="fin"), r"limbs\.0\.kind"),
        (lambda v: v["limbs"][0].update(points=[[1, 2]]), r"limbs\.0\.points"),
        (lambda v: v["limbs"][0].update(thick=3), r"limbs\.0\.thick"),
        (lambda v: v["limbs"][0].update(width=-1), r"limbs\.0\.width"),
        (lambda v: v["limbs"][0].update(points=[[1, 2], [float("nan"), 2]]), r"limbs\.0\.points"),
        (lambda v: v.update(limbs=[]), "limbs"),
        (lambda v: v.pop("width"), "width"),
    ],
)
def test_wrong_files_are_named(change: object, message: str) -> None:
    values = json.loads(person_rig().to_json())
    change(values)
    with pytest.raises(InputError, match=message):
        Rig.from_json(json.dumps(values))


def test_what_is_no_json_is_refused() -> None:
    for text in ("", "{", "[1]", "[" * 100_000):
        with pytest.raises(InputError):
            Rig.from_json(text)


def test_limbs_must_fit_the_subject() -> None:
    alpha = paint(draw_person())[..., 3]
    rig = person_rig()
    arm = rig.limb("arm_left")

    def with_arm(**update: object) -> Rig:
        limbs = [limb if limb.name != "arm_left" else arm.model_copy(update=update) for limb in rig.limbs]
        return rig.model_copy(update={"limbs": tuple(limbs)})

    with pytest.raises(InputError, match="'head' twice"):
        with_arm(name="head").check(alpha)
    with pytest.raises(InputError, match="crosses itself"):
        with_arm(points=((70, 70), (60, 110), (80, 90), (58, 88))).check(alpha)
    with pytest.raises(InputError, match="two joints in one place"):
        with_arm(points=((70, 70), (70, 70), (60, 120))).check(alpha)
    with pytest.raises(InputError, match=r"Joint 1 .*'arm_left' at 10,10 lies outside"):
        with_arm(points=((10, 10), (60, 100))).check(alpha)


def test_a_rig_follows_the_size_of_the_picture() -> None:
    rig = person_rig()
    twice = rig.resized(Size(440, 400))
    assert twice.limb("arm_left").points[0] == pytest.approx((148.5, 132.5))
    assert twice.limb("arm_left").width == pytest.approx(16)
    moved = rig.moved(10, 5, Size(230, 220))
    assert moved.spine[0] == (110, 129)


# ---- parts


def test_parts_cover_the_matte_and_the_still_is_the_subject() -> None:
    for alpha, rig in ((draw_person(), person_rig()), (draw_animal(), find_limbs(draw_animal().astype(np.float32)))):
        cutout = paint(alpha)
        parts = split(cutout[..., 3], rig)
        weights = np.max([part.weight for part in parts.items], axis=0)
        assert weights[cutout[..., 3] > 0].min() == 1
        puppet = Rigged(cutout[..., 3], rig)
        layer = np.zeros_like(cutout)
        textures = raster.Textures(*puppet.layers(cutout))
        raster.draw(layer, textures, puppet.rest, puppet.rest, puppet.triangles, puppet.parts)
        assert np.abs(layer - cutout).max() < 2e-3


def test_the_arm_takes_nothing_from_across_the_gap() -> None:
    parts = split(paint(draw_person())[..., 3], person_rig())
    arm = next(part for part in parts.items if part.name == "arm_left")
    assert arm.weight[100, 64] == 1  # the elbow
    assert arm.weight[110, 78] == 0  # the trunk beside it
    assert [part.name for part in parts.items].index("leg_left") < [part.name for part in parts.items].index(BODY)


# ---- poses


def test_rear_legs_beside_each_other_add_up_to_the_subject() -> None:
    alpha = np.max([capsule(90, 120, (30, 30), (90, 30), 18), capsule(90, 120, (52, 34), (50, 80), 8)], axis=0)
    alpha = np.maximum(alpha, capsule(90, 120, (62, 34), (64, 80), 8))
    legs = [
        {"name": name, "kind": "leg", "points": [[x, 38], [x, 58], [x, 78]], "width": 9, "front": False}
        for name, x in (("one", 51), ("two", 63))
    ]
    cutout = paint(alpha)
    puppet = Rigged(cutout[..., 3], Rig.from_dict({"pochoir_rig": 1, "width": 120, "height": 90, "limbs": legs}))
    drawn = np.zeros_like(cutout)
    textures = raster.Textures(*puppet.layers(cutout))
    raster.draw(drawn, textures, puppet.rest, puppet.rest, puppet.triangles, puppet.parts)
    assert np.abs(drawn - cutout).max() < 1e-3


def test_a_lowered_head_does_not_hold_the_chest() -> None:
    alpha = np.maximum(capsule(100, 140, (60, 40), (120, 40), 22), capsule(100, 140, (20, 20), (22, 45), 9))
    alpha = np.maximum(alpha, capsule(100, 140, (20, 20), (60, 30), 9))
    alpha = np.maximum(alpha, capsule(100, 140, (110, 50), (110, 95), 7))
    limbs = [
        {"name": "head", "kind": "head", "points": [[30, 20], [20, 24], [22, 45]], "width": 10, "cut": False},
        {"name": "leg", "kind": "leg", "points": [[110, 58], [110, 76], [110, 94]], "width": 8},
    ]
    puppet = Rigged(alpha, Rig.from_dict({"pochoir_rig": 1, "width": 140, "height": 100, "limbs": limbs}))
    nod = puppet.solve(Pose({("head", 0): 10.0, ("head", 1): 5.0}))
    moved = np.linalg.norm(nod - puppet.rest, axis=1)
    chest = np.linalg.norm(puppet.rest - [50, 50], axis=1) < 8
    assert moved[chest].max() < 0.25 * moved.max()


def test_the_trunk_reaches_to_the_gap_beside_the_arm() -> None:
    alpha = draw_person()
    alpha[:, 71:75] = np.where(np.arange(220)[:, None] < 92, alpha[:, 71:75], 0)  # background beside the left arm
    distance = torso_distance(alpha, person_rig())
    assert (distance[95:118, 77] < 1).all()  # joints of the hips lie ten pixels further in
    assert (distance[95:118, 66] > 2).all()  # the arm
    parts = {part.name: part.weight for part in split(alpha, person_rig()).items}
    assert parts["arm_left"][95:118, 77:80].max() == 0
    assert parts["arm_left"][95:118, 62:66].min() == 1


def test_the_rest_pose_is_exact(person: Rigged, animal: Rigged) -> None:
    for puppet in (person, animal):
        assert np.abs(puppet.solve(Pose()) - puppet.rest).max() < 1e-9


@pytest.mark.parametrize("name", [name for name in PERSON if name != "walk"])
def test_motions_of_people_start_and_end_at_rest(person: Rigged, name: str) -> None:
    assert np.abs(at(person, name, 0.0) - person.rest).max() < 1e-6
    assert np.abs(at(person, name, 1.0 - 1e-12) - person.rest).max() < 1e-6


def test_walks_close_their_loop(person: Rigged, animal: Rigged) -> None:
    for puppet, name in ((person, "walk"), (animal, "trot")):
        assert np.abs(at(puppet, name, 1.0 - 1e-12) - at(puppet, name, 0.0)).max() < 1e-6


@pytest.mark.parametrize("name", PERSON)
def test_people_hardly_fold(person: Rigged, name: str) -> None:
    mesh = Mesh(person.rest, person.triangles)
    rest = mesh.areas(person.rest)
    ratios = np.array([mesh.areas(at(person, name, phase)) / rest for phase in PHASES])
    assert (ratios <= 0).mean() < 5e-4
    low, high = np.percentile(ratios, [1, 99])
    assert low > 0.5
    assert high < 1.55


@pytest.mark.parametrize("name", PERSON)
def test_bones_keep_their_length(person: Rigged, name: str) -> None:
    """Ends of bones as the mesh shows them, against the lengths that the pose asks for."""
    for phase in PHASES[::2]:
        curve = MOTIONS[name].curve
        assert curve is not None
        pose = curve(person.rig, phase, 1.0, 0)
        points = person.solve(pose)
        for limb in person.rig.limbs:
            for k in range(len(limb.points) - 2):  # the last bones are rigid
                ends = [_follow(person, points, limb.name, limb.joints[k + j]) for j in range(2)]
                wanted = np.linalg.norm(limb.joints[k + 1] - limb.joints[k]) * pose.scales.get((limb.name, k), 1.0)
                assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(wanted, rel=0.08)


def _follow(puppet: Rigged, points: np.ndarray, name: str, joint: np.ndarray) -> np.ndarray:
    """Where a joint goes with the triangle of its own limb that it lies in."""
    part = puppet.names.index(name) if name in puppet.names else puppet.names.index(BODY)
    triangles = puppet.triangles[puppet.parts == part]
    corners = puppet.rest[triangles]
    sides = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=2)
    second = np.linalg.solve(sides, (joint - corners[:, 0])[..., None])[..., 0]
    shares = np.column_stack([1 - second.sum(axis=1), second])
    best = int(shares.min(axis=1).argmax())
    return (points[triangles[best]] * shares[best][:, None]).sum(axis=0)


@pytest.mark.parametrize("name", ["march", "walk", "dance"])
def test_a_foot_stays_on_the_ground(person: Rigged, name: str) -> None:
    ground = person.rest[:, 1].max()
    for phase in PHASES:
        assert at(person, name, phase)[:, 1].max() == pytest.approx(ground, abs=1.5)


def test_a_jump_leaves_the_ground_and_lands(person: Rigged) -> None:
    low = [at(person, "jump", phase)[:, 1].max() for phase in np.linspace(0, 1, 25)]
    assert min(low) < low[0] - 20
    assert low[-1] == pytest.approx(low[0], abs=1e-6)


def test_no_crack_opens_where_a_limb_swings(person: Rigged) -> None:
    cutout = paint(draw_person())
    whole = np.where(cutout[..., 3:] > 0.5, np.float32(1), np.float32(0)) * np.ones((1, 1, 4), np.float32)
    actor = Actor(person, (whole.astype(np.float32),), (Move(MOTIONS["wave"]),))
    made = Clip(Stage((actor,), (), Size(220, 200)), Timing(3.0, 24))
    trunk = np.zeros(cutout.shape[:2], bool)
    trunk[80:118, 86:114] = True  # nothing but the trunk is ever seen there
    for index in range(0, 72, 8):
        assert made.layer_at(index)[..., 3][trunk].min() > 0.98


def test_limbs_of_an_animal_are_found() -> None:
    rig = find_limbs(draw_animal().astype(np.float32))
    assert rig is not None
    assert rig.count("leg") == 4
    feet = [leg.points[-1] for leg in rig.of_kind("leg")]
    np.testing.assert_allclose(feet, [(60, 152), (82, 146), (152, 146), (178, 152)], atol=6)
    assert rig.count("head") == 1
    assert rig.of_kind("head")[0].points[-1][0] < 60
    assert not rig.is_person


def test_wings_are_found_on_both_sides() -> None:
    from support.cutouts import capsule, ellipse

    bird = np.max(
        [
            ellipse(120, 200, 100, 60, 16, 28),
            capsule(120, 200, (96, 50), (20, 24), 6),
            capsule(120, 200, (104, 50), (180, 24), 6),
        ],
        axis=0,
    )
    rig = find_limbs(bird.astype(np.float32))
    assert rig is not None
    assert rig.count("wing") == 2
    puppet = Rigged(bird.astype(np.float32), rig)
    up = at(puppet, "flap", 0.25)
    tips = puppet.rest[:, 0] < 40
    assert (up - puppet.rest)[tips, 1].mean() < -10


def test_a_disc_and_a_dot_have_no_limbs() -> None:
    from support.cutouts import ellipse

    assert find_limbs(ellipse(80, 80, 40, 40, 30, 30).astype(np.float32)) is None
    dot = np.zeros((20, 20), np.float32)
    dot[10, 10] = 1
    assert find_branches(dot) == []


def test_a_trot_moves_diagonal_legs_together(animal: Rigged) -> None:
    skeletons = [
        pose_bones(animal.rig, MOTIONS["trot"].curve(animal.rig, phase, 1.0, 0), (0, 0)) for phase in (0.0, 0.125)
    ]
    turned = []
    for leg in animal.rig.of_kind("leg"):
        bones = [skeleton.bones[(leg.name, 0)] for skeleton in skeletons]
        turned.append(np.arctan2(bones[1][1, 0], bones[1][0, 0]) - np.arctan2(bones[0][1, 0], bones[0][0, 0]))
    assert np.sign(turned[0]) == np.sign(turned[3]) != np.sign(turned[1]) == np.sign(turned[2])


def test_adding_poses_adds_angles_and_multiplies_lengths() -> None:
    both = Pose({("a", 0): 10}, {("a", 0): 0.5}, lean=1, air=2.0) + Pose({("a", 0): 5, ("b", 0): 1}, {("a", 0): 0.5})
    assert both == Pose({("a", 0): 15, ("b", 0): 1}, {("a", 0): 0.25}, lean=1, air=2.0)


def test_a_limb_without_a_mesh_of_its_own_is_harmless() -> None:
    """A joint chain that lies beside the matte, as after a wrong edit by hand, still gives a picture."""
    alpha = paint(draw_person())[..., 3]
    rig = person_rig()
    far = rig.limb("arm_left").model_copy(update={"points": ((74, 66), (4, 10), (2, 4))})
    odd = rig.model_copy(update={"limbs": tuple(far if limb.name == "arm_left" else limb for limb in rig.limbs)})
    assert np.isfinite(at(Rigged(alpha, odd), "dance", 0.3)).all()


def test_walkers_cross_without_sliding_and_close_their_loop(person: Rigged) -> None:
    cutout = paint(draw_person())
    moves = (Move(MOTIONS["walk"], face=1),)
    made = Clip(
        Stage((Actor(person, (cutout,), moves),), (), Size(220, 200)), Timing(4.0, 24), Effects(towards="right")
    )
    distance, covered = person.stride(moves[0], 1)
    assert distance > 40
    assert covered[0] == 0
    assert covered[-1] == pytest.approx(1)
    assert (np.diff(covered) >= 0).all()
    points = [made.points_at(index) for index in range(96)]
    foot = person.rest[:, 1] > person.rest[:, 1].max() - 12
    left, right = foot & (person.rest[:, 0] < 100), foot & (person.rest[:, 0] > 100)
    slides = []
    for before, after in zip(points, [*points[1:], points[0]], strict=True):
        standing = left if before[left, 1].max() > before[right, 1].max() else right
        slides.append(abs(float((after - before)[standing, 0].mean())))
    body = [abs(float((after - before)[:, 0].mean())) for before, after in itertools.pairwise(points)]
    assert np.median(slides) < 0.4 * np.median(body)  # the standing foot nearly rests, while the body goes on


@pytest.mark.parametrize("towards", ["left", "right"])
def test_a_broad_traveller_is_hardly_ever_out_of_sight(towards: str) -> None:
    boat = paint(ellipse(60, 120, 60, 36, 52, 18))
    sheet = Sheet(boat[..., 3])
    actor = Actor(sheet, (boat,), (Move(MOTIONS["waddle"]),))
    made = Clip(Stage((actor,), (), Size(60, 120)), Timing(3.0, 24), Effects(towards=towards))
    seen = [made.layer_at(index)[..., 3].max() > 0 for index in range(72)]
    assert sum(seen) >= 68
    across = np.array([made.points_at(index)[:, 0].mean() for index in range(72)])
    jumps = np.flatnonzero(np.abs(np.diff(across)) > 30)
    assert len(jumps) == 1  # it comes back in once,
    assert not (seen[jumps[0]] and made.layer_at(int(jumps[0]))[..., 3].sum() > 20)  # when it is out of sight
