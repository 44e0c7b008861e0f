"""How rendered primates hold themselves: kinds of pose, and what drawing one from its ranges takes."""

from dataclasses import dataclass, field

import numpy as np

from monkey_transfer.rendered.kinematics import (
    LIMITS,
    SIDES,
    TYPICAL_BONES,
    Bones,
    Frame,
    Range,
    joint_positions,
    segment_frames,
    turn_between,
    turn_x,
)


@dataclass(frozen=True)
class PoseKind:
    """Ranges from which a pose is drawn.

    ``lead`` and ``trail`` are the two sides of the body in random order, so that every one-sided
    pose occurs on both sides. Each side's arm takes one of the gestures in ``lead_arm`` or ``trail_arm``.
    ``support`` says what bears the weight: feet, fours (hands and feet), ground or seat (the rump),
    hands, or trunk (a tree or pole held with hands and feet). ``planted`` limbs reach the ground.
    """

    name: str
    support: str
    lean: Range
    lead_leg: dict[str, Range]
    trail_leg: dict[str, Range]
    lead_arm: tuple[str, ...]
    trail_arm: tuple[str, ...]
    planted: tuple[str, ...] = ()
    trunk: dict[str, Range] = field(default_factory=dict)


def _arm(flex: Range, abduct: Range, rotate: Range, elbow: Range, wrist: Range = (-15, 20)) -> dict[str, Range]:
    return {
        "shoulder_flex": flex,
        "shoulder_abduct": abduct,
        "shoulder_rotate": rotate,
        "elbow": elbow,
        "wrist": wrist,
    }


def _leg(flex: Range, knee: Range, abduct: Range = (2, 10), rotate: Range = (-18, 4)) -> dict[str, Range]:
    return {"hip_flex": flex, "knee": knee, "hip_abduct": abduct, "hip_rotate": rotate, "ankle": (-20, 10)}


GESTURES: dict[str, dict[str, Range]] = {
    "hang": _arm((-12, 22), (5, 20), (-5, 40), (6, 40)),
    "akimbo": _arm((-22, -8), (42, 55), (62, 80), (92, 108), (0, 25)),
    "bent": _arm((5, 45), (4, 25), (5, 45), (60, 115)),
    "wave": _arm((-5, 25), (65, 100), (-90, -70), (55, 115)),
    "point": _arm((55, 105), (0, 40), (-20, 30), (0, 25)),
    "spread": _arm((-10, 30), (60, 95), (-40, 20), (5, 40)),
    "raise": _arm((140, 176), (0, 25), (-20, 20), (2, 40)),
    "swing_back": _arm((-38, -14), (4, 14), (0, 25), (10, 75)),
    "swing_front": _arm((12, 45), (4, 14), (5, 35), (15, 95)),
    "on_knee": _arm((35, 65), (4, 18), (0, 30), (25, 60)),
    "feed": _arm((30, 60), (5, 25), (30, 60), (120, 142), (10, 40)),
    "grip_high": _arm((112, 146), (-8, 4), (-5, 20), (18, 60), (0, 25)),
    "grip_low": _arm((72, 105), (-4, 6), (5, 30), (35, 80), (0, 25)),
    "overhead": _arm((166, 178), (0, 10), (-10, 10), (3, 28), (0, 15)),
    "overhead_bent": _arm((140, 170), (0, 15), (-10, 15), (50, 100), (0, 15)),
    "prop_fours": _arm((72, 98), (-2, 10), (-8, 12), (8, 26)),
    "prop_front": _arm((98, 122), (-2, 8), (-8, 12), (10, 25)),
    "prop_back": _arm((48, 72), (-2, 8), (-8, 12), (15, 50)),
    "prop_low": _arm((60, 85), (5, 25), (-15, 10), (60, 95)),
    "prop_beside": _arm((5, 35), (5, 18), (-10, 15), (8, 30)),
}

