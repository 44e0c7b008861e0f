"""Bones, joint limits and forward kinematics of rendered primates.

Body coordinates: x to the subject's left, y up, z to its front; lengths in body heights (a person)
or in units of two crown-rump lengths (a macaque). Angles are degrees from the anatomical position
(upright, arms and legs hanging); flexion is positive. Ranges of motion follow the usual clinical
goniometry tables for people, widened in neck, hip and ankle for macaques, whose quadrupedal gait
needs it. The numbers are chosen for plausible pictures, not measured.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Range = tuple[float, float]
SIDES = {"right": -1.0, "left": 1.0}


class Frame(NamedTuple):
    """Where a body segment is: its origin, and its own left, up and front as the columns of ``axes``."""

    origin: np.ndarray
    axes: np.ndarray

    def at(self, *offset: float) -> np.ndarray:
        """World position of a point given in the segment's own coordinates."""
        return self.origin + self.axes @ np.array(offset)


@dataclass(frozen=True)
class Bones:
    """Segment lengths of one individual."""

    hip_half: float
    loin: float  # pelvis to waist
    rib_cage: float  # waist to thorax
    shoulder_half: float
    neck: float  # thorax to upper neck
    head_top: tuple[float, float, float]  # in head coordinates, whose origin is the upper neck
    upper_arm: float
    forearm: float
    thigh: float
    shank: float
    ankle_height: float
    wrist_height: float
    rump: float  # how far the seat is below the pelvis


TYPICAL_BONES = {
    "human": Bones(0.056, 0.10, 0.185, 0.112, 0.060, (0, 0.142, 0.004), 0.172, 0.148, 0.242, 0.236, 0.042, 0.02, 0.075),
    "macaque": Bones(
        0.044, 0.15, 0.150, 0.062, 0.052, (0, 0.100, 0.026), 0.138, 0.146, 0.158, 0.156, 0.024, 0.016, 0.06
    ),
}

_TRUNK_LIMITS: dict[str, dict[str, Range]] = {
    "human": {
        "waist_flex": (-25, 60),
        "waist_side": (-30, 30),
        "waist_twist": (-40, 40),
        "neck_flex": (-50, 50),
        "neck_side": (-35, 35),
        "neck_turn": (-65, 65),
    },
    "macaque": {
        "waist_flex": (-25, 70),
        "waist_side": (-30, 30),
        "waist_twist": (-35, 35),
        "neck_flex": (-100, 50),
        "neck_side": (-35, 35),
        "neck_turn": (-70, 70),
    },
}
_LIMB_LIMITS: dict[str, dict[str, Range]] = {
    "human": {
        "shoulder_flex": (-50, 180),
        "shoulder_abduct": (-15, 150),
        "shoulder_rotate": (-90, 85),
        "elbow": (0, 148),
        "wrist": (-65, 70),
        "hip_flex": (-25, 125),
        "hip_abduct": (-10, 50),
        "hip_rotate": (-45, 40),
        "knee": (0, 150),
        "ankle": (-50, 32),
    },
    "macaque": {
        "shoulder_flex": (-45, 180),
        "shoulder_abduct": (-15, 140),
        "shoulder_rotate": (-80, 85),
        "elbow": (5, 150),
        "wrist": (-60, 95),
        "hip_flex": (-5, 145),
        "hip_abduct": (-10, 60),
        "hip_rotate": (-50, 40),
        "knee": (8, 152),
        "ankle": (-50, 60),
    },
}
_HINGES = (("elbow", -1.0), ("knee", 1.0))  # and the sense in which they bend
LIMITS: dict[str, dict[str, Range]] = {
    species: _TRUNK_LIMITS[species]
    | {f"{side}_{angle}": limit for side in SIDES for angle, limit in _LIMB_LIMITS[species].items()}
    for species in TYPICAL_BONES
}


