"""Shading of what a depth buffer shows in front: outlines of fur, light, shade, and the patterns of materials.

Coordinates are those of the camera, see :mod:`~monkey_transfer.rendered.drawing`. Values of samples have the samples
along their last axis: NumPy is many times faster when that is a long one.
"""

import math
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from monkey_transfer.rendered.drawing import OVERSAMPLING, Seen, Surface, outline, sample_positions
from monkey_transfer.rendered.noise import noise, tiled
from monkey_transfer.rendered.parts import Body, Material


class Light(NamedTuple):
    """A lamp from ``direction`` (camera coordinates, unit length), its colour, and the light of the surroundings."""

    direction: np.ndarray
    colour: np.ndarray
    sky: np.ndarray
    ground: np.ndarray


class Samples(NamedTuple):
    """What the samples of a window of the picture show, one column a sample, those of one part in a run."""

    window: tuple[int, int]  # height and width
    place: np.ndarray  # (n,) flat index in the window
    counts: np.ndarray  # how many samples show each part
    points: np.ndarray  # (3, n) on the surface, camera coordinates

    def each(self, values: np.ndarray) -> np.ndarray:
        """The values (parts, ...) of the parts as values (..., n) of the samples."""
        return np.repeat(np.moveaxis(values, 0, -1).astype(np.float32), self.counts, axis=-1)

    def spread(self, values: np.ndarray, elsewhere: float) -> np.ndarray:
        """``values`` (n,) as a picture of the window, with ``elsewhere`` where there is no part."""
        field = np.full(self.window[0] * self.window[1], elsewhere, np.float32)
        field[self.place] = values
        return field.reshape(self.window)

    def pick(self, field: np.ndarray) -> np.ndarray:
        """The values (n,) of a picture of the window at the samples."""
        return field.ravel().take(self.place)