_STANDING_ARMS = ("hang", "hang", "hang", "akimbo", "bent", "wave", "point", "spread")
_RESTING_ARMS = ("on_knee", "on_knee", "bent", "hang", "feed", "point", "wave")
POSE_KINDS: dict[str, tuple[PoseKind, ...]] = {
    "human": (
        PoseKind("standing", "feet", (-3, 6), _leg((-4, 8), (0, 10)), _leg((-4, 20), (0, 28)),
                 _STANDING_ARMS, _STANDING_ARMS, ("lead_leg", "trail_leg"),
                 {"waist_flex": (-6, 8), "waist_side": (-8, 8), "waist_twist": (-15, 15)}),
        PoseKind("walking", "feet", (0, 9), _leg((16, 45), (4, 40), (0, 5)), _leg((-20, -4), (14, 65), (0, 5)),
                 ("swing_back",), ("swing_front",), (),
                 {"waist_flex": (0, 8), "waist_twist": (-12, 12)}),
        PoseKind("reaching", "feet", (-4, 14), _leg((-5, 15), (0, 25), (4, 20)), _leg((-5, 40), (5, 60), (4, 20)),
                 ("raise", "point", "spread", "raise"), _STANDING_ARMS, ("lead_leg", "trail_leg"),
                 {"waist_flex": (-10, 30), "waist_side": (-20, 20), "waist_twist": (-25, 25)}),
        PoseKind("sitting", "seat", (-8, 8), _leg((72, 96), (62, 105), (2, 20)), _leg((72, 96), (62, 105), (2, 20)),
                 _RESTING_ARMS, _RESTING_ARMS, (), {"waist_flex": (0, 28), "waist_twist": (-20, 20)}),
        PoseKind("sitting", "ground", (-30, -8),
                 _leg((85, 112), (70, 125), (2, 28)), _leg((70, 105), (10, 120), (2, 30)),
                 ("on_knee", "bent", "point", "prop_beside"), _RESTING_ARMS, ("lead_leg", "trail_leg"),
                 {"waist_flex": (15, 40), "waist_twist": (-15, 15)}),
        PoseKind("crouching", "feet", (15, 35),
                 _leg((95, 118), (112, 144), (6, 26)), _leg((92, 118), (100, 144), (6, 26)),
                 ("on_knee", "point", "hang", "bent"), ("on_knee", "point", "bent"), ("lead_leg", "trail_leg"),
                 {"waist_flex": (8, 35), "waist_twist": (-15, 15)}),
        PoseKind("climbing", "trunk", (-4, 10), _leg((62, 108), (70, 118), (12, 32)), _leg((12, 50), (25, 75), (8, 24)),
                 ("grip_low", "grip_high"), ("grip_high",), (), {"waist_side": (-12, 12), "waist_flex": (-5, 10)}),
        PoseKind("hanging", "hands", (-5, 10), _leg((-5, 40), (2, 70), (0, 12)), _leg((-8, 20), (2, 60), (0, 12)),
                 ("overhead",), ("overhead",), (), {"waist_flex": (-12, 10)}),
    ),
    "macaque": (
        PoseKind("standing", "fours", (72, 86), _leg((58, 74), (40, 62), (0, 8)), _leg((62, 84), (44, 70), (0, 8)),
                 ("prop_fours",), ("prop_fours",), ("lead_leg", "trail_leg", "lead_arm", "trail_arm"),
                 {"waist_flex": (0, 14), "waist_side": (-8, 8), "neck_turn": (-50, 50)}),
        PoseKind("walking", "fours", (72, 86), _leg((84, 104), (42, 60), (0, 6)), _leg((38, 56), (30, 52), (0, 6)),
                 ("prop_back",), ("prop_front",), ("lead_leg", "trail_leg", "trail_arm"),
                 {"waist_flex": (0, 12), "waist_side": (-8, 8), "neck_turn": (-25, 25)}),
        PoseKind("reaching", "feet", (8, 30), _leg((35, 70), (45, 85), (4, 22)), _leg((35, 80), (45, 100), (4, 22)),
                 ("raise", "point", "raise"), ("hang", "bent", "point", "raise"), ("lead_leg", "trail_leg"),
                 {"waist_flex": (-5, 20), "waist_side": (-15, 15), "waist_twist": (-15, 15)}),
        PoseKind("sitting", "ground", (-14, 10),
                 _leg((100, 128), (105, 140), (8, 35)), _leg((100, 128), (105, 140), (8, 35)),
                 ("on_knee", "feed", "prop_beside", "bent"), ("on_knee", "feed", "bent", "hang"),
                 ("lead_leg", "trail_leg"),
                 {"waist_flex": (15, 45), "waist_twist": (-15, 15)}),
        PoseKind("crouching", "fours", (58, 80),
                 _leg((105, 128), (112, 140), (8, 30)), _leg((105, 128), (112, 140), (8, 30)),
                 ("prop_low",), ("prop_low",), ("lead_leg", "trail_leg", "lead_arm", "trail_arm"),
                 {"waist_flex": (5, 25), "neck_turn": (-45, 45)}),
        PoseKind("climbing", "trunk", (2, 22), _leg((85, 125), (85, 125), (15, 42)), _leg((45, 80), (50, 90), (12, 38)),
                 ("grip_low", "grip_high"), ("grip_high",), (), {"waist_side": (-15, 15), "waist_flex": (-5, 12)}),
        PoseKind("hanging", "hands", (-5, 10), _leg((30, 100), (40, 110), (5, 35)), _leg((10, 70), (20, 90), (5, 30)),
                 ("overhead",), ("overhead", "overhead_bent", "hang", "feed"), (), {"waist_flex": (0, 25)}),
    ),
}  # fmt: skip
POSE_NAMES = ("standing", "walking", "reaching", "sitting", "crouching", "climbing", "hanging")


