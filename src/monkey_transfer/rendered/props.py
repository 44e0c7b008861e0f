"""What rendered primates sit on, hang from and climb, and the shadows that fall on the ground."""

import cv2
import numpy as np

from monkey_transfer.rendered.backgrounds import BUILT
from monkey_transfer.rendered.choices import COLOURS, Rng, choose
from monkey_transfer.rendered.drawing import Camera
from monkey_transfer.rendered.kinematics import SIDES, SegmentFrame
from monkey_transfer.rendered.parts import WORLD, Body, Material, Solids
from monkey_transfer.rendered.postures import Pose
from monkey_transfer.rendered.shading import Light


def add_props(body: Body, pose: Pose, lowest: float, place: str, rng: Rng) -> float:
    """Add what the pose needs (a seat, a trunk, a bar or branch) to a body; return the height of the ground.

    ``lowest`` is that of the body's lowest point.
    """
    support, indoors = pose.kind.support, place in BUILT
    pole = "metal" if indoors else "bark"
    wood = rng.uniform(0.8, 1.1) * np.array((0.42, 0.31, 0.21))
    body.materials["bark"] = Material(wood, 0.5 * wood, "bark", 14, 0.02)
    body.materials["metal"] = Material((0.62, 0.64, 0.67), (0.4, 0.4, 0.4), gloss=0.5)
    if support == "seat":
        _seat(body, pose, lowest, indoors, rng)
    if support == "trunk":
        hands = np.mean([pose.frames[f"{side}_hand"].at(0, -0.05, 0) for side in SIDES], axis=0)
        radius = 0.022 if indoors else rng.uniform(0.045, 0.075)
        middle = np.array((hands[0], 0, max(hands[2], 0.10) + 0.5 * radius))
        lean = np.array((rng.uniform(-0.05, 0.05), 1.0, 0))
        body.cone(WORLD, middle - 2 * lean, middle + 2 * lean, (radius * 1.1, radius), pole, "prop")
        return lowest - rng.uniform(0.05, 0.5)
    if support == "hands":
        grip = np.mean([pose.frames[f"{side}_hand"].at(0, -0.045, 0) for side in pose.gripping], axis=0)
        radius = 0.014 if indoors else rng.uniform(0.016, 0.032)
        along = np.array((1.5, 0 if indoors else rng.uniform(-0.1, 0.1), rng.uniform(-0.2, 0.2)))
        body.cone(WORLD, grip - along, grip + along, (radius * 1.2, radius), pole, "prop")
        if not indoors:
            _leaves(body, grip, along, rng)
        return lowest - rng.uniform(0.05, 0.6)
    return lowest


def _seat(body: Body, pose: Pose, ground: float, indoors: bool, rng: Rng) -> None:
    """Something to sit on, from the ground up to the rump."""
    pelvis = pose.frames["pelvis"].origin
    upright = SegmentFrame(pelvis, np.eye(3))
    top = -pose.bones.rump + 0.012
    bottom = ground - pelvis[1]
    height = top - bottom
    if not indoors:
        rock = rng.uniform(0.85, 1.05) * np.array((0.52, 0.50, 0.47))
        body.materials["rock"] = Material(rock, 0.65 * rock, "stone", 14, 0.03)
        body.blob(upright, (0, bottom + 0.42 * height, -0.03), (0.17, 0.60 * height, 0.13), "rock", "prop")
        return
    colour = choose(rng, COLOURS["seat"])
    body.materials["seat"] = Material(colour, 0.7 * colour, gloss=0.15)
    body.blob(upright, (0, top - 0.022, -0.01), (0.135, 0.026, 0.125), "seat", "prop")
    for x in (-0.085, 0.085):
        for z in (-0.09, 0.07):
            body.cone(upright, (x, top - 0.03, z), (1.25 * x, bottom + 0.01, 1.25 * z), (0.013, 0.010), "metal", "prop")


def _leaves(body: Body, grip: np.ndarray, along: np.ndarray, rng: Rng) -> None:
    """Twigs with leaves on a branch, away from the hands."""
    green = np.array((0.30, 0.46, 0.18)) * rng.uniform(0.8, 1.2)
    body.materials["leaf"] = Material(green, 0.6 * green, "leaf", 14, 0.1)
    for _ in range(rng.integers(3, 9)):
        where = grip + along * rng.uniform(0.12, 0.55) * rng.choice((-1, 1)) + rng.uniform(-0.05, 0.05, 3)
        axes, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        body.blob(SegmentFrame(where, axes), (0, 0, 0), (0.055, 0.030, 0.010), "leaf", "prop")


def cast_shadow(solids: Solids, ground: float, camera: Camera, light: Light, size: int) -> np.ndarray:
    """Brightness (size, size) of level ground at height ``ground``: 1 in the light, less in the shadow of the parts."""
    lamp = camera.turn.T @ (light.direction * (1, -1, 1))
    slide = lamp / max(lamp[1], 0.45)
    tips = np.concatenate([solids.starts, solids.ends])
    pixels, scales = camera.project(tips - slide * (tips[:, 1] - ground)[:, None])
    # An ellipsoid is among capsules or round enough for its mean radius; cv2 takes eighths of pixels.
    radius = np.maximum(solids.radii.max(axis=1), np.linalg.norm(solids.half_axes, axis=1).mean(axis=1))
    starts, ends = np.split(np.clip(np.round(pixels[:, :2] * 8), -8000, 8000).astype(int), 2)
    widths = np.maximum(1.6 * radius * scales[: len(radius)], 1).astype(int)
    shadow = np.zeros((size, size), np.uint8)
    for start, end, width in zip(starts.tolist(), ends.tolist(), widths.tolist(), strict=True):
        cv2.line(shadow, start, end, 255, width, cv2.LINE_AA, 3)
    return 1 - 0.5 / 255 * cv2.GaussianBlur(shadow, (0, 0), size / 60).astype(np.float32)
