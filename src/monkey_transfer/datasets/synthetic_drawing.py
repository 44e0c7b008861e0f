"""Drawing of round parts: a camera, a depth buffer, and shading of what is in front.

Camera coordinates are pixels of the finished picture, 0-based, pixel centres at whole numbers, x to
the right, y down, and depth towards the viewer. Perspective is applied to the ends and radii of the
parts (weak perspective within a part), after which the surfaces are found exactly.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from monkey_transfer.datasets.synthetic_bodies import Cone, Material, Part
from monkey_transfer.datasets.synthetic_poses import turn_x, turn_y, turn_z

OVERSAMPLING = 2
FOCAL_LENGTH = 2.4  # in picture sides: a short telephoto lens
_LEVEL = np.array([1.0, -1.0, 1.0])  # y up in the world, down in the picture


@dataclass(frozen=True)
class Camera:
    """Turns the world about ``target``, then projects it: ``scale`` pixels per unit at the target's depth."""

    turn: np.ndarray
    target: np.ndarray
    scale: float
    centre: np.ndarray
    distance: float

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World points (n, 3) -> (x, y, depth) in pixels (n, 3), and how many pixels a unit is there (n,)."""
        seen = (points - self.target) @ self.turn.T
        scale = self.scale * self.distance / (self.distance - seen[:, 2])
        return seen * _LEVEL * scale[:, None] + [*self.centre, 0.0], scale

    def horizon(self) -> float:
        """The row in which level ground ends."""
        return self.centre[1] - self.scale * self.distance * self.turn[2, 1] / max(self.turn[1, 1], 0.2)


class Round(NamedTuple):
    """A part as the camera sees it: a cone from ``start`` to ``end``, or an ellipsoid if ``shape`` (3, 3) is given.

    An ellipsoid is (p - start)' shape (p - start) <= 1; ``extent`` is its half width and half height.
    """

    start: np.ndarray
    end: np.ndarray
    radii: tuple[float, float]
    shape: np.ndarray | None
    extent: np.ndarray


def look(camera: Camera, parts: list[Part]) -> list[Round]:
    """The parts in camera coordinates."""
    starts = np.array([p.shape.start if isinstance(p.shape, Cone) else p.shape.centre for p in parts])
    ends = np.array([p.shape.end if isinstance(p.shape, Cone) else p.shape.centre for p in parts])
    (starts, near), (ends, far) = camera.project(starts), camera.project(ends)
    rounds = []
    for part, start, end, start_scale, end_scale in zip(parts, starts, ends, near, far, strict=True):
        if isinstance(part.shape, Cone):
            radii = (part.shape.start_radius * start_scale, part.shape.end_radius * end_scale)
            rounds.append(Round(start, end, radii, None, np.zeros(2)))
        else:
            axes = (_LEVEL[:, None] * (camera.turn @ part.shape.axes)) * (part.shape.radii * start_scale)
            inverse = np.linalg.inv(axes @ axes.T)
            rounds.append(Round(start, start, (0.0, 0.0), inverse, np.sqrt((axes[:2] ** 2).sum(1))))
    return rounds


def bounds(rounds: list[Round]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the outlines of all ``rounds``."""
    boxes = np.array([_box(r) for r in rounds])
    return (*boxes[:, :2].min(0), *boxes[:, 2:].max(0))


def _box(part: Round) -> tuple[float, float, float, float]:
    if part.shape is not None:
        return (*(part.start[:2] - part.extent), *(part.start[:2] + part.extent))
    (ra, rb), a, b = part.radii, part.start, part.end
    return min(a[0] - ra, b[0] - rb), min(a[1] - ra, b[1] - rb), max(a[0] + ra, b[0] + rb), max(a[1] + ra, b[1] + rb)


class Surface(NamedTuple):
    """What is in front in every sample of the picture: ``depth`` (-inf: nothing) and the ``part`` number (-1: none)."""

    depth: np.ndarray
    part: np.ndarray


