"""The bodies of rendered primates: which round parts hang on which bones, and their colours.

``bodies.yaml`` has what is the same in all of them.
"""

import numpy as np

from monkey_transfer.files import listed
from monkey_transfer.rendered.choices import COLOURS, FURS, Rng, choose
from monkey_transfer.rendered.kinematics import SIDES, turn_x, turn_y, turn_z
from monkey_transfer.rendered.parts import UPRIGHT, WORLD, Body, Material, Part
from monkey_transfer.rendered.postures import Pose

_LISTED = listed(__file__)


def _hang(
    body: Body, pose: Pose, parts: list[dict], side: str = "left", girth: float = 1.0, muzzle: float = 0.0
) -> None:
    """Add listed parts, of one side or of the middle."""
    for part in parts:
        segment = part["segment"]
        frame = pose.frames[segment if segment in pose.frames else f"{side}_{segment}"]
        sign, length = 1.0 if "straight" in part else SIDES[side], getattr(pose.bones, segment, muzzle)
        at, to = (
            [c[0] + c[1] * length if isinstance(c, list) else c for c in part[end]]
            for end in ("at", "to" if "to" in part else "at")
        )
        start, end = ((sign * x, y, z) for x, y, z in (at, to))
        radii = tuple(radius * girth for radius in part["radii"]) if "thick" in part else tuple(part["radii"])
        tilt = (
            turn_z(SIDES[side] * part["tilt"]) if "tilt" in part else turn_x(part["nod"]) if "nod" in part else UPRIGHT
        )
        role = part.get("role", "head" if segment == "head" else "body")
        body.parts.append(Part(frame, start, end, radii, tilt, part["material"], role))


def _vary(rng: Rng, colour: np.ndarray, amount: float = 0.05) -> np.ndarray:
    """A little darker or lighter, and a trace of another hue."""
    shade, hue = rng.uniform(1 - 1.5 * amount, 1 + amount), rng.uniform(-0.012, 0.012, 3)
    return np.clip(colour * shade + hue, 0, 1)


def build_human(pose: Pose, rng: Rng) -> Body:
    """A clothed person in ``pose``: skin, hair, top, trousers or shorts, shoes."""
    body, bones, frames = Body(), pose.bones, pose.frames
    stout = rng.uniform(0.88, 1.18)
    _dress(body, rng)
    sleeve = choose(rng, (0.0, 0.55, 0.55, 1.0, 2.0))  # in upper arms' lengths: 2 is down to the wrist
    trousers = choose(rng, (0.75, 2.0, 2.0, 1.95))  # in thighs' lengths: 2 is down to the ankle

    pelvis, chest, neck = frames["pelvis"], frames["chest"], frames["neck"]
    ribs = bones.rib_cage
    body.blob(pelvis, (0, 0.014, -0.002), (0.090 * stout, 0.072, 0.070 * stout), "bottom")
    hem = chest.axes.T @ (pelvis.at(0, 0.045, 0) - chest.origin)
    for sign in SIDES.values():
        body.blob(pelvis, (sign * 0.038, -0.018, -0.026), (0.046 * stout, 0.052, 0.046 * stout), "bottom")
        body.cone(
            chest, hem + (sign * 0.024, 0, 0), (sign * 0.036, ribs * 0.55, 0.002), (0.066 * stout, 0.065 * stout), "top"
        )
    body.blob(chest, (0, ribs * 0.58, 0.004), (0.102 * stout, 0.112, 0.069 * stout), "top")
    if rng.random() < 0.45:
        for sign in SIDES.values():
            body.blob(chest, (sign * 0.040, ribs * 0.52, 0.042), (0.042, 0.046, 0.034), "top")
    reach = bones.shoulder_half - 0.012
    body.cone(chest, (-reach, ribs - 0.010, 0), (reach, ribs - 0.010, 0), (0.036, 0.036), "top")
    for sign in SIDES.values():
        body.cone(chest, (sign * reach * 0.85, ribs + 0.002, -0.008), (0, ribs + 0.028, -0.006), (0.027, 0.030), "top")
    body.cone(neck, (0, -0.005, -0.004), (0, bones.neck + 0.012, 0), (0.034, 0.031), "skin")
    for side in SIDES:
        _human_arm(body, pose, side, sleeve, rng.uniform(0.92, 1.1) * stout**0.5)
        _human_leg(body, pose, side, trousers, stout**0.6)
    _human_head(body, pose, rng)
    return body


