"""The reader of networks, and the gate that refuses doubtful skeletons."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pochoir import weights
from pochoir.animation import pose
from pochoir.animation.pose import Doubt, Landmarks, find_person, to_rig
from pochoir.animation.rig import Rig
from pochoir.animation.tflite import Network
from pochoir.errors import WeightsError, WeightsMissingError
from support.cutouts import draw_person, person_rig
from support.tflite_files import Table, network

BYTE, INT = "b", "i"


def run(tmp_path: Path, tensors: list, operations: list, result: int, picture: np.ndarray) -> np.ndarray:
    path = tmp_path / "net.tflite"
    path.write_bytes(network(tensors, operations, result))
    return Network(path).run(torch.from_numpy(picture))[0].numpy()


def test_convolutions_agree_with_torch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = rng.standard_normal((1, 7, 9, 3)).astype(np.float32)
    dense = rng.standard_normal((4, 3, 3, 3)).astype(np.float16)  # out, height, width, in
    deep = rng.standard_normal((1, 3, 3, 4)).astype(np.float32)
    bias = rng.standard_normal(4).astype(np.float32)
    tensors = [(1, 7, 9, 3), dense, (4, 3, 3, 3), bias, (1, 4, 5, 4), deep, (1, 2, 3, 4)]
    operations = [
        (6, [1], 2, None),  # half precision to single
        (3, [0, 2, 3], 4, Table((BYTE, 0), (INT, 2), (INT, 2), (BYTE, 1))),  # same padding, stride 2, ReLU
        (4, [4, 5, 3], 6, Table((BYTE, 1), (INT, 1), (INT, 1), (INT, 1), (BYTE, 3))),  # valid padding, ReLU6
    ]
    made = run(tmp_path, tensors, operations, 6, picture)
    x = torch.from_numpy(picture).permute(0, 3, 1, 2)
    weight = torch.from_numpy(dense.astype(np.float32)).permute(0, 3, 1, 2)
    # TensorFlow pads an even surplus on both sides: height 7 and width 9 at stride 2 need two rows and two columns.
    first = F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1)), weight, torch.from_numpy(bias), stride=2))
    second = F.conv2d(first, torch.from_numpy(deep).permute(3, 0, 1, 2), torch.from_numpy(bias), groups=4).clamp(0, 6)
    np.testing.assert_allclose(made, second.numpy(), atol=1e-5)


def test_an_odd_row_of_padding_goes_below(tmp_path: Path) -> None:
    picture = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    weight, bias = np.ones((1, 3, 3, 1), np.float32), np.zeros(1, np.float32)
    tensors = [(1, 4, 4, 1), weight, bias, (1, 2, 2, 1)]
    operations = [(3, [0, 1, 2], 3, Table((BYTE, 0), (INT, 2), (INT, 2), (BYTE, 0)))]
    made = run(tmp_path, tensors, operations, 3, picture)
    assert made[0, 0, 0, 0] == picture[0, :3, :3].sum()
    assert made[0, 0, 1, 1] == picture[0, 2:, 2:].sum()


def test_the_other_operations(tmp_path: Path) -> None:
    picture = np.arange(24, dtype=np.float32).reshape(1, 4, 3, 2)
    pads = np.array([[0, 0], [1, 0], [0, 2], [0, 1]], np.int32)
    size = np.array([4, 4], np.int32)
    x = torch.from_numpy(picture).permute(0, 3, 1, 2)
    padded = run(tmp_path, [(1, 4, 3, 2), pads, (1, 5, 5, 3)], [(34, [0, 1], 2, None)], 2, picture)
    np.testing.assert_array_equal(padded, F.pad(x, (0, 2, 1, 0, 0, 1)).numpy())
    pool = [(17, [0], 1, Table((BYTE, 1), (INT, 1), (INT, 2), (INT, 2), (INT, 2)))]  # valid, stride 1x2, window 2x2
    np.testing.assert_array_equal(
        run(tmp_path, [(1, 4, 3, 2), (1, 2, 2, 2)], pool, 1, picture), F.max_pool2d(x, 2, (2, 1)).numpy()
    )
    resized = run(
        tmp_path, [(1, 4, 3, 2), size, (1, 4, 4, 2)], [(23, [0, 1], 2, Table(None, None, (BYTE, 1)))], 2, picture
    )
    wanted = F.interpolate(x, (4, 4), mode="bilinear", align_corners=True)
    np.testing.assert_allclose(resized, wanted.numpy(), atol=1e-5)
    flat = run(tmp_path, [(1, 4, 3, 2), (1, 24)], [(22, [0], 1, None)], 1, picture)
    np.testing.assert_array_equal(flat[0], picture.ravel())  # rows first, channels last
    added = [(0, [0, 0], 1, Table((BYTE, 0))), (14, [1], 2, None)]
    np.testing.assert_allclose(
        run(tmp_path, [(1, 4, 3, 2), (1, 4, 3, 2), (1, 4, 3, 2)], added, 2, picture), torch.sigmoid(2 * x).numpy()
    )


def test_damaged_files_and_unknown_operations_are_told(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    good = network([(1, 2, 2, 1), (1, 2, 2, 1)], [(14, [0], 1, None)], 1)
    for data in (b"", b"TFL3", good[: len(good) // 2], b"\0" * 200):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match="not a network that pochoir can read"):
            Network(path)
    path.write_bytes(network([(1, 2, 2, 1), (1, 2, 2, 1)], [(99, [0], 1, None)], 1))
    with pytest.raises(WeightsError, match="operation 99"):
        Network(path)


# ---- the gate


def landmarks(rig: Rig, *, mirrored: bool = False) -> Landmarks:
    """What the network would see of a drawn person."""
    points = np.zeros((33, 2))
    points[0] = (100, 40)
    sides = (pose._RIGHT, pose._LEFT)  # the person faces us, so the right arm is at the left
    for side, name in zip(sides, ("left", "right"), strict=True):
        arm, leg = rig.limb(f"arm_{name}").joints, rig.limb(f"leg_{name}").joints
        for joint, place in zip(("shoulder", "elbow", "wrist"), arm, strict=False):
            points[side[joint]] = place
        points[side["pinky"]] = points[side["index"]] = arm[2] + (arm[3] - arm[2]) / 1.5
        for joint, place in zip(("hip", "knee", "ankle", "toe"), leg, strict=True):
            points[side[joint]] = place
    if mirrored:
        swapped = points.copy()
        for joint in pose._LEFT:
            swapped[pose._LEFT[joint]], swapped[pose._RIGHT[joint]] = (
                points[pose._RIGHT[joint]],
                points[pose._LEFT[joint]],
            )
        points = swapped
        points[:, 0] = rig.width - 1 - points[:, 0]
    return Landmarks(points, np.ones(33), 0.99)


class Seen:
    """Stands in for the network: one answer for the photo, one for its mirror image."""

    def __init__(self, *answers: Landmarks) -> None:
        self.answers = list(answers)

    def __call__(self, photo: np.ndarray, box: tuple[float, ...]) -> Landmarks:
        return self.answers.pop(0)


def ask(monkeypatch: pytest.MonkeyPatch, *answers: Landmarks, alpha: np.ndarray | None = None) -> Rig | Doubt:
    monkeypatch.setattr(pose, "look", Seen(*answers))
    alpha = draw_person().astype(np.float32) if alpha is None else alpha
    return find_person(np.zeros((*alpha.shape, 3), np.float32), alpha)


def test_a_clear_person_gets_a_rig(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = person_rig()
    found = ask(monkeypatch, landmarks(rig), landmarks(rig, mirrored=True))
    assert isinstance(found, Rig)
    assert found.is_person
    for name in ("arm_left", "arm_right", "leg_left", "leg_right"):
        np.testing.assert_allclose(found.limb(name).joints[:3], rig.limb(name).joints[:3], atol=6)
    assert found.spine[0][1] > found.spine[1][1]
    found.check(draw_person().astype(np.float32))


def test_joints_move_to_the_middle_of_the_limb() -> None:
    rig = person_rig()
    seen = landmarks(rig)
    points = seen.points.copy()
    points[pose._RIGHT["elbow"], 0] += 4  # four pixels off, still on the arm
    found = to_rig(points, draw_person().astype(np.float32))
    assert found.limb("arm_left").points[1][0] == pytest.approx(64, abs=2)


def replaced(seen: Landmarks, **change: object) -> Landmarks:
    return Landmarks(**{"points": seen.points, "visible": seen.visible, "confidence": seen.confidence} | change)


def test_doubtful_skeletons_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = person_rig()
    good, mirror = landmarks(rig), landmarks(rig, mirrored=True)

    def reason(*answers: Landmarks, alpha: np.ndarray | None = None) -> str:
        found = ask(monkeypatch, *answers, alpha=alpha)
        assert isinstance(found, Doubt)
        return found.reason

    assert "no person is recognised (confidence 0.50)" in reason(replaced(good, confidence=0.5))
    hidden = good.visible.copy()
    hidden[[25, 26, 27, 28]] = 0.1  # a bust has no knees
    assert "only 8 of 12 joints" in reason(replaced(good, visible=hidden))
    moved = good.points.copy()
    moved[pose._LEFT["wrist"]] = (190, 20)
    assert "lies outside of the subject" in reason(replaced(good, points=moved))
    other = mirror.points.copy()
    other[:, 0] += 20  # an animal's skeleton is another one in the mirror
    assert "the mirrored photo gives another skeleton" in reason(good, replaced(mirror, points=other))
    tiny = np.zeros((220, 200), np.float32)
    tiny[100:105, 100:105] = 1
    assert reason(alpha=tiny) == "the subject is too small"
    upside_down = good.points.copy()
    upside_down[:, 1] = 219 - upside_down[:, 1]
    other = mirror.points.copy()
    other[:, 1] = 219 - other[:, 1]
    alpha = draw_person()[::-1].astype(np.float32)
    answers = (replaced(good, points=upside_down), replaced(mirror, points=other))
    assert "upright" in reason(*answers, alpha=alpha)


def test_missing_weights_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path))
    pose._network.cache_clear()
    with pytest.raises(WeightsMissingError, match="pochoir models pull pose"):
        find_person(np.zeros((220, 200, 3), np.float32), draw_person().astype(np.float32))


@pytest.mark.weights
def test_the_real_network_doubts_a_drawn_figure() -> None:
    pose._network.cache_clear()
    network_ = Network(weights.where("pose"))
    outputs = network_.run(torch.zeros(1, 256, 256, 3))
    assert outputs[0].shape == (1, 195)
    alpha = draw_person().astype(np.float32)
    flat = np.repeat(alpha[..., None] * 0.5, 3, axis=-1)
    found = find_person(flat, alpha)
    assert isinstance(found, Doubt)
