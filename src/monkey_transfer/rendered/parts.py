"""What rendered primates and their props are built of: round parts, and their materials.

A body is a list of parts, tapered capsules and ellipsoids. Every part carries the frame of the segment it belongs to,
in which its material's pattern is laid out, so that a stripe runs round the chest whatever the pose.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from monkey_transfer.rendered.kinematics import SegmentFrame

Colour = Sequence[float] | np.ndarray  # red, green and blue, 0 to 1


class Material(NamedTuple):
    """A surface: two colours, how they alternate, and how glossy it is.

    ``pattern`` is plain, stripes, checks, dots, print (a badge on the chest), fur (second colour on the
    belly side), hair, bark, leaf or stone. ``scale`` is the number of repeats per unit of body length.
    """

    colour: Colour
    second: Colour
    pattern: str = "plain"
    scale: float = 30.0
    gloss: float = 0.1


class Part(NamedTuple):
    """A tapered capsule from ``start`` to ``end`` with two ``radii``, or an ellipsoid at ``start`` with three.

    Positions are in ``frame``; ``tilt`` turns an ellipsoid's axes against the frame's. ``role`` is body, head, tail or
    prop (no part of the animal).
    """

    frame: SegmentFrame
    start: tuple[float, ...]
    end: tuple[float, ...]
    radii: tuple[float, ...]
    tilt: np.ndarray
    material: str
    role: str


class Solids(NamedTuple):
    """Parts in the world, as arrays with one row a part: ends of capsules, centres and half axes of ellipsoids.

    The half axes of a capsule and the radii of an ellipsoid are zero.
    """

    origins: np.ndarray  # (n, 3) of the frames
    axes: np.ndarray  # (n, 3, 3) of the frames
    starts: np.ndarray  # (n, 3)
    ends: np.ndarray  # (n, 3)
    radii: np.ndarray  # (n, 2) at start and end
    half_axes: np.ndarray  # (n, 3, 3), one a column

    def lowest(self) -> float:
        """Height of the lowest point of all parts."""
        capsules = np.minimum(self.starts[:, 1] - self.radii[:, 0], self.ends[:, 1] - self.radii[:, 1])
        return float((capsules - np.linalg.norm(self.half_axes[:, 1], axis=1)).min())


UPRIGHT = np.eye(3)
WORLD = SegmentFrame(np.zeros(3), UPRIGHT)


class Body:
    """Parts and materials under construction."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.materials: dict[str, Material] = {}

    def cone(self, frame: SegmentFrame, start, end, radii, material: str, role: str = "body") -> None:
        """Add a tapered capsule."""
        self.parts.append(Part(frame, start, end, radii, UPRIGHT, material, role))

    def blob(self, frame: SegmentFrame, centre, radii, material: str, role: str = "body", tilt=UPRIGHT) -> None:
        """Add an ellipsoid."""
        self.parts.append(Part(frame, centre, centre, tuple(radii), tilt, material, role))

    def solids(self) -> Solids:
        """All parts so far, in the world."""
        origins = np.array([part.frame.origin for part in self.parts])
        axes = np.array([part.frame.axes for part in self.parts])
        starts, ends = (np.array([part[k] for part in self.parts], float) for k in (1, 2))
        radii = np.array([part.radii if len(part.radii) == 2 else (0, 0) for part in self.parts], float)
        sizes = np.array([part.radii if len(part.radii) == 3 else (0, 0, 0) for part in self.parts], float)
        return Solids(
            origins,
            axes,
            origins + np.einsum("nij,nj->ni", axes, starts),
            origins + np.einsum("nij,nj->ni", axes, ends),
            radii,
            axes @ np.array([part.tilt for part in self.parts]) * sizes[:, None],
        )