def _dress(body: Body, rng: Rng) -> None:
    skin, hair = _vary(rng, choose(rng, COLOURS["skin"])), _vary(rng, choose(rng, COLOURS["hair"]))
    top, bottom = _vary(rng, choose(rng, COLOURS["top"]), 0.1), _vary(rng, choose(rng, COLOURS["bottom"]), 0.1)
    pattern = choose(rng, ("plain", "plain", "print", "stripes", "stripes", "checks", "dots"))
    shoe = choose(rng, COLOURS["shoe"])
    darker = 0.72 * skin
    body.materials = {
        "skin": Material(skin, darker, "plain", gloss=0.22),
        "lips": Material(skin * (0.82, 0.52, 0.50), darker, gloss=0.2),
        "hair": Material(hair, 0.6 * hair, "hair", 90, 0.25),
        "eye_white": Material((0.97, 0.97, 0.96), skin, gloss=0.3),
        "pupil": Material(choose(rng, COLOURS["iris"]), skin, gloss=0.5),
        "top": Material(top, choose(rng, COLOURS["top"]), pattern, choose(rng, (22, 30, 42)), 0.04),
        "bottom": Material(bottom, 0.8 * bottom, "plain", gloss=0.04),
        "shoe": Material(shoe, shoe, gloss=0.3),
        "sole": Material((0.88, 0.87, 0.84) if shoe[0] < 0.9 else (0.35, 0.35, 0.38), shoe),
        "cap": Material(choose(rng, COLOURS["top"]), top, gloss=0.05),
    }


def _human_arm(body: Body, pose: Pose, side: str, sleeve: float, girth: float) -> None:
    bones, upper, lower = pose.bones, pose.frames[f"{side}_upper_arm"], pose.frames[f"{side}_forearm"]
    body.blob(upper, (0, -0.004, 0), np.array((0.040, 0.046, 0.040)) * girth, "top" if sleeve else "skin")
    _hang(body, pose, _LISTED["human"]["arm"], side, girth)
    if sleeve:
        end, flare = min(sleeve, 1.0), 0.042 if sleeve < 1 else 0.032
        body.cone(upper, (0, 0, 0), (0, -end * bones.upper_arm, 0), (0.040 * girth, flare * girth), "top")
    if sleeve > 1:
        body.cone(lower, (0, 0, 0), (0, -(sleeve - 1) * bones.forearm * 0.96, 0), (0.032 * girth, 0.024 * girth), "top")
    _hang(body, pose, _LISTED["human"]["hand"], side)


def _human_leg(body: Body, pose: Pose, side: str, trousers: float, girth: float) -> None:
    bones, thigh, shank = pose.bones, pose.frames[f"{side}_thigh"], pose.frames[f"{side}_shank"]
    _hang(body, pose, _LISTED["human"]["leg"], side, girth)
    end, cuff = min(trousers, 1.0), 0.058 if trousers < 1 else 0.043
    body.cone(thigh, (0, 0, 0), (0, -end * bones.thigh, 0), (0.064 * girth, cuff * girth), "bottom")
    if trousers > 1:
        end = (trousers - 1) * bones.shank * 0.97
        body.cone(shank, (0, 0, 0), (0, -end, -0.003), (0.042 * girth, 0.035 * girth), "bottom")
    _hang(body, pose, _LISTED["human"]["foot"], side)


def _human_head(body: Body, pose: Pose, rng: Rng) -> None:
    listed, head = _LISTED["human"], pose.frames["head"]
    style = choose(rng, ("short", "short", "long", "ponytail", "bun", "bald", "cap", "curly"))
    _hang(body, pose, listed["head"])
    for side in SIDES:
        _hang(body, pose, listed["side_of_head"], side)
    if style == "bald" and rng.random() < 0.7:
        _hang(body, pose, listed["beard"])
    if style in listed["styles"]:
        _hang(body, pose, listed["hair"])
        body.blob(head, (0, 0.122, 0.030), (0.042, 0.022, 0.032), "hair", "head", turn_z(rng.uniform(-14, 14)))
    _hang(body, pose, (listed["styles"] | listed["no_fringe"])[style])


