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

from monkey_transfer.datasets.synthetic.kinematics import turn_x, turn_y, turn_z
from monkey_transfer.datasets.synthetic.parts import Body, Material, Solids

OVERSAMPLING = 1.5  # samples a pixel, across and down
NOISE_SIDE = 256
FOCAL_LENGTH = 2.4  # in picture sides: a short telephoto lens
_LEVEL = np.array([1.0, -1.0, 1.0])  # y up in the world, down in the picture


def view_turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """World to camera: the subject turned by ``yaw`` about the vertical, seen from ``pitch`` degrees above."""
    return turn_z(roll) @ turn_x(pitch) @ turn_y(yaw)


class Seen(NamedTuple):
    """Parts in camera coordinates, one row a part; see :class:`Solids` for what the first ones are."""

    origins: np.ndarray
    axes: np.ndarray  # (n, 3, 3) unit length
    scales: np.ndarray  # (n,) pixels per unit of length at the frame's origin
    starts: np.ndarray
    ends: np.ndarray
    radii: np.ndarray
    forms: np.ndarray  # (n, 3, 3): an ellipsoid is (p - start)' form (p - start) <= 1; of a capsule, the identity
    round: np.ndarray  # (n,) whether it is an ellipsoid
    boxes: np.ndarray  # (n, 4) left, top, right, bottom of the outline


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

    def look(self, solids: Solids) -> Seen:
        """The parts as this camera sees them."""
        origins, scales = self.project(solids.origins)
        (starts, near), (ends, far) = self.project(solids.starts), self.project(solids.ends)
        view = _LEVEL[:, None] * self.turn
        radii = solids.radii * np.stack([near, far], axis=1)
        half_axes = view @ solids.half_axes * near[:, None, None]
        extents = np.linalg.norm(half_axes, axis=2)[:, :2]
        is_round = extents.any(axis=1)
        squares = (half_axes**2).sum(axis=1)
        stretched = half_axes / np.where(is_round[:, None], squares, 1)[:, None]
        forms = np.where(is_round[:, None, None], stretched @ stretched.transpose(0, 2, 1), np.eye(3))
        low = np.minimum(starts[:, :2] - radii[:, :1], ends[:, :2] - radii[:, 1:]) - extents
        high = np.maximum(starts[:, :2] + radii[:, :1], ends[:, :2] + radii[:, 1:]) + extents
        boxes = np.hstack([low, high])
        return Seen(origins, view @ solids.axes, scales, starts, ends, radii, forms, is_round, boxes)

    def horizon(self) -> float:
        """The row in which level ground ends."""
        return self.centre[1] - self.scale * self.distance * self.turn[2, 1] / max(self.turn[1, 1], 0.2)