def segment_frames(bones: Bones, angles: dict[str, float], root: np.ndarray) -> dict[str, Frame]:
    """Forward kinematics: the frame of every segment for joint ``angles``, the pelvis at the origin turned by ``root``.

    Arms, legs and hands extend along -y of their own frame, feet along +z.
    """
    pelvis = Frame(np.zeros(3), root)
    waist = turn_x(angles["waist_flex"]) @ turn_z(angles["waist_side"]) @ turn_y(angles["waist_twist"])
    chest = Frame(pelvis.at(0, bones.loin, 0), root @ waist)
    half_neck, turn = turn_x(angles["neck_flex"] / 2), turn_y(angles["neck_turn"]) @ turn_z(angles["neck_side"])
    neck = Frame(chest.at(0, bones.rib_cage, 0), chest.axes @ half_neck)
    head = Frame(neck.at(0, bones.neck, 0), neck.axes @ half_neck @ turn)
    frames = {"pelvis": pelvis, "chest": chest, "neck": neck, "head": head}
    # The four limbs at once, each from its ball joint over its hinge to its end: on so few numbers calls cost most.
    upper = np.array([parent.axes for parent in (chest, pelvis) for _ in SIDES]) @ _balls(angles)
    lower = upper @ turn_x(np.array([bend * angles[f"{side}_{joint}"] for joint, bend in _HINGES for side in SIDES]))
    end = lower @ turn_x(np.array([-angles[f"{side}_{joint}"] for joint in ("wrist", "ankle") for side in SIDES]))
    for i, (side, sign) in enumerate(SIDES.items()):
        shoulder = chest.at(sign * bones.shoulder_half, bones.rib_cage, 0)
        elbow = shoulder - bones.upper_arm * upper[i, :, 1]
        frames[f"{side}_upper_arm"], frames[f"{side}_forearm"] = Frame(shoulder, upper[i]), Frame(elbow, lower[i])
        frames[f"{side}_hand"] = Frame(elbow - bones.forearm * lower[i, :, 1], end[i])
    for i, (side, sign) in enumerate(SIDES.items(), start=len(SIDES)):
        hip = pelvis.at(sign * bones.hip_half, 0, 0)
        knee = hip - bones.thigh * upper[i, :, 1]
        frames[f"{side}_thigh"], frames[f"{side}_shank"] = Frame(hip, upper[i]), Frame(knee, lower[i])
        frames[f"{side}_foot"] = Frame(knee - bones.shank * lower[i, :, 1], end[i])
    return frames


def joint_positions(bones: Bones, frames: dict[str, Frame]) -> dict[str, np.ndarray]:
    """World positions of the 16 MPII joints."""
    joints = {
        "pelvis": frames["pelvis"].origin,
        "thorax": frames["neck"].origin,
        "upper_neck": frames["head"].origin,
        "head_top": frames["head"].at(*bones.head_top),
    }
    segment_of = {"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand"}
    segment_of |= {"hip": "thigh", "knee": "shank", "ankle": "foot"}
    for side in SIDES:
        joints |= {f"{side}_{joint}": frames[f"{side}_{segment}"].origin for joint, segment in segment_of.items()}
    return joints


def _balls(angles: dict[str, float]) -> np.ndarray:
    """Rotations (4, 3, 3) of the shoulders and hips, right before left."""
    sign = np.array([*SIDES.values()] * 2)
    flex, abduct, rotate = (
        np.array([angles[f"{side}_{joint}_{motion}"] for joint in ("shoulder", "hip") for side in SIDES])
        for motion in ("flex", "abduct", "rotate")
    )
    return turn_x(-flex) @ turn_z(sign * abduct) @ turn_y(-sign * rotate)


def turn_x(degrees: float | np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) about the x axis."""
    return _turn(0, degrees)


def turn_y(degrees: float | np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) about the y axis."""
    return _turn(1, degrees)


def turn_z(degrees: float | np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) about the z axis."""
    return _turn(2, degrees)


def _turn(axis: int, degrees: float | np.ndarray) -> np.ndarray:
    angle = np.radians(degrees)
    after, before = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((*angle.shape, 3, 3))
    turn[..., axis, axis] = 1
    turn[..., after, after] = turn[..., before, before] = np.cos(angle)
    turn[..., before, after] = sine = np.sin(angle)
    turn[..., after, before] = -sine
    return turn


def turn_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation that takes the direction of ``a`` to that of ``b`` (Rodrigues; not opposite)."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    v, c = np.cross(a, b), a @ b
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + c)