@dataclass(frozen=True)
class Pose:
    """One individual in one pose: the kind, every joint angle, and the frame of every segment in the world."""

    kind: PoseKind
    bones: Bones
    angles: dict[str, float]
    frames: dict[str, Frame]
    gripping: tuple[str, ...]  # sides whose hand holds the bar or branch above

    def joints(self) -> dict[str, np.ndarray]:
        """World positions of the 16 MPII joints."""
        return joint_positions(self.bones, self.frames)


def draw_pose(species: str, rng: np.random.Generator) -> Pose:
    """Draw an individual and a pose within the species' joint limits, y up, standing wherever it comes to stand."""
    bones = _individual(species, rng)
    kind = _draw_kind(species, rng)
    limits = LIMITS[species]
    lead = ("right", "left")[rng.integers(2)]
    trail = "left" if lead == "right" else "right"
    gesture_of = {
        side: arms[rng.integers(len(arms))] for side, arms in ((lead, kind.lead_arm), (trail, kind.trail_arm))
    }
    ranges = {"waist_flex": (0.0, 5.0), "waist_side": (-4.0, 4.0), "waist_twist": (-5.0, 5.0)}
    ranges |= {"neck_side": (-10.0, 10.0), "neck_turn": (-35.0, 35.0), "neck_flex": (0.0, 0.0)} | kind.trunk
    for side, leg in ((lead, kind.lead_leg), (trail, kind.trail_leg)):
        ranges |= {f"{side}_{angle}": r for angle, r in (leg | GESTURES[gesture_of[side]]).items()}
    drawn = rng.uniform(*np.array(list(ranges.values())).T).tolist()
    angles = {name: _clip(angle, limits[name]) for name, angle in zip(ranges, drawn, strict=True)}

    gripping = tuple(side for side, gesture in gesture_of.items() if gesture.startswith("overhead"))
    root = turn_x(rng.uniform(*kind.lean))
    root = _balance(kind.support, segment_frames(bones, angles, root), gripping) @ root
    planted = [part.replace("lead", lead).replace("trail", trail).split("_") for part in kind.planted]
    _plant(kind.support, planted, bones, angles, limits, segment_frames(bones, angles, root))
    _level(kind, gesture_of, angles, limits, segment_frames(bones, angles, root), rng)
    return Pose(kind, bones, angles, segment_frames(bones, angles, root), gripping)


