"""Drawing of round parts: a camera, and a depth buffer that tells what is in front.

Camera coordinates are pixels of the finished picture, 0-based, pixel centres at whole numbers, x to
the right, y down, and depth towards the viewer. Perspective is applied to the ends and radii of the
parts (weak perspective within a part), after which the surfaces are found exactly.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monkey_transfer.rendered.kinematics import turn_x, turn_y, turn_z
from monkey_transfer.rendered.parts import Solids

OVERSAMPLING = 1.5  # samples a pixel, across and down
FOCAL_LENGTH = 2.4  # in picture sides: a short telephoto lens
_LEVEL = np.array([1.0, -1.0, 1.0])  # y up in the world, down in the picture


def view_turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """World to camera: the subject turned by ``yaw`` about the vertical, seen from ``pitch`` degrees above."""
    return turn_z(roll) @ turn_x(pitch) @ turn_y(yaw)


class Seen(NamedTuple):
    """Parts in camera coordinates, one row a part; first :class:`~monkey_transfer.rendered.parts.Solids`."""

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
    """Depth-buffer all parts into the samples of a picture ``size`` pixels square."""
    samples = round(size * OVERSAMPLING)
    depth = np.full((samples, samples), -np.inf, np.float32)
    number = np.full((samples, samples), -1, np.int16)
    boxes = np.clip((seen.boxes + 0.5) * OVERSAMPLING + [0, 0, 1, 1], 0, samples).astype(int)
    for i, ((left, top, right, bottom), front) in enumerate(zip(boxes.tolist(), _fronts(seen, boxes), strict=True)):
        behind = depth[top:bottom, left:right]
        front = front.reshape(behind.shape)
        np.putmask(number[top:bottom, left:right], front > behind, i)
        np.fmax(behind, front, out=behind)
    return Surface(depth, number)


def sample_positions(samples: int) -> np.ndarray:
    """Where the samples of a row or column are, in pixels."""
    return ((np.arange(samples) + 0.5) / OVERSAMPLING - 0.5).astype(np.float32)


class _Boxed(NamedTuple):
    """The samples in the boxes of some parts, row by row and box after box.

    So all parts of a kind are drawn in one go: most are so small that calling NumPy costs more than the arithmetic.
    """

    seen: Seen
    area: np.ndarray  # samples in each box
    x: np.ndarray  # of every sample, from the part's start
    y: np.ndarray

    def each(self, values: np.ndarray) -> np.ndarray:
        """The values of the parts (n,) as values of the samples."""
        return np.repeat(values.astype(np.float32), self.area)


def _boxed(seen: Seen, boxes: np.ndarray) -> _Boxed:
    (left, top), (width, height) = boxes[:, :2].T, (boxes[:, 2:] - boxes[:, :2]).T
    row_width, area = np.repeat(width, height), width * height
    columns, rows = _ranges(np.repeat(left, height), row_width), _ranges(top, height)
    grid = sample_positions(int(boxes.max(initial=0)))
    start_x, start_y = (np.repeat(seen.starts[:, k].astype(np.float32), area) for k in (0, 1))
    return _Boxed(seen, area, grid.take(columns) - start_x, np.repeat(grid[rows], row_width) - start_y)


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Whole numbers counted up from each of ``starts``, as many as ``lengths`` says, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(lengths.sum()) + np.repeat(starts - ends + lengths, lengths)


def _fronts(seen: Seen, boxes: np.ndarray) -> list[np.ndarray]:
    """Depth of every part in the samples of its box; NaN beside the part, where a root is of a negative number."""
    fronts = [np.empty(0, np.float32)] * len(boxes)
    from_tip = _bend(seen) <= 0.05 * seen.radii.sum(axis=1) ** 2
    kinds = {
        _ellipsoid_depth: seen.round,
        _capsule_depth: ~seen.round & ~from_tip,
        _capsule_depth_from_tip: ~seen.round & from_tip,
    }
    for depth, of_kind in kinds.items():
        boxed = _boxed(Seen(*(values[of_kind] for values in seen)), boxes[of_kind])
        with np.errstate(invalid="ignore"):
            front = depth(boxed)
        ends = np.cumsum(boxed.area)
        for i, start, end in zip(np.flatnonzero(of_kind), ends - boxed.area, ends, strict=True):
            fronts[i] = front[start:end]
    return fronts


def _ellipsoid_depth(boxed: _Boxed) -> np.ndarray:
    x, y, each = boxed.x, boxed.y, boxed.each
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = boxed.seen.forms.transpose(1, 2, 0)
    b = each(xz) * x + each(yz) * y
    c = (each(xx) * x * x - 1) + each(yy) * y * y + (each(2 * xy) * x) * y
    return (np.sqrt(b * b - each(zz) * c) - b) * each(1 / zz) + each(boxed.seen.starts[:, 2])


def _bend(seen: Seen) -> np.ndarray:
    """How far capsules are from being seen from their tip: below 0 one end's disc lies inside the other's."""
    along, radii = seen.ends - seen.starts, seen.radii
    return along[:, 0] ** 2 + along[:, 1] ** 2 - (radii[:, 1] - radii[:, 0]) ** 2


def _capsule_depth(boxed: _Boxed) -> np.ndarray:
    """Front of the union of spheres c(t) = start + t along, r(t) = ra + t (rb - ra), t in 0 to 1.

    At a sample the sphere t shows the depth z(t) + sqrt(q(t)), with q = q0 + (2 half - bend t) t. Seen from
    the side q is concave, and the largest depth has a closed form, which clipping to 0 to 1 keeps exact.
    """
    half, q0 = _capsule_discs(boxed)
    bend, deep = _bend(boxed.seen), (boxed.seen.ends - boxed.seen.starts)[:, 2]
    t = half * boxed.each(1 / bend)
    t += boxed.each(deep / np.sqrt(bend * (bend + deep**2))) * np.sqrt(np.maximum(q0 + half * t, 0))
    t = t.clip(0, 1)
    discs = np.sqrt(q0 + (2 * half - boxed.each(bend) * t) * t)
    return discs + (boxed.each(boxed.seen.starts[:, 2]) + boxed.each(deep) * t)


def _capsule_depth_from_tip(boxed: _Boxed) -> np.ndarray:
    """Front of four of the spheres of which a capsule is the union."""
    half, q0 = _capsule_discs(boxed)
    bend, deep, each = _bend(boxed.seen), (boxed.seen.ends - boxed.seen.starts)[:, 2], boxed.each
    return np.fmax.reduce(
        [
            np.sqrt(q0 + (2 * half - each(bend * t)) * np.float32(t)) + each(boxed.seen.starts[:, 2] + deep * t)
            for t in (0.0, 0.33, 0.67, 1.0)
        ]
    )


def _capsule_discs(boxed: _Boxed) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients ``half`` and ``q0`` of the depth of a capsule's spheres."""
    x, y, each = boxed.x, boxed.y, boxed.each
    along, radius = boxed.seen.ends - boxed.seen.starts, boxed.seen.radii[:, 0]
    half = (each(along[:, 0]) * x + each(radius * (boxed.seen.radii[:, 1] - radius))) + each(along[:, 1]) * y
    return half, (each(radius**2) - x * x) - y * y
