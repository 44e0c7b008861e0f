"""Bones, joint limits and forward kinematics of rendered primates.

Body coordinates: x to the subject's left, y up, z to its front; lengths in body heights (a person) or in units of two
crown-rump lengths (a macaque). Angles are degrees from the anatomical position (upright, arms and legs hanging);
flexion is positive. ``kinematics.yaml`` has the numbers.
"""

from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from monkey_transfer.files import listed

Range = tuple[float, float]
SIDES = {"right": -1.0, "left": 1.0}

# Segment lengths of one individual, by the names in kinematics.yaml.
Bones = SimpleNamespace

_LISTED = listed(__file__)
# Of the typical individual of a species.
BONES: dict[str, dict] = _LISTED["bones"]
LIMITS: dict[str, dict[str, Range]] = {
    species: of["trunk"] | {f"{side}_{angle}": limit for side in SIDES for angle, limit in of["limbs"].items()}
    for species, of in _LISTED["limits"].items()
}
_HINGES = (("elbow", -1.0), ("knee", 1.0))  # and the sense in which they bend


class SegmentFrame(NamedTuple):
    """Where a body segment is: its origin, and its own left, up and front as the columns of ``axes``."""

    origin: np.ndarray
    axes: np.ndarray

    def at(self, *offset: float) -> np.ndarray:
        """World position of a point given in the segment's own coordinates."""
        return self.origin + self.axes @ np.array(offset)


def segment_frames(bones: Bones, angles: dict[str, float], root: np.ndarray) -> dict[str, SegmentFrame]:
    """Forward kinematics: the frame of every segment for joint ``angles``, the pelvis at the origin turned by ``root``.

    Arms, legs and hands extend along -y of their own frame, feet along +z.
    """
    pelvis = SegmentFrame(np.zeros(3), root)
    waist = turn_x(angles["waist_flex"]) @ turn_z(angles["waist_side"]) @ turn_y(angles["waist_twist"])
    chest = SegmentFrame(pelvis.at(0, bones.loin, 0), root @ waist)
    half_neck, turn = turn_x(angles["neck_flex"] / 2), turn_y(angles["neck_turn"]) @ turn_z(angles["neck_side"])
    neck = SegmentFrame(chest.at(0, bones.rib_cage, 0), chest.axes @ half_neck)
    head = SegmentFrame(neck.at(0, bones.neck, 0), neck.axes @ half_neck @ turn)
    frames = {"pelvis": pelvis, "chest": chest, "neck": neck, "head": head}
    # The four limbs at once, each from its ball joint over its hinge to its end: on so few numbers calls cost most.
    upper = np.array([parent.axes for parent in (chest, pelvis) for _ in SIDES]) @ _balls(angles)
    lower = upper @ turn_x(np.array([bend * angles[f"{side}_{joint}"] for joint, bend in _HINGES for side in SIDES]))
    end = lower @ turn_x(np.array([-angles[f"{side}_{joint}"] for joint in ("wrist", "ankle") for side in SIDES]))
    roots = [chest.at(sign * bones.shoulder_half, bones.rib_cage, 0) for sign in SIDES.values()]
    roots += [pelvis.at(sign * bones.hip_half, 0, 0) for sign in SIDES.values()]
    segments = ("upper_arm", "forearm", "hand"), ("thigh", "shank", "foot")
    for i, (names, side) in enumerate((names, side) for names in segments for side in SIDES):
        hinge = roots[i] - getattr(bones, names[0]) * upper[i, :, 1]
        tip = hinge - getattr(bones, names[1]) * lower[i, :, 1]
        found = SegmentFrame(roots[i], upper[i]), SegmentFrame(hinge, lower[i]), SegmentFrame(tip, end[i])
        frames |= {f"{side}_{name}": frame for name, frame in zip(names, found, strict=True)}
    return frames


def _balls(angles: dict[str, float]) -> np.ndarray:
    """Rotations (4, 3, 3) of the shoulders and hips, right before left."""
    sign = np.array([*SIDES.values()] * 2)
    flex, abduct, rotate = (
        np.array([angles[f"{side}_{joint}_{motion}"] for joint in ("shoulder", "hip") for side in SIDES])
        for motion in ("flex", "abduct", "rotate")
    )
    return turn_x(-flex) @ turn_z(sign * abduct) @ turn_y(-sign * rotate)


def _turn(axis: int, degrees: float | np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) about an axis."""
    angle = np.radians(degrees)
    after, before = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((*angle.shape, 3, 3))
    turn[..., axis, axis] = 1
    turn[..., after, after] = turn[..., before, before] = np.cos(angle)
    turn[..., before, after] = sine = np.sin(angle)
    turn[..., after, before] = -sine
    return turn


turn_x, turn_y, turn_z = (partial(_turn, axis) for axis in range(3))


def turn_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation that takes the direction of ``a`` to that of ``b`` (Rodrigues; not opposite)."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    v, c = np.cross(a, b), a @ b
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + c)
