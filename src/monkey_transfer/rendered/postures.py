"""How rendered primates hold themselves: kinds of pose, and what drawing one from its ranges takes.

``postures.yaml`` has the ranges.
"""

from typing import NamedTuple

import numpy as np

from monkey_transfer.files import listed
from monkey_transfer.rendered.choices import Rng, choose
from monkey_transfer.rendered.kinematics import (
    BONES,
    LIMITS,
    SIDES,
    Bones,
    Range,
    SegmentFrame,
    segment_frames,
    turn_between,
    turn_x,
)


class PoseKind(NamedTuple):
    """Ranges from which a pose is drawn, in degrees.

    ``lead`` and ``trail`` are the two sides of the body in random order, so that every one-sided
    pose occurs on both sides. Each side's arm takes one of the gestures in ``lead_arm`` or ``trail_arm``.
    ``support`` says what bears the weight: feet, fours (hands and feet), ground or seat (the rump),
    hands, or trunk (a tree or pole held with hands and feet). ``planted`` limbs reach the ground.
    """

    name: str
    support: str
    lean: Range
    lead_leg: list[Range]
    trail_leg: list[Range]
    lead_arm: list[str]
    trail_arm: list[str]
    trunk: dict[str, Range]
    planted: tuple[str, ...] = ()


_LEG = ("hip_flex", "knee", "hip_abduct", "hip_rotate", "ankle")
_ARM = ("shoulder_flex", "shoulder_abduct", "shoulder_rotate", "elbow", "wrist")
# Where a kind of pose does not say otherwise. The neck's flexion follows from where the eyes look.
_TRUNK = {"waist_flex": (0, 5), "waist_side": (-4, 4), "waist_twist": (-5, 5)}
_TRUNK |= {"neck_side": (-10, 10), "neck_turn": (-35, 35), "neck_flex": (0, 0)}
_LISTED = listed(__file__)
_KINDS = {species: [PoseKind(**kind) for kind in kinds] for species, kinds in _LISTED["kinds"].items()}
POSE_NAMES = tuple(dict.fromkeys(kind.name for kind in _KINDS["human"]))
# Which segment begins at a joint of a limb, besides those of the trunk.
_SEGMENT_OF = {"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand"}
_SEGMENT_OF |= {"hip": "thigh", "knee": "shank", "ankle": "foot"}


class Pose(NamedTuple):
    """One individual in one pose: the kind, every joint angle, and the frame of every segment in the world."""

    kind: PoseKind
    bones: Bones
    angles: dict[str, float]
    frames: dict[str, SegmentFrame]
    gripping: tuple[str, ...]  # sides whose hand holds the bar or branch above

    def joints(self) -> dict[str, np.ndarray]:
        """World positions of the 16 MPII joints."""
        trunk = {"pelvis": "pelvis", "thorax": "neck", "upper_neck": "head"}
        limbs = {f"{side}_{joint}": f"{side}_{segment}" for side in SIDES for joint, segment in _SEGMENT_OF.items()}
        joints = {joint: self.frames[segment].origin for joint, segment in (trunk | limbs).items()}
        return joints | {"head_top": self.frames["head"].at(*self.bones.head_top)}


def draw_pose(species: str, rng: Rng) -> Pose:
    """Draw an individual and a pose within the species' joint limits, y up, standing wherever it comes to stand."""
    bones, name, limits = _individual(species, rng), choose(rng, POSE_NAMES), LIMITS[species]
    kind = choose(rng, [kind for kind in _KINDS[species] if kind.name == name])
    lead, trail = choose(rng, (("right", "left"), ("left", "right")))
    gesture_of = {lead: choose(rng, kind.lead_arm), trail: choose(rng, kind.trail_arm)}
    ranges = _TRUNK | kind.trunk
    for side, leg in ((lead, kind.lead_leg), (trail, kind.trail_leg)):
        limbs = dict(zip((*_LEG, *_ARM), (*leg, *_LISTED["gestures"][gesture_of[side]]), strict=True))
        ranges |= {f"{side}_{angle}": limb for angle, limb in limbs.items()}
    drawn = rng.uniform(*np.array(list(ranges.values()), float).T).tolist()
    angles = {name: _clip(angle, limits[name]) for name, angle in zip(ranges, drawn, strict=True)}

    def held() -> Pose:
        return Pose(kind, bones, angles, segment_frames(bones, angles, root), gripping)

    gripping = tuple(side for side, gesture in gesture_of.items() if gesture.startswith("overhead"))
    root = turn_x(rng.uniform(*kind.lean))
    root = _balance(held()) @ root
    _plant(held(), [part.replace("lead", lead).replace("trail", trail).split("_") for part in kind.planted], limits)
    _level(held(), gesture_of, limits, rng)
    return held()