def rasterise(rounds: list[Round], size: int) -> Surface:
    """Depth-buffer all parts into (size * OVERSAMPLING) square samples."""
    samples = size * OVERSAMPLING
    grid = _sample_positions(size)
    depth = np.full((samples, samples), -np.inf, np.float32)
    number = np.full((samples, samples), -1, np.int16)
    for i, part in enumerate(rounds):
        left, top, right, bottom = ((np.array(_box(part)) + 0.5) * OVERSAMPLING).astype(int)
        rows, columns = slice(max(top, 0), max(bottom + 1, 0)), slice(max(left, 0), max(right + 1, 0))
        x, y = grid[None, columns] - np.float32(part.start[0]), grid[rows, None] - np.float32(part.start[1])
        if not (x.size and y.size):
            continue
        surface = _cone_depth(part, x, y) if part.shape is None else _blob_depth(part, x, y)
        nearer = surface > depth[rows, columns]
        np.copyto(depth[rows, columns], surface, where=nearer)
        np.copyto(number[rows, columns], np.int16(i), where=nearer)
    return Surface(depth, number)


def _sample_positions(size: int) -> np.ndarray:
    return ((np.arange(size * OVERSAMPLING, dtype=np.float32) + 0.5) / OVERSAMPLING - 0.5).astype(np.float32)


