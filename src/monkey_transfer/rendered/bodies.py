"""The bodies of rendered primates: which round parts hang on which bones, and their colours."""

from functools import partial

import numpy as np

from monkey_transfer.rendered.choices import COLOURS, FURS, Rng, choose
from monkey_transfer.rendered.kinematics import SIDES, Frame, turn_x, turn_y, turn_z
from monkey_transfer.rendered.parts import WORLD, Body, Material
from monkey_transfer.rendered.postures import Pose


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
    _human_head(body, frames["head"], rng)
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
    sign, bones = SIDES[side], pose.bones
    upper, lower, hand = (pose.frames[f"{side}_{name}"] for name in ("upper_arm", "forearm", "hand"))
    body.blob(upper, (0, -0.004, 0), np.array((0.040, 0.046, 0.040)) * girth, "top" if sleeve else "skin")
    body.cone(upper, (0, 0, 0), (0, -bones.upper_arm, 0), (0.034 * girth, 0.026 * girth), "skin")
    body.cone(lower, (0, 0, 0), (0, -0.055, 0), (0.025 * girth, 0.027 * girth), "skin")
    body.cone(lower, (0, -0.05, 0), (0, -bones.forearm, 0), (0.027 * girth, 0.017 * girth), "skin")
    if sleeve:
        end = min(sleeve, 1.0)
        flare = 0.042 if sleeve < 1 else 0.032
        body.cone(upper, (0, 0, 0), (0, -end * bones.upper_arm, 0), (0.040 * girth, flare * girth), "top")
    if sleeve > 1:
        body.cone(lower, (0, 0, 0), (0, -(sleeve - 1) * bones.forearm * 0.96, 0), (0.032 * girth, 0.024 * girth), "top")
    # The palm faces the thigh when the arm hangs: thin from side to side, thumb in front.
    body.blob(hand, (0, -0.030, 0.001), (0.011, 0.034, 0.021), "skin")
    for spread in (-0.010, 0.004):
        body.cone(hand, (0, -0.050, spread), (-sign * 0.008, -0.084, spread * 1.1), (0.0095, 0.0075), "skin")
    body.cone(hand, (0, -0.018, 0.016), (-sign * 0.004, -0.050, 0.030), (0.0085, 0.007), "skin")


def _human_leg(body: Body, pose: Pose, side: str, trousers: float, girth: float) -> None:
    bones = pose.bones
    thigh, shank, foot = (pose.frames[f"{side}_{name}"] for name in ("thigh", "shank", "foot"))
    body.cone(thigh, (0, -0.3 * bones.thigh, 0), (0, -bones.thigh, 0.002), (0.050 * girth, 0.036 * girth), "skin")
    body.cone(shank, (0, 0, 0.002), (0, -bones.shank, 0), (0.036 * girth, 0.022 * girth), "skin")
    body.cone(shank, (0, -0.04, -0.010), (0, -0.12, -0.008), (0.032 * girth, 0.030 * girth), "skin")
    end = min(trousers, 1.0)
    cuff = 0.058 if trousers < 1 else 0.043
    body.cone(thigh, (0, 0, 0), (0, -end * bones.thigh, 0), (0.064 * girth, cuff * girth), "bottom")
    if trousers > 1:
        end = (trousers - 1) * bones.shank * 0.97
        body.cone(shank, (0, 0, 0), (0, -end, -0.003), (0.042 * girth, 0.035 * girth), "bottom")
    body.cone(foot, (0, -0.004, -0.012), (0, -0.016, 0.048), (0.025, 0.020), "shoe")
    body.cone(foot, (0, -0.016, 0.045), (0, -0.020, 0.094), (0.022, 0.018), "shoe")
    body.cone(foot, (0, -0.030, -0.022), (0, -0.032, 0.096), (0.0165, 0.0155), "sole")


def _human_head(body: Body, head: Frame, rng: Rng) -> None:
    blob, cone = partial(body.blob, head, role="head"), partial(body.cone, head, role="head")
    style = choose(rng, ("short", "short", "long", "ponytail", "bun", "bald", "cap", "curly"))
    blob((0, 0.082, 0.002), (0.050, 0.060, 0.062), "skin")
    blob((0, 0.046, 0.022), (0.040, 0.050, 0.043), "skin")
    cone((0, 0.074, 0.062), (0, 0.054, 0.069), (0.0055, 0.0085), "skin")
    blob((0, 0.028, 0.056), (0.016, 0.0055, 0.008), "lips")
    for sign in SIDES.values():
        blob((sign * 0.050, 0.066, -0.002), (0.007, 0.018, 0.012), "skin")
        blob((sign * 0.0195, 0.077, 0.0555), (0.0105, 0.0065, 0.007), "eye_white")
        blob((sign * 0.0190, 0.077, 0.0590), (0.0055, 0.0058, 0.0055), "pupil")
        cone((sign * 0.010, 0.0905, 0.0600), (sign * 0.030, 0.0915, 0.0530), (0.0035, 0.003), "hair")
    if style == "bald":
        if rng.random() < 0.7:
            blob((0, 0.024, 0.023), (0.042, 0.032, 0.040), "hair")
            blob((0, 0.0285, 0.060), (0.015, 0.005, 0.008), "lips")
        return
    if style == "curly":
        sides = [(0.035, 0.105, -0.01), (-0.035, 0.105, -0.01)]
        for curl in ((0, 0.12, -0.01), *sides, (0, 0.10, -0.04), (0, 0.118, 0.028)):
            blob(curl, (0.034, 0.032, 0.036), "hair")
        return
    if style == "cap":
        blob((0, 0.094, -0.002), (0.055, 0.056, 0.066), "cap")
        body.blob(head, (0, 0.098, 0.068), (0.042, 0.006, 0.042), "cap", "head", turn_x(8))
        blob((0, 0.062, -0.022), (0.049, 0.044, 0.044), "hair")
        return
    blob((0, 0.094, -0.010), (0.056, 0.057, 0.062), "hair")
    body.blob(head, (0, 0.122, 0.030), (0.042, 0.022, 0.032), "hair", "head", turn_z(rng.uniform(-14, 14)))
    if style == "long":
        body.blob(head, (0, 0.035, -0.034), (0.055, 0.085, 0.034), "hair")
        for sign in SIDES.values():
            body.cone(head, (sign * 0.046, 0.09, -0.004), (sign * 0.048, 0.0, 0.0), (0.017, 0.013), "hair")
    if style == "ponytail":
        body.cone(head, (0, 0.105, -0.068), (0, 0.015, -0.090), (0.020, 0.010), "hair")
    if style == "bun":
        blob((0, 0.135, -0.045), (0.026, 0.026, 0.026), "hair")


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
        _macaque_arm(body, pose, side, stout**0.5)
        _macaque_leg(body, pose, side, stout**0.5)
    _macaque_head(body, frames["head"], rng)
    _tail(body, pose, rng)
    return body


