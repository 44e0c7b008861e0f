"""How pictures are varied in training: one warp, gain and bias, and a hole.

DeepLabCut's own transforms blur along a path that shifts the picture under its labels (1.5 pixels rms) and take five
times as long; these move labels exactly with their pixels.
"""

import math

import cv2
import numpy as np

from monkey_transfer.networks.pytorch.settings import Warping

_GREY = 128
_LARGEST_HOLE = 0.4  # of the side


def varied(
    picture: np.ndarray, joints: np.ndarray, mirrored: np.ndarray, warping: Warping, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its joints as training sees them once.

    The picture is flipped, turned, scaled (by a factor whose logarithm is normal) and shifted about its centre in one
    resampling, its values multiplied and moved, and a grey rectangle may cover a part. What is outside is black.

    Parameters
    ----------
    picture : (height, width, 3), RGB, uint8.
    joints : (joints, 2), x and y in its pixels (0-based, pixel centres); NaN where not labelled.
    mirrored : for each joint the index of that which it becomes in a mirrored picture.
    rng : all chance comes from it; the same numbers are drawn whatever is switched off.

    Returns
    -------
    picture, joints
        Of the same shapes; a joint that has left the picture is NaN.
    """
    height, width = picture.shape[:2]
    matrix, flipped = _affine(width, height, warping, rng)
    warped = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR)
    moved = (joints[mirrored] if flipped else joints) @ matrix[:, :2].T + matrix[:, 2]
    outside = (moved < -0.5).any(axis=1) | (moved[:, 0] > width - 0.5) | (moved[:, 1] > height - 0.5)
    moved[outside] = np.nan

    gain, bias = 1 + warping.brightness * rng.uniform(-1, 1), 255 * warping.brightness * rng.uniform(-1, 1)
    if warping.brightness:
        warped = cv2.convertScaleAbs(np.clip(warped * np.float32(gain) + np.float32(bias), 0, 255))
    covered, hole, corner = rng.random(), rng.uniform(0.1, _LARGEST_HOLE, 2), rng.random(2)
    if covered < warping.cutout:
        side = np.array([width, height])
        x, y = (corner * (1 - hole) * side).astype(int)
        across, down = (hole * side).astype(int)
        warped[y : y + down, x : x + across] = _GREY
    return warped, moved


def _affine(width: int, height: int, warping: Warping, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """(2, 3) from pixels of the picture to those of the warped one, and whether it mirrors."""
    flipped = rng.random() < warping.flip
    little, turned, any_angle = rng.uniform(-1, 1), rng.random(), rng.uniform(-180, 180)
    angle = math.radians(any_angle if turned < warping.any_angle else warping.rotation * little)
    scale = math.exp(warping.scaling * rng.standard_normal())
    shift = warping.shift * rng.uniform(-1, 1, 2) * (width, height)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if flipped else 1.0, 1.0])
    centre = np.array([width - 1, height - 1]) / 2
    return np.column_stack([matrix, centre + shift - matrix @ centre]), flipped