def _blob_depth(part: Round, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    m = part.shape.astype(np.float32)
    b = m[0, 2] * x + m[1, 2] * y
    c = (m[0, 0] * x * x - 1) + m[1, 1] * y * y + (2 * m[0, 1] * x) * y
    root = b * b - m[2, 2] * c
    return np.where(root >= 0, np.float32(part.start[2]) + (np.sqrt(np.maximum(root, 0)) - b) / m[2, 2], -np.inf)


def _cone_depth(part: Round, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Front of the union of spheres c(t) = start + t (end - start), r(t) linear, t in 0 to 1.

    At a sample the sphere t shows the depth z(t) + sqrt(q(t)), with q quadratic in t. Seen from the side
    q is concave, and the largest depth has a closed form, which clipping to 0 to 1 keeps exact. Seen
    from its tip (one end's disc inside the other's) four spheres stand for the cone.
    """
    along, (ra, rb) = (part.end - part.start).astype(np.float32), part.radii
    grow = np.float32(rb - ra)
    bend = along[0] ** 2 + along[1] ** 2 - grow**2
    half = (along[0] * x + np.float32(ra) * grow) + along[1] * y
    q0 = (np.float32(ra) ** 2 - x * x) - y * y
    z0 = np.float32(part.start[2])
    if bend > 0.05 * (ra + rb) ** 2:
        top = np.maximum(q0 + half * half / bend, 0)
        t = np.clip(half / bend + along[2] / np.sqrt(bend * (bend + along[2] ** 2)) * np.sqrt(top), 0, 1)
        return _sphere_depth(q0 + (2 * half - bend * t) * t, z0 + along[2] * t)
    spheres = [_sphere_depth(q0 + (2 * half - bend * t) * t, z0 + along[2] * t) for t in (0.0, 0.33, 0.67, 1.0)]
    return np.maximum.reduce(spheres)


def _sphere_depth(q: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.where(q >= 0, z + np.sqrt(np.maximum(q, 0)), -np.inf).astype(np.float32)


@cache
def noise(kind: str, size: int = 256) -> np.ndarray:
    """A tile of noise in 0 to 1 that repeats without a seam: fine, cloud (fractal) or strand (streaks down the rows)."""
    rng = np.random.default_rng([ord(letter) for letter in kind])

    def blurred(sigma_x: float, sigma_y: float) -> np.ndarray:
        field = np.tile(rng.standard_normal((size, size)).astype(np.float32), (3, 3))
        field = cv2.GaussianBlur(field, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)[size : 2 * size, size : 2 * size]
        return field / field.std()

    if kind == "cloud":
        field = sum(blurred(s, s) * s**0.8 for s in (2, 4, 8, 16, 32))
    else:
        field = blurred(0.8, 5.0) + 0.6 * blurred(2.5, 9.0) if kind == "strand" else blurred(0.9, 0.9)
    return np.clip(0.5 + 0.2 * field / field.std(), 0, 1).astype(np.float32)


class Light(NamedTuple):
    """A lamp from ``direction`` (camera coordinates, unit length), its colour, and the light of the surroundings."""

    direction: np.ndarray
    colour: np.ndarray
    sky: np.ndarray
    ground: np.ndarray


def ruffle(surface: Surface, shaggy: np.ndarray, offset: int) -> tuple[Surface, np.ndarray, np.ndarray]:
    """Break up the outlines of ``shaggy`` parts (one flag a part) like fur.

    Every sample takes what is a little way off, where noise says so. Returns the surface and, for every
    sample, the row and column that it was taken from.
    """
    side = len(surface.part)
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    tile = np.roll(noise("fine"), offset, axis=(0, 1))
    repeat = (side // len(tile) + 1,) * 2
    shift = [(np.tile(t, repeat)[:side, :side] * 9).astype(int) - 4 for t in (tile, tile.T)]
    far_rows, far_columns = (np.clip(a + s, 0, side - 1) for a, s in zip((rows, columns), shift, strict=True))
    either = shaggy[surface.part] | shaggy[surface.part[far_rows, far_columns]]
    rows, columns = np.where(either, far_rows, rows), np.where(either, far_columns, columns)
    return Surface(surface.depth[rows, columns], surface.part[rows, columns]), rows, columns


def shade(
    surface: Surface, parts: list[Part], rounds: list[Round], materials: dict[str, Material], camera: Camera, light: Light,
    offset: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Colour of the picture where there is a part, times its coverage (size, size, 3), and coverage (size, size)."""
    shaggy = np.array([materials[p.material].pattern in ("fur", "hair", "bark", "leaf") for p in parts] + [False])
    surface, rows, columns = ruffle(surface, shaggy, offset)
    hit = surface.part >= 0
    number = surface.part[hit]
    side = len(hit)
    grid = _sample_positions(side // OVERSAMPLING)
    points = np.stack([grid[columns[hit]], grid[rows[hit]], surface.depth[hit]], axis=1)

    frames = np.array([_LEVEL[:, None] * (camera.turn @ p.frame.axes) for p in parts], np.float32)
    origins, scales = camera.project(np.array([p.frame.origin for p in parts]))
    own = frames[number]
    normals = _soften(_normals(points, number, rounds), hit)
    local = np.einsum("ni,nij->nj", points - origins.astype(np.float32)[number], own)
    local /= scales.astype(np.float32)[number][:, None]
    facing = np.einsum("ni,nij->nj", normals, own)

    names = list(materials)
    kind = np.array([names.index(p.material) for p in parts])[number]
    albedo, gloss = _albedo(kind, list(materials.values()), local, facing, offset)
    colours = albedo * _illumination(normals, surface.depth, hit, light)
    shine = np.maximum(normals @ _half_way(light.direction), 0) ** 24 * gloss
    colours += shine[:, None] * light.colour

    canvas = np.zeros((side, side, 4), np.float32)
    canvas[hit, :3], canvas[hit, 3] = np.clip(colours, 0, 1), 1
    small = cv2.resize(canvas, (side // OVERSAMPLING,) * 2, interpolation=cv2.INTER_AREA)
    return small[..., :3], small[..., 3]


def _half_way(direction: np.ndarray) -> np.ndarray:
    half = direction + [0, 0, 1]
    return (half / np.linalg.norm(half)).astype(np.float32)


def _normals(points: np.ndarray, number: np.ndarray, rounds: list[Round]) -> np.ndarray:
    """Outward directions (n, 3) of the surfaces on which ``points`` lie, not of unit length."""
    start = np.array([r.start for r in rounds], np.float32)[number]
    along = np.array([r.end - r.start for r in rounds], np.float32)
    radii = np.array([r.radii for r in rounds], np.float32)
    shapes = np.array([np.eye(3) if r.shape is None else r.shape for r in rounds], np.float32)
    from_start = points - start
    # On a cone the foot of the normal is ahead of the foot of the perpendicular by the slope of the side.
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-6)
    slope = np.clip((radii[:, 0] - radii[:, 1]) / length, -0.99, 0.99)
    foot = np.einsum("ni,ni->n", from_start, (along / length[:, None])[number])
    t = (foot - (radii[:, 0] * slope)[number]) / (length * (1 - slope**2))[number]
    from_axis = from_start - np.clip(t, 0, 1)[:, None] * along[number]
    return np.einsum("nij,nj->ni", shapes[number], from_axis)


def _soften(normals: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Unit normals, blurred over the seams between parts so that a body looks like one skin."""
    field = np.zeros((*hit.shape, 3), np.float32)
    field[hit] = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    soft = 0.45 * field[hit] + 0.55 * cv2.GaussianBlur(field, (9, 9), 2.0)[hit]
    return soft / np.maximum(np.linalg.norm(soft, axis=1, keepdims=True), 1e-6)


def _illumination(normals: np.ndarray, depth: np.ndarray, hit: np.ndarray, light: Light) -> np.ndarray:
    """Light (n, 3) on every sample hit: the lamp, the surroundings, and the shade of what is just in front of it."""
    lamp = np.clip((normals @ light.direction.astype(np.float32) + 0.25) / 1.25, 0, 1)
    up = 0.5 - 0.5 * normals[:, 1]
    around = light.ground + (light.sky - light.ground) * up[:, None]
    quarter = cv2.resize(np.where(hit, depth, np.nan_to_num(depth[hit].mean())).astype(np.float32), None, fx=0.25, fy=0.25)
    blurred = cv2.resize(cv2.GaussianBlur(quarter, (0, 0), 3.0), hit.shape[::-1], interpolation=cv2.INTER_LINEAR)
    shaded = np.clip((blurred[hit] - depth[hit]) / 22, 0, 0.5)
    rim = np.clip(1 - normals[:, 2], 0, 1) ** 3 * 0.16
    return (around + lamp[:, None] * light.colour) * (1 - shaded - rim)[:, None]


def _albedo(kind: np.ndarray, materials: list[Material], local: np.ndarray, facing: np.ndarray, offset: int):
    """Surface colour (n, 3) and gloss (n,), from the position and direction in the part's own frame."""
    first = np.array([m.colour for m in materials], np.float32)[kind]
    second = np.array([m.second for m in materials], np.float32)[kind]
    mix = np.zeros(len(kind), np.float32)
    grain = np.full(len(kind), 1.0, np.float32)
    for i, material in enumerate(materials):
        of = np.flatnonzero(kind == i)
        if of.size:
            mix[of], grain[of] = _pattern(material, local[of], facing[of], offset)
    colours = (first + (second - first) * mix[:, None]) * grain[:, None]
    return colours, np.array([m.gloss for m in materials], np.float32)[kind]


def _pattern(material: Material, local: np.ndarray, facing: np.ndarray, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Share of the second colour and brightness of samples at ``local`` whose surface is turned to ``facing``."""
    x, y, z = local.T * material.scale
    cloth = 0.94 + 0.12 * _tile("fine", x * 9 + z * 7, y * 9, offset)
    if material.pattern == "stripes":
        return (np.sin(2 * np.pi * y) > 0.2) * 1.0, cloth
    if material.pattern == "checks":
        return 0.5 * (np.sin(2 * np.pi * y * 0.6) > 0) + 0.5 * (np.sin(2 * np.pi * x * 0.6) > 0), cloth
    if material.pattern == "dots":
        return ((x % 1 - 0.5) ** 2 + (y % 1 - 0.5) ** 2 < 0.06) * 1.0, cloth
    if material.pattern == "print":
        return ((local[:, 0] / 0.045) ** 2 + ((local[:, 1] - 0.115) / 0.035) ** 2 < 1) * (facing[:, 2] > 0.3), cloth
    if material.pattern in ("fur", "hair"):
        strands = _tile("strand", (x + z) * 9, y * 3, offset)
        belly = np.clip(facing[:, 2] * 1.4 - 0.15, 0, 0.85) if material.pattern == "fur" else 0.0
        return np.clip(belly + 0.5 * (strands - 0.5), 0, 1), 0.62 + 0.72 * strands
    if material.pattern == "bark":
        strands = _tile("strand", np.arctan2(facing[:, 0], facing[:, 2]) * 30, y * 2.5, offset)
        return np.clip(1.6 * strands - 0.4, 0, 1), 0.75 + 0.5 * strands
    if material.pattern == "leaf":
        return _tile("cloud", x * 6, y * 6, offset), 0.7 + 0.6 * _tile("fine", x * 3, y * 3, offset)
    return np.zeros(len(local)), 0.97 + 0.06 * _tile("fine", x * 8 + z * 5, y * 8, offset)


def _tile(kind: str, column: np.ndarray, row: np.ndarray, offset: int) -> np.ndarray:
    tile = noise(kind)
    return tile[(row + offset).astype(int) % len(tile), (column + offset).astype(int) % len(tile)]


def view_turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """World to camera: the subject turned by ``yaw`` about the vertical, seen from ``pitch`` degrees above."""
    return turn_z(roll) @ turn_x(pitch) @ turn_y(yaw)