def _draw_kind(species: str, rng: np.random.Generator) -> PoseKind:
    name = POSE_NAMES[rng.integers(len(POSE_NAMES))]
    same_name = [kind for kind in POSE_KINDS[species] if kind.name == name]
    return same_name[rng.integers(len(same_name))]


def _individual(species: str, rng: np.random.Generator) -> Bones:
    typical = vars(TYPICAL_BONES[species])
    limbs = rng.normal(1.0, 0.035)  # long-limbed or short-limbed as a whole, then small differences
    long_bones = ("upper_arm", "forearm", "thigh", "shank")
    lengths = {
        name: value * rng.uniform(0.97, 1.03) * (limbs if name in long_bones else 1.0)
        for name, value in typical.items()
        if name != "head_top"
    }
    return Bones(head_top=typical["head_top"], **lengths)


def _balance(support: str, frames: dict[str, Frame], gripping: tuple[str, ...]) -> np.ndarray:
    """The turn of the whole body that brings its weight over (or under) what bears it."""
    mass = 0.45 * frames["pelvis"].origin + 0.55 * frames["neck"].origin
    feet = np.mean([frames[f"{side}_foot"].at(0, 0, 0.03) for side in SIDES], axis=0)
    if support == "feet":
        return turn_between(mass - feet, np.array([0.0, 1.0, 0.0]))
    if support == "fours":
        hands = np.mean([frames[f"{side}_hand"].origin for side in SIDES], axis=0)
        rise = hands - feet
        return turn_x(np.degrees(np.arctan2(rise[1], rise[2])))
    if support == "hands":
        hands = np.array([frames[f"{side}_hand"].origin for side in gripping])
        level = np.eye(3)
        if len(hands) == 2:
            across = hands[0] - hands[1]
            level = turn_between(across, across * [1, 0, 0])
        hanging = level @ (mass - hands.mean(axis=0))
        return turn_x(np.degrees(np.arctan2(hanging[2], -hanging[1]))) @ level
    return np.eye(3)


def _plant(
    support: str, planted, bones: Bones, angles: dict[str, float], limits: dict[str, Range], frames: dict[str, Frame]
) -> None:
    """Bend or stretch the knees and elbows of planted limbs, within their limits, until all stand on one ground."""
    tip_of = {"leg": ("foot", bones.ankle_height), "arm": ("hand", bones.wrist_height)}
    heights = [frames[f"{side}_{tip_of[limb][0]}"].origin[1] - tip_of[limb][1] for side, limb in planted]
    if not heights:
        return
    ground = frames["pelvis"].origin[1] - bones.rump if support == "ground" else np.mean(heights)
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


def _level(kind, gesture_of, angles, limits, frames: dict[str, Frame], rng: np.random.Generator) -> None:
    """Set the last joints by what they must meet: eyes near the horizon, soles and palms flat on the ground."""
    chest = frames["chest"].axes
    pitch = np.degrees(np.arctan2(-chest[1, 2], chest[1, 1]))
    angles["neck_flex"] = _clip(rng.uniform(-12, 22) - pitch, limits["neck_flex"])
    for side in SIDES:
        shank, forearm = frames[f"{side}_shank"].axes, frames[f"{side}_forearm"].axes
        if kind.support not in ("hands", "trunk"):
            flat = np.degrees(np.arctan2(-shank[1, 2], shank[1, 1]))
            angles[f"{side}_ankle"] = _clip(flat, limits[f"{side}_ankle"])
        if gesture_of[side].startswith("prop"):
            flat = np.degrees(np.arctan2(forearm[1, 1], forearm[1, 2]))
            angles[f"{side}_wrist"] = _clip(flat, limits[f"{side}_wrist"])


def _clip(angle: float, limit: Range) -> float:
    return float(min(max(angle, limit[0]), limit[1]))
