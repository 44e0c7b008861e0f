"""One rendered picture: a primate in a pose, in a place, seen from somewhere, and what is known about it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from monkey_transfer.errors import StudyError
from monkey_transfer.rendered.backgrounds import paint
from monkey_transfer.rendered.bodies import BUILDERS
from monkey_transfer.rendered.choices import Rng, place_of
from monkey_transfer.rendered.drawing import FOCAL_LENGTH, OVERSAMPLING, Camera, Surface, outline, rasterise, view_turn
from monkey_transfer.rendered.parts import Solids
from monkey_transfer.rendered.postures import draw_pose
from monkey_transfer.rendered.props import add_props, cast_shadow
from monkey_transfer.rendered.shading import Light, shade
from monkey_transfer.skeletons import MPII_16, without_side

SPECIES = ("human", "macaque")

# How deep a joint may lie under the surface in front of it and still count as visible: a little more than the flesh and
# clothing around it, in lengths of the body.
_FLESH = {
    "ankle": 0.036, "knee": 0.050, "hip": 0.085, "pelvis": 0.105, "thorax": 0.085, "upper_neck": 0.080,
    "head_top": 0.070, "wrist": 0.034, "elbow": 0.042, "shoulder": 0.065,
}  # fmt: skip
FLESH = np.array([_FLESH[without_side(joint)] for joint in MPII_16.keypoints])


@dataclass(frozen=True)
class Rendered:
    """A picture and what is known about it.

    Attributes
    ----------
    image : (size, size, 3) uint8, RGB.
    joints : (16, 2) float64, x and y of MPII_16's joints in pixels, 0-based pixel centres; left and
        right are the subject's own. A joint may lie outside the picture.
    visible : (16,) bool, in the picture and hidden neither by another part of the body nor by a thing.
    head_size : 0.6 x the diagonal of the head's bounding box (MPII, evalMPII `getHeadSize`), in pixels.
    bbox : left, top, right, bottom of the animal with its tail, hidden parts included, cut at the picture's edge.
    pose_name : one of POSE_NAMES.
    """

    image: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    head_size: float
    bbox: tuple[float, float, float, float]
    pose_name: str


def render(species: str, seed: int, index: int, size: int = 160) -> Rendered:
    """Draw picture ``index`` of a seed, ``size`` pixels square: the same arguments give the same bytes.

    Raises StudyError if ``species`` is neither human nor macaque.
    """
    check_species(species)
    rng = np.random.default_rng([seed, SPECIES.index(species), index])
    pose = draw_pose(species, rng)
    body = BUILDERS[species](pose, rng)
    held = pose.kind.support in ("hands", "trunk")
    animal = body.solids()
    camera = _aim(animal, size, (-18, 0, 14) if held else (-4, 6, 26), rng)
    of_animal, of_head = len(body.parts), [part.role == "head" for part in body.parts]

    place = place_of(species, pose.kind.support, rng)
    ground = add_props(body, pose, animal.lowest(), place, rng)
    solids = body.solids()
    light = _draw_light(rng)
    background, has_ground = paint(place, size, camera.horizon(), rng)
    if has_ground:
        background *= cast_shadow(solids, ground, camera, light, size)
    seen = camera.look(solids)
    surface = rasterise(seen, size)
    colours, coverage = shade(surface, seen, body, light, size, offset=int(rng.integers(256)))
    image = np.clip(background * (1 - coverage) + colours, 0, 1)

    positions = pose.joints()
    pixels, scales = camera.project(np.array([positions[joint] for joint in MPII_16.keypoints]))
    left, top, right, bottom = outline(seen.boxes[:of_animal][of_head])
    return Rendered(
        image=cv2.merge((image * 255 + 0.5).astype(np.uint8)),
        joints=pixels[:, :2],
        visible=in_sight(surface, pixels, FLESH * scales, size),
        head_size=0.6 * float(np.hypot(right - left, bottom - top)),
        bbox=tuple(np.clip(outline(seen.boxes[:of_animal]), -0.5, size - 0.5).tolist()),
        pose_name=pose.kind.name,
    )


def check_species(species: str) -> None:
    """StudyError names the species that can be rendered if ``species`` is not one of them."""
    if species not in SPECIES:
        raise StudyError(f"species '{species}' cannot be rendered: choose one of {', '.join(SPECIES)}")


def in_sight(surface: Surface, points: np.ndarray, flesh: np.ndarray, size: int) -> np.ndarray:
    """Which of ``points`` (n, 3) lie in the picture and at most ``flesh`` (n,) pixels under what is in front there."""
    inside = ((points[:, :2] >= -0.5) & (points[:, :2] < size - 0.5)).all(axis=1)
    column, row = np.clip((points[:, :2] + 0.5) * OVERSAMPLING, 0, len(surface.part) - 1).astype(int).T
    return inside & (surface.depth[row, column] - points[:, 2] <= flesh)


def _aim(solids: Solids, size: int, pitches: tuple[float, float, float], rng: Rng) -> Camera:
    """A camera on a random side of the subject, who fills most of the picture, and now and then more than all of it."""
    turn = view_turn(rng.uniform(-180, 180), rng.triangular(*pitches), rng.normal(0, 2.5))
    low, high = solids.starts.min(axis=0), solids.starts.max(axis=0)
    distance = FOCAL_LENGTH / 0.8 * max(float(np.linalg.norm(high - low)), 0.3)
    near = Camera(turn, (low + high) / 2, 1.0, np.zeros(2), distance)
    box = outline(near.look(solids).boxes)
    fill = rng.uniform(0.96, 1.12) if rng.random() < 0.06 else rng.uniform(0.74, 0.92)
    scale = fill * size / (box[2:] - box[:2]).max()
    corner = (size - scale * (box[2:] - box[:2])) * rng.uniform(0.12, 0.88, 2)
    return replace(near, scale=scale, centre=corner - scale * box[:2] - 0.5)


def _draw_light(rng: Rng) -> Light:
    direction = np.array([rng.uniform(-0.8, 0.8), -rng.uniform(0.45, 1.0), rng.uniform(0.35, 0.9)])
    warmth, lamp, around = rng.uniform(-0.05, 0.08), rng.uniform(0.55, 0.72), rng.uniform(0.42, 0.55)
    return Light(
        direction / np.linalg.norm(direction),
        lamp * np.array([1 + warmth, 1, 1 - warmth]),
        around * np.array([0.97, 1.0, 1.06]),
        0.55 * around * np.array([1.04, 1.0, 0.92]),
    )