def _macaque_arm(body: Body, pose: Pose, side: str, girth: float) -> None:
    sign, bones = SIDES[side], pose.bones
    upper, lower, hand = (pose.frames[f"{side}_{name}"] for name in ("upper_arm", "forearm", "hand"))
    body.blob(upper, (-sign * 0.008, -0.006, 0), np.array((0.040, 0.058, 0.050)) * girth, "limb")
    body.cone(upper, (0, 0, 0), (0, -bones.upper_arm, 0), (0.039 * girth, 0.029 * girth), "limb")
    body.cone(lower, (0, 0, 0), (0, -0.05, 0.002), (0.029 * girth, 0.030 * girth), "limb")
    body.cone(lower, (0, -0.045, 0.002), (0, -bones.forearm + 0.006, 0), (0.030 * girth, 0.018 * girth), "limb")
    body.blob(hand, (0, -0.026, 0), (0.018, 0.030, 0.011), "hands")
    for spread in (-0.010, 0.0, 0.010):
        body.cone(hand, (spread, -0.045, 0), (spread * 1.3, -0.080, 0.007), (0.0078, 0.006), "hands")
    body.cone(hand, (-sign * 0.014, -0.018, 0), (-sign * 0.028, -0.040, 0.006), (0.007, 0.0055), "hands")


def _macaque_leg(body: Body, pose: Pose, side: str, girth: float) -> None:
    sign, bones = SIDES[side], pose.bones
    thigh, shank, foot = (pose.frames[f"{side}_{name}"] for name in ("thigh", "shank", "foot"))
    body.blob(thigh, (0, -0.045, -0.006), np.array((0.046, 0.078, 0.060)) * girth, "limb")
    body.cone(thigh, (0, -0.03, -0.002), (0, -bones.thigh, 0), (0.050 * girth, 0.033 * girth), "limb")
    body.cone(shank, (0, 0, 0), (0, -0.07, -0.008), (0.033 * girth, 0.031 * girth), "limb")
    body.cone(shank, (0, -0.06, -0.007), (0, -bones.shank + 0.004, 0), (0.031 * girth, 0.019 * girth), "limb")
    body.cone(foot, (0, -0.008, -0.016), (0, -0.012, 0.060), (0.0155, 0.0165), "hands")
    for spread in (-0.011, 0.0, 0.011):
        body.cone(foot, (spread, -0.013, 0.066), (spread * 1.35, -0.016, 0.102), (0.0085, 0.0065), "hands")
    body.cone(foot, (-sign * 0.012, -0.012, 0.036), (-sign * 0.034, -0.016, 0.056), (0.008, 0.006), "hands")


def _macaque_head(body: Body, head: Frame, rng: Rng) -> None:
    blob, cone = partial(body.blob, head, role="head"), partial(body.cone, head, role="head")
    muzzle = rng.uniform(0.94, 1.10)
    blob((0, 0.052, 0.022), (0.053, 0.050, 0.056), "fur")
    blob((0, 0.030, 0.036), (0.047, 0.038, 0.040), "fur")
    for sign in SIDES.values():
        body.blob(head, (sign * 0.036, 0.030, 0.038), (0.022, 0.034, 0.024), "mane", "head", turn_z(sign * 18))
        body.blob(head, (sign * 0.053, 0.060, 0.010), (0.006, 0.020, 0.016), "skin", "head", turn_z(-sign * 14))
        blob((sign * 0.017, 0.056, 0.070), (0.016, 0.014, 0.012), "skin")
        blob((sign * 0.0165, 0.0575, 0.0795), (0.0070, 0.0060, 0.0045), "eye")
        blob((sign * 0.0162, 0.0575, 0.0825), (0.0042, 0.0046, 0.0034), "pupil")
    blob((0, 0.040, 0.058), (0.034, 0.034, 0.026), "skin")
    cone((-0.023, 0.069, 0.070), (0.023, 0.069, 0.070), (0.0095, 0.0095), "skin")
    cone((0, 0.036, 0.070), (0, 0.022, 0.070 + 0.040 * muzzle), (0.026, 0.0205), "skin")
    blob((0, 0.010, 0.086), (0.019, 0.013, 0.022), "skin")
    blob((0, 0.037, 0.080 + 0.040 * muzzle), (0.010, 0.005, 0.007), "dark")
    cone((-0.013, 0.011, 0.072 + 0.043 * muzzle), (0.013, 0.011, 0.072 + 0.043 * muzzle), (0.0045, 0.0045), "dark")


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