def outline(boxes: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom of the box around all ``boxes`` (n, 4)."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


class Surface(NamedTuple):
    """What is in front in every sample of the picture: ``depth`` (-inf: nothing) and the ``part`` number (-1: none)."""

    depth: np.ndarray
    part: np.ndarray


def rasterise(seen: Seen, size: int) -> Surface:
    """Depth-buffer all parts into ``samples_across(size)`` square samples."""
    samples = samples_across(size)
    grid = _sample_positions(samples)
    depth = np.full((samples, samples), -np.inf, np.float32)
    number = np.full((samples, samples), -1, np.int16)
    boxes = np.clip((seen.boxes + 0.5) * OVERSAMPLING + [0, 0, 1, 1], 0, samples).astype(int).tolist()
    starts, alongs, radii = seen.starts.tolist(), (seen.ends - seen.starts).tolist(), seen.radii.tolist()
    forms, is_round = seen.forms.tolist(), seen.round.tolist()
    # Beside a part the root of a negative number gives NaN, which is never nearer than anything.
    with np.errstate(invalid="ignore"):
        for i, (left, top, right, bottom) in enumerate(boxes):
            x, y = grid[None, left:right] - starts[i][0], grid[top:bottom, None] - starts[i][1]
            if is_round[i]:
                surface = _ellipsoid_depth(x, y, starts[i][2], forms[i])
            else:
                surface = _capsule_depth(x, y, starts[i][2], alongs[i], *radii[i])
            behind = depth[top:bottom, left:right]
            nearer = surface > behind
            np.copyto(behind, surface, where=nearer)
            np.copyto(number[top:bottom, left:right], np.int16(i), where=nearer)
    return Surface(depth, number)


def samples_across(size: int) -> int:
    """Samples in a row of a picture ``size`` pixels wide."""
    return round(size * OVERSAMPLING)


def _sample_positions(samples: int) -> np.ndarray:
    return ((np.arange(samples) + 0.5) / OVERSAMPLING - 0.5).astype(np.float32)


def _ellipsoid_depth(x: np.ndarray, y: np.ndarray, z: float, form: list[list[float]]) -> np.ndarray:
    b = form[0][2] * x + form[1][2] * y
    c = (form[0][0] * x * x - 1) + form[1][1] * y * y + (2 * form[0][1] * x) * y
    return (np.sqrt(b * b - form[2][2] * c) - b) * (1 / form[2][2]) + z


def _capsule_depth(x: np.ndarray, y: np.ndarray, z: float, along: list[float], ra: float, rb: float) -> np.ndarray:
    """Front of the union of spheres c(t) = start + t along, r(t) = ra + t (rb - ra), t in 0 to 1.

    At a sample the sphere t shows the depth z(t) + sqrt(q(t)), with q quadratic in t. Seen from the side
    q is concave, and the largest depth has a closed form, which clipping to 0 to 1 keeps exact. Seen
    from its tip (one end's disc inside the other's) four spheres stand for the capsule.
    """
    grow = rb - ra
    bend = along[0] ** 2 + along[1] ** 2 - grow**2
    half = (along[0] * x + ra * grow) + along[1] * y
    q0 = (ra**2 - x * x) - y * y
    if bend > 0.05 * (ra + rb) ** 2:
        t = half * (1 / bend)
        lean = along[2] / (bend * (bend + along[2] ** 2)) ** 0.5
        t += lean * np.sqrt(np.maximum(q0 + half * t, 0))
        np.minimum(np.maximum(t, 0, out=t), 1, out=t)
        return np.sqrt(q0 + (2 * half - bend * t) * t) + (z + along[2] * t)
    return np.fmax.reduce(
        [np.sqrt(q0 + (2 * half - bend * t) * t) + (z + along[2] * t) for t in (0.0, 0.33, 0.67, 1.0)]
    )


@cache
def noise(kind: str) -> np.ndarray:
    """A tile of noise in 0 to 1 that repeats without a seam: fine, cloud (fractal) or strand (vertical streaks)."""
    rng = np.random.default_rng([ord(letter) for letter in kind])
    size = NOISE_SIDE

    def blurred(sigma_x: float, sigma_y: float) -> np.ndarray:
        field = np.tile(rng.standard_normal((size, size)).astype(np.float32), (3, 3))
        field = cv2.GaussianBlur(field, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)[size : 2 * size, size : 2 * size]
        return field / field.std()

    if kind == "cloud":
        field = np.sum([blurred(s, s) * s**0.8 for s in (2, 4, 8, 16, 32)], axis=0)
    else:
        field = blurred(0.8, 5.0) + 0.6 * blurred(2.5, 9.0) if kind == "strand" else blurred(0.9, 0.9)
    return np.clip(0.5 + 0.2 * field / field.std(), 0, 1).astype(np.float32)


class Light(NamedTuple):
    """A lamp from ``direction`` (camera coordinates, unit length), its colour, and the light of the surroundings."""

    direction: np.ndarray
    colour: np.ndarray
    sky: np.ndarray
    ground: np.ndarray


class Samples(NamedTuple):
    """What the samples of a window of the picture show, one row a sample, those of one part in a row."""

    window: tuple[int, int]  # height and width
    place: np.ndarray  # (n,) flat index in the window
    runs: list[tuple[int, slice]]  # part number and its rows
    points: np.ndarray  # (n, 3) on the surface, camera coordinates

    def spread(self, values: np.ndarray, elsewhere: float) -> np.ndarray:
        """``values`` (n, ...) as a picture of the window, with ``elsewhere`` where there is no part."""
        field = np.full((self.window[0] * self.window[1], *values.shape[1:]), elsewhere, np.float32)
        field[self.place] = values
        return field.reshape(*self.window, *values.shape[1:])

    def pick(self, field: np.ndarray) -> np.ndarray:
        """The values (n, ...) of a picture of the window at the samples."""
        return field.reshape(-1, *field.shape[2:])[self.place]


def shade(
    surface: Surface, seen: Seen, body: Body, light: Light, size: int, offset: int
) -> tuple[np.ndarray, np.ndarray]:
    """Colour of the picture where there is a part, times its coverage (size, size, 3), and coverage (size, size).

    ``offset`` shifts the noise in furs and cloths, so that no two pictures share theirs.
    """
    side = len(surface.part)
    # Everything drawn, with room for ruffled outlines.
    left, top, right, bottom = np.clip(outline(seen.boxes) * OVERSAMPLING + [-6, -6, 8, 8], 0, side).astype(int)
    samples = _sample(surface, np.s_[top:bottom, left:right], body)
    normals = _normals(samples, seen)
    to_own = (seen.axes / seen.scales[:, None, None]).astype(np.float32)
    origins, axes = seen.origins.astype(np.float32), seen.axes.astype(np.float32)
    local, facing = np.empty_like(samples.points), np.empty_like(samples.points)
    for i, run in samples.runs:
        local[run] = _turned(samples.points[run] - origins[i], to_own[i])
        facing[run] = _turned(normals[run], axes[i])

    names = list(body.materials)
    kind = np.empty(len(samples.points), np.int8)
    for i, run in samples.runs:
        kind[run] = names.index(body.parts[i].material)
    albedo, gloss = _albedo(kind, list(body.materials.values()), local, facing, offset)
    half_way = light.direction + [0, 0, 1]
    shine = np.maximum(_along(normals, (half_way / np.linalg.norm(half_way)).astype(np.float32)), 0)
    shine = (shine**24 * gloss)[:, None] * light.colour.astype(np.float32)
    colours = np.clip(albedo * _illumination(samples, normals, light) + shine, 0, 1)

    canvas = np.zeros((side, side, 4), np.float32)
    covered = np.concatenate([colours, np.ones((len(colours), 1), np.float32)], axis=1)
    canvas[top:bottom, left:right] = samples.spread(covered, 0)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return small[..., :3], small[..., 3]


@cache
def _ruffle(side: int) -> np.ndarray:
    """For every sample of a picture (side, side) the flat index of one a little way off."""
    rows, columns = np.indices((side, side))
    tile = cv2.resize(noise("fine"), None, fx=1.2, fy=1.2)
    repeat = (side // len(tile) + 1,) * 2
    down, across = (np.round((np.tile(t, repeat)[:side, :side] - 0.5) * 5.5).astype(int) for t in (tile, tile.T))
    return np.clip(rows + down, 0, side - 1) * side + np.clip(columns + across, 0, side - 1)


def _sample(surface: Surface, window: tuple[slice, slice], body: Body) -> Samples:
    """What the samples in ``window`` show, with the outlines of furry parts broken up like fur."""
    side = len(surface.part)
    patterns = [body.materials[part.material].pattern for part in body.parts]
    shaggy = np.array([pattern in ("fur", "hair", "leaf") for pattern in patterns] + [False])
    away = _ruffle(side)[window]
    straight = np.arange(side * side).reshape(side, side)[window]
    parts, depths = surface.part.ravel(), surface.depth.ravel()
    source = np.where(shaggy[surface.part[window]] | shaggy[parts[away]], away, straight).ravel()
    part = parts[source]
    place = np.flatnonzero(part >= 0)
    place = place[np.argsort(part[place], kind="stable")]
    edges = np.searchsorted(part[place], np.arange(len(body.parts) + 1)).tolist()
    runs = [(i, slice(*edges[i : i + 2])) for i in range(len(body.parts)) if edges[i] < edges[i + 1]]
    grid, source = _sample_positions(side), source[place]
    points = np.stack([grid[source % side], grid[source // side], depths[source]], axis=1)
    return Samples((straight.shape[0], straight.shape[1]), place, runs, points)


def _normals(samples: Samples, seen: Seen) -> np.ndarray:
    """Directions (n, 3), of unit length, in which the surface faces; seams between parts are smoothed."""
    starts, alongs = seen.starts.astype(np.float32), (seen.ends - seen.starts).astype(np.float32)
    forms = seen.forms.astype(np.float32)
    normals = np.empty_like(samples.points)
    for i, run in samples.runs:
        from_start = samples.points[run] - starts[i]
        if seen.round[i]:
            normals[run] = _turned(from_start, forms[i])
        else:
            # On a capsule the foot of the normal is off the foot of the perpendicular by the slope of the side.
            length = max(float(np.linalg.norm(alongs[i])), 1e-6)
            slope = min(max((seen.radii[i, 0] - seen.radii[i, 1]) / length, -0.99), 0.99)
            reach = length * (1 - slope**2)
            t = _along(from_start, alongs[i] / np.float32(length * reach)) - np.float32(
                seen.radii[i, 0] * slope / reach
            )
            normals[run] = from_start - np.clip(t, 0, 1)[:, None] * alongs[i]
    sharp = _unit(normals)
    blurred = cv2.GaussianBlur(samples.spread(sharp, 0), (9, 9), 2.0)
    return _unit(0.35 * sharp + 0.65 * samples.pick(blurred))


# Not "@": BLAS splits so small a product over threads, which then wait for each other.
def _turned(vectors: np.ndarray, turn: np.ndarray) -> np.ndarray:
    return np.einsum("ni,ij->nj", vectors, turn)


def _along(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    return np.einsum("ni,i->n", vectors, direction)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.sqrt(np.maximum((vectors * vectors).sum(axis=1, keepdims=True), 1e-9))


def _illumination(samples: Samples, normals: np.ndarray, light: Light) -> np.ndarray:
    """Light (n, 3) on every sample: the lamp, the surroundings, and the shade of what is just in front of it."""
    depth = samples.points[:, 2]
    lamp = np.clip((_along(normals, light.direction.astype(np.float32)) + 0.25) / 1.25, 0, 1)
    up = 0.5 - 0.5 * normals[:, 1:2]
    sky, ground, colour = (c.astype(np.float32) for c in (light.sky, light.ground, light.colour))
    field = samples.spread(depth, depth.mean())
    quarter = cv2.GaussianBlur(cv2.resize(field, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), 2.3)
    around = samples.pick(cv2.resize(quarter, field.shape[::-1], interpolation=cv2.INTER_LINEAR))
    shaded = np.clip((around - depth) / 24, 0, 0.45)
    rim = np.clip(1 - normals[:, 2], 0, 1) ** 3 * 0.12
    return (ground + (sky - ground) * up + lamp[:, None] * colour) * (1 - shaded - rim)[:, None]


def _albedo(kind: np.ndarray, materials: list[Material], local: np.ndarray, facing: np.ndarray, offset: int):
    """Surface colour (n, 3) and gloss (n,), from the position and direction in the part's own frame."""
    first, second = (np.array([m[k] for m in materials], np.float32)[kind] for k in (0, 1))
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
    if material.pattern in ("leaf", "stone"):
        return _tile("cloud", x * 6, y * 6, offset), 0.7 + 0.6 * _tile("fine", x * 3, y * 3, offset)
    return np.zeros(len(local)), 0.97 + 0.06 * _tile("fine", x * 8 + z * 5, y * 8, offset)


def _tile(kind: str, column: np.ndarray, row: np.ndarray, offset: int) -> np.ndarray:
    tile = noise(kind)
    return tile[(row + offset).astype(int) % NOISE_SIDE, (column + offset).astype(int) % NOISE_SIDE]