def build_macaque(pose: Pose, rng: Rng) -> Body:
    """A macaque in ``pose``: fur paler on the belly side, bare face, hands, feet and ears, and a tail."""
    body, bones, frames = Body(), pose.bones, pose.frames
    back, belly = choose(rng, FURS)
    back, belly, face = _vary(rng, back, 0.12), _vary(rng, belly, 0.06), _vary(rng, choose(rng, COLOURS["face"]), 0.08)
    hands = 0.45 * face + 0.55 * np.array((0.36, 0.28, 0.24))
    body.materials = {
        "fur": Material(back, belly, "fur", 60, 0.05),
        "limb": Material(back, 0.55 * back + 0.45 * belly, "fur", 60, 0.05),
        "mane": Material(belly, back, "hair", 60, 0.05),
        "skin": Material(face, 0.7 * face, gloss=0.15),
        "hands": Material(hands, face, gloss=0.12),
        "dark": Material((0.20, 0.13, 0.12), face, gloss=0.3),
        "eye": Material((0.56, 0.36, 0.15), face, gloss=0.5),
        "pupil": Material((0.07, 0.05, 0.05), face, gloss=0.7),
        "rump": Material(np.clip(face * (1.05, 0.82, 0.85), 0, 1), face, gloss=0.15),
    }
    stout = rng.uniform(0.92, 1.18)
    pelvis, chest, neck = frames["pelvis"], frames["chest"], frames["neck"]
    ribs, loin = bones.rib_cage, bones.loin
    body.blob(pelvis, (0, 0.015, -0.008), (0.070 * stout, 0.075, 0.066 * stout), "fur")
    body.cone(pelvis, (0, 0.03, 0), (0, loin, 0), (0.066 * stout, 0.070 * stout), "fur")
    body.blob(chest, (0, ribs * 0.42, 0.006), (0.076 * stout, 0.115, 0.082 * stout), "fur")
    body.cone(chest, (0, ribs * 0.5, 0.004), (0, ribs, 0.002), (0.074 * stout, 0.052), "fur")
    body.cone(neck, (0, -0.02, 0.0), (0, bones.neck + 0.02, 0.006), (0.056, 0.046), "fur")
    for sign in SIDES.values():
        body.blob(pelvis, (sign * 0.022, -0.046, -0.040), (0.018, 0.017, 0.015), "rump")
    for side in SIDES:
        _hang(body, pose, [*_LISTED["macaque"]["arm"], *_LISTED["macaque"]["leg"]], side, stout**0.5)
    _hang(body, pose, _LISTED["macaque"]["head"])
    for side in SIDES:
        _hang(body, pose, _LISTED["macaque"]["side_of_head"], side)
    _hang(body, pose, _LISTED["macaque"]["face"], muzzle=rng.uniform(0.94, 1.10))
    _tail(body, pose, rng)
    return body


def _tail(body: Body, pose: Pose, rng: Rng) -> None:
    """A tail of short, middle or long kind that leaves the rump, bends its own way, droops, and lies on the ground."""
    pelvis = pose.frames["pelvis"]
    floor = body.solids().lowest() if pose.kind.support not in ("hands", "trunk") else -np.inf
    length = choose(rng, (0.10, 0.24, 0.26, 0.42, 0.46))
    start = pelvis.at(0, -0.045, -0.050)
    direction = pelvis.axes @ np.array((0, -0.55, -0.85))
    pieces = 6
    bend = pelvis.axes @ turn_x(rng.uniform(-26, 20)) @ turn_y(rng.uniform(-12, 12)) @ pelvis.axes.T
    for piece in range(pieces):
        direction = bend @ direction + (0, -0.16, 0)
        direction /= np.linalg.norm(direction)
        end = start + direction * length / pieces
        end[1] = max(end[1], floor + 0.012)
        radii = (0.021 - 0.012 * piece / pieces, 0.021 - 0.012 * (piece + 1) / pieces)
        body.cone(WORLD, start, end, radii, "fur", "tail")
        start = end


BUILDERS = {"human": build_human, "macaque": build_macaque}