def shade(
    surface: Surface, seen: Seen, body: Body, light: Light, size: int, offset: int
) -> tuple[np.ndarray, np.ndarray]:
    """Colour of the picture where there is a part, times its coverage (3, size, size), and coverage (size, size).

    ``offset`` shifts the noise in furs and cloths, so that no two pictures share theirs.
    """
    side = len(surface.part)
    # Everything drawn, with room for ruffled outlines.
    left, top, right, bottom = np.clip(outline(seen.boxes) * OVERSAMPLING + [-6, -6, 8, 8], 0, side).astype(int)
    samples = _sample(surface, np.s_[top:bottom, left:right], body)
    normals = _normals(samples, seen)
    albedo, gloss = _albedo(samples, normals, seen, body, offset)
    half_way = light.direction + [0, 0, 1]
    shine = np.maximum(_along((half_way / np.linalg.norm(half_way)).astype(np.float32), normals), 0)
    shine = (shine**24 * gloss) * _column(light.colour)
    colours = np.clip(albedo * _illumination(samples, normals, light) + shine, 0, 1)

    # Shrinking is slow, so only whole pixels around the window are: every ``step`` samples a pixel begins.
    step = side // math.gcd(side, size)
    rows, columns = (slice(a // step * step, -(-b // step) * step) for a, b in ((top, bottom), (left, right)))
    canvas = np.zeros((rows.stop - rows.start, columns.stop - columns.start, 4), np.float32)
    window = canvas[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start]
    for channel, values in enumerate((*colours, np.float32(1))):
        window[..., channel] = samples.spread(values, 0)
    row, column, height, width = (n * size // side for n in (rows.start, columns.start, *canvas.shape[:2]))
    picture = np.zeros((4, size, size), np.float32)
    shrunk = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    picture[:, row : row + height, column : column + width] = cv2.split(shrunk)
    return picture[:3], picture[3]


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
    here, there = surface.part[window], surface.part.take(away)
    ruffled = shaggy.take(here) | shaggy.take(there)
    part = np.where(ruffled, there, here).ravel()
    place = np.flatnonzero(part >= 0)
    place = place[np.argsort(part[place], kind="stable")]
    counts = np.bincount(part[place], minlength=len(body.parts))
    source = np.where(ruffled, away, straight).ravel()[place]
    grid, row = sample_positions(side), source // side
    points = np.array([grid[source - row * side], grid[row], surface.depth.take(source)])
    return Samples((away.shape[0], away.shape[1]), place, counts, points)


def _normals(samples: Samples, seen: Seen) -> np.ndarray:
    """Directions (3, n), of unit length, in which the surface faces; seams between parts are smoothed."""
    along = (seen.ends - seen.starts).astype(np.float32)
    # On a capsule the foot of the normal is off the foot of the perpendicular by the slope of the side.
    length = np.maximum(np.sqrt([v.dot(v) for v in along]).astype(float), 1e-6)
    slope = np.clip((seen.radii[:, 0] - seen.radii[:, 1]) / length, -0.99, 0.99)
    reach = length * (1 - slope**2)
    from_start = samples.points - samples.each(seen.starts)
    t = _along(samples.each(along / (length * reach).astype(np.float32)[:, None]), from_start)
    t = np.clip(t - samples.each(seen.radii[:, 0] * slope / reach), 0, 1)
    normals = _turned(from_start - t * samples.each(along), samples.each(seen.forms))
    sharp = _unit(normals)
    blurred = np.array([samples.pick(cv2.GaussianBlur(samples.spread(c, 0), (9, 9), 2.0)) for c in sharp])
    return _unit(0.35 * sharp + 0.65 * blurred)


def _turned(vectors: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Vectors (3, n) as rows times the matrices (3, 3, n)."""
    return vectors[0] * turns[0] + vectors[1] * turns[1] + vectors[2] * turns[2]


def _along(directions: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return directions[0] * vectors[0] + directions[1] * vectors[1] + directions[2] * vectors[2]


def _column(vector: np.ndarray) -> np.ndarray:
    return vector.astype(np.float32)[:, None]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.sqrt(np.maximum((vectors * vectors).sum(axis=0), 1e-9))


def _illumination(samples: Samples, normals: np.ndarray, light: Light) -> np.ndarray:
    """Light (3, n) on every sample: the lamp, the surroundings, and the shade of what is just in front of it."""
    depth = samples.points[2]
    lamp = np.clip((_along(light.direction.astype(np.float32), normals) + 0.25) / 1.25, 0, 1)
    up = 0.5 - 0.5 * normals[1]
    sky, ground, colour = (_column(c) for c in (light.sky, light.ground, light.colour))
    field = samples.spread(depth, depth.mean())
    quarter = cv2.GaussianBlur(cv2.resize(field, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), 2.3)
    around = samples.pick(cv2.resize(quarter, field.shape[::-1], interpolation=cv2.INTER_LINEAR))
    shaded = np.clip((around - depth) / 24, 0, 0.45)
    rim = np.clip(1 - normals[2], 0, 1) ** 3 * 0.12
    return (ground + (sky - ground) * up + lamp * colour) * (1 - shaded - rim)


def _albedo(
    samples: Samples, normals: np.ndarray, seen: Seen, body: Body, offset: int
) -> tuple[np.ndarray, np.ndarray]:
    """Surface colour (3, n) and gloss (n,), from the position and direction in the part's own frame."""
    to_own = seen.axes / seen.scales[:, None, None]
    local = _turned(samples.points - samples.each(seen.origins), samples.each(to_own))
    facing = _turned(normals, samples.each(seen.axes))
    names, materials = list(body.materials), list(body.materials.values())
    kind_of_part = np.array([names.index(part.material) for part in body.parts], np.int8)
    kind = np.repeat(kind_of_part, samples.counts)
    mix, grain = np.empty_like(samples.points[:2])
    for i, material in enumerate(materials):
        of = np.flatnonzero(kind == i)
        if of.size:
            mix[of], grain[of] = _pattern(material, local.take(of, axis=1), facing.take(of, axis=1), offset)
    first, second, gloss = (np.array([m[k] for m in materials], np.float32)[kind_of_part] for k in (0, 1, 4))
    return (samples.each(first) + samples.each(second - first) * mix) * grain, samples.each(gloss)


def _pattern(material: Material, local: np.ndarray, facing: np.ndarray, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Share of the second colour and brightness of samples at ``local`` whose surface is turned to ``facing``."""
    x, y, z = local * material.scale
    if material.pattern in ("fur", "hair"):
        strands = tiled("strand", (x + z) * 9, y * 3, offset)
        belly = np.clip(facing[2] * 1.4 - 0.15, 0, 0.85) if material.pattern == "fur" else 0.0
        return np.clip(belly + 0.5 * (strands - 0.5), 0, 1), 0.62 + 0.72 * strands
    if material.pattern == "bark":
        strands = tiled("strand", np.arctan2(facing[0], facing[2]) * 30, y * 2.5, offset)
        return np.clip(1.6 * strands - 0.4, 0, 1), 0.75 + 0.5 * strands
    if material.pattern in ("leaf", "stone"):
        return tiled("cloud", x * 6, y * 6, offset), 0.7 + 0.6 * tiled("fine", x * 3, y * 3, offset)
    if material.pattern == "plain":
        return np.zeros_like(x), 0.97 + 0.06 * tiled("fine", x * 8 + z * 5, y * 8, offset)
    cloth = 0.94 + 0.12 * tiled("fine", x * 9 + z * 7, y * 9, offset)
    if material.pattern == "stripes":
        return (np.sin(2 * np.pi * y) > 0.2) * 1.0, cloth
    if material.pattern == "checks":
        return 0.5 * (np.sin(2 * np.pi * y * 0.6) > 0) + 0.5 * (np.sin(2 * np.pi * x * 0.6) > 0), cloth
    if material.pattern == "dots":
        return ((x % 1 - 0.5) ** 2 + (y % 1 - 0.5) ** 2 < 0.06) * 1.0, cloth
    # A printed badge.
    return ((local[0] / 0.045) ** 2 + ((local[1] - 0.115) / 0.035) ** 2 < 1) * (facing[2] > 0.3), cloth
