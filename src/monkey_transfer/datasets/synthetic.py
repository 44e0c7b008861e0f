"""Rendered primates: drawn pictures of people and macaques whose joints are known exactly."""

import hashlib
from dataclasses import dataclass

import numpy as np

from monkey_transfer.datasets.synthetic_bodies import BUILDERS, Body
from monkey_transfer.datasets.synthetic_drawing import (
    FOCAL_LENGTH, Camera, Light, Surface, outline, rasterise, shade, view_turn, OVERSAMPLING
)
from monkey_transfer.datasets.synthetic_poses import Pose, draw_pose, joint_positions
from monkey_transfer.datasets.synthetic_scenes import add_props, cast_shadow, paint, place_of
from monkey_transfer.skeletons import MPII_16

SPECIES = ("human", "macaque")
FLESH = {
    "human": {"ankle": 0.036, "knee": 0.050, "hip": 0.085, "pelvis": 0.105, "thorax": 0.085, "upper_neck": 0.075,
              "head_top": 0.07, "wrist": 0.034, "elbow": 0.042, "shoulder": 0.060},
    "macaque": {"ankle": 0.030, "knee": 0.048, "hip": 0.080, "pelvis": 0.105, "thorax": 0.085, "upper_neck": 0.085,
                "head_top": 0.06, "wrist": 0.028, "elbow": 0.042, "shoulder": 0.070},
}


@dataclass(frozen=True)
class Rendered:
    image: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    head_size: float
    bbox: tuple[float, float, float, float]
    pose_name: str


def render(species: str, seed: int, index: int, size: int = 160) -> Rendered:
    rng = np.random.default_rng([seed, SPECIES.index(species), index])
    pose = draw_pose(species, rng)
    body = BUILDERS[species](pose, rng)
    animal = len(body.parts)
    place = place_of(species, pose, rng)
    camera = aim(body, pose, size, rng)
    ground = add_props(body, pose, place, rng)
    seen = camera.look(body.solids())
    surface = rasterise(seen, size)
    light = draw_light(place, rng)
    background, has_ground = paint(place, size, camera.horizon(), rng)
    if has_ground:
        background *= cast_shadow(body, ground, camera, light, size)[..., None]
    colours, coverage = shade(surface, seen, body, light, size, int(rng.integers(256)))
    image = background * (1 - coverage[..., None]) + colours
    image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    positions = joint_positions(pose)
    world = np.array([positions[k] for k in MPII_16.keypoints])
    pixels, scales = camera.project(world)
    flesh = np.array([FLESH[species][k.removeprefix("right_").removeprefix("left_")] for k in MPII_16.keypoints]) * scales
    visible = unhidden(surface, pixels, flesh, size)
    left, top, right, bottom = outline(seen.boxes[[p.role == "head" for p in body.parts]])
    box = np.clip(outline(seen.boxes[:animal]), -0.5, size - 0.5)
    return Rendered(image, pixels[:, :2], visible, 0.6 * float(np.hypot(right - left, bottom - top)), tuple(box), pose.kind.name)


def unhidden(surface, pixels, flesh, size):
    at = np.floor((pixels[:, :2] + 0.5) * OVERSAMPLING).astype(int)
    inside = ((pixels[:, :2] >= -0.5) & (pixels[:, :2] < size - 0.5)).all(1)
    column, row = np.clip(at, 0, size * OVERSAMPLING - 1).astype(int).T
    return inside & (surface.depth[row, column] - pixels[:, 2] <= flesh)


def aim(body: Body, pose: Pose, size: int, rng) -> Camera:
    support = pose.kind.support
    pitch = rng.uniform(-18, 14) if support in ("hands", "trunk") else rng.triangular(-4, 6, 26)
    turn = view_turn(rng.uniform(-180, 180), pitch, rng.normal(0, 2.5))
    solids = body.solids()
    low, high = solids.starts.min(0), solids.starts.max(0)
    distance = FOCAL_LENGTH / 0.8 * max(np.linalg.norm(high - low), 0.3)
    unit = Camera(turn, (low + high) / 2, 1.0, np.zeros(2), distance)
    left, top, right, bottom = outline(unit.look(solids).boxes)
    fill = rng.uniform(0.95, 1.12) if rng.random() < 0.06 else rng.uniform(0.74, 0.92)
    scale = fill * size / max(right - left, bottom - top)
    free = np.maximum(size - scale * np.array([right - left, bottom - top]), 0.02 * size)
    corner = free * rng.uniform(0.12, 0.88, 2)
    return Camera(turn, unit.target, scale, corner - scale * np.array([left, top]) - 0.5, distance)


def draw_light(place, rng) -> Light:
    direction = np.array([rng.uniform(-0.8, 0.8), -rng.uniform(0.45, 1.0), rng.uniform(0.35, 0.9)])
    warm = rng.uniform(-0.05, 0.08)
    strength = rng.uniform(0.55, 0.72)
    around = rng.uniform(0.42, 0.55)
    return Light(direction / np.linalg.norm(direction), strength * np.array([1 + warm, 1, 1 - warm]),
                 around * np.array([0.97, 1.0, 1.06]), 0.55 * around * np.array([1.04, 1.0, 0.92]))