def _individual(species: str, rng: Rng) -> Bones:
    """Long-limbed or short-limbed as a whole, then small differences."""
    limbs, long_bones = rng.normal(1.0, 0.035), ("upper_arm", "forearm", "thigh", "shank")
    typical = {name: length for name, length in BONES[species].items() if name != "head_top"}
    varied = {n: v * rng.uniform(0.97, 1.03) * (limbs if n in long_bones else 1.0) for n, v in typical.items()}
    return Bones(**BONES[species] | varied)


def _balance(pose: Pose) -> np.ndarray:
    """The turn of the whole body that brings its weight over (or under) what bears it."""
    support, frames = pose.kind.support, pose.frames
    mass = 0.45 * frames["pelvis"].origin + 0.55 * frames["neck"].origin
    feet = np.mean([frames[f"{side}_foot"].at(0, 0, 0.03) for side in SIDES], axis=0)
    if support == "feet":
        return turn_between(mass - feet, np.array([0.0, 1.0, 0.0]))
    if support == "fours":
        rise = np.mean([frames[f"{side}_hand"].origin for side in SIDES], axis=0) - feet
        return turn_x(np.degrees(np.arctan2(rise[1], rise[2])))
    if support == "hands":
        hands = np.array([frames[f"{side}_hand"].origin for side in pose.gripping])
        across = hands[0] - hands[-1]
        level = turn_between(across, across * [1, 0, 0]) if len(hands) == 2 else np.eye(3)
        hanging = level @ (mass - hands.mean(axis=0))
        return turn_x(np.degrees(np.arctan2(hanging[2], -hanging[1]))) @ level
    return np.eye(3)


def _plant(pose: Pose, planted: list[list[str]], limits: dict[str, Range]) -> None:
    """Bend or stretch the knees and elbows of planted limbs, within their limits, until all stand on one ground."""
    bones, angles, frames = pose.bones, pose.angles, pose.frames
    tip_of = {"leg": ("foot", bones.ankle_height), "arm": ("hand", bones.wrist_height)}
    heights = [frames[f"{side}_{tip_of[limb][0]}"].origin[1] - tip_of[limb][1] for side, limb in planted]
    if not heights:
        return
    ground = frames["pelvis"].origin[1] - bones.rump if pose.kind.support == "ground" else np.mean(heights)
    for side, limb in planted:
        hinge, upper, lower, length, sense = (
            ("knee", "thigh", "shank", bones.shank, 1.0)
            if limb == "leg"
            else ("elbow", "upper_arm", "forearm", bones.forearm, -1.0)
        )
        axes = frames[f"{side}_{upper}"].axes
        drop = (ground + tip_of[limb][1] - frames[f"{side}_{lower}"].origin[1]) / length
        # Height of the tip under the hinge: -up cos(angle) - sense front sin(angle); solved for the angle.
        up, front = -axes[1, 1], -sense * axes[1, 2]
        middle, spread = np.arctan2(front, up), np.arccos(np.clip(drop / np.hypot(up, front), -1, 1))
        name = f"{side}_{hinge}"
        solutions = [(np.degrees(middle + s) + 180) % 360 - 180 for s in (spread, -spread)]
        angles[name] = min((_clip(a, limits[name]) for a in solutions), key=lambda a: abs(a - angles[name]))


def _level(pose: Pose, gesture_of: dict[str, str], limits: dict[str, Range], rng: Rng) -> None:
    """Set the last joints by what they must meet: eyes near the horizon, soles and palms flat on the ground."""
    angles, frames = pose.angles, pose.frames
    chest = frames["chest"].axes
    pitch = np.degrees(np.arctan2(-chest[1, 2], chest[1, 1]))
    angles["neck_flex"] = _clip(rng.uniform(-12, 22) - pitch, limits["neck_flex"])
    for side in SIDES:
        shank, forearm = frames[f"{side}_shank"].axes, frames[f"{side}_forearm"].axes
        if pose.kind.support not in ("hands", "trunk"):
            flat = np.degrees(np.arctan2(-shank[1, 2], shank[1, 1]))
            angles[f"{side}_ankle"] = _clip(flat, limits[f"{side}_ankle"])
        if gesture_of[side].startswith("prop"):
            flat = np.degrees(np.arctan2(forearm[1, 1], forearm[1, 2]))
            angles[f"{side}_wrist"] = _clip(flat, limits[f"{side}_wrist"])


def _clip(angle: float, limit: Range) -> float:
    return float(min(max(angle, limit[0]), limit[1]))
