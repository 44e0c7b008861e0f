"""Tiles of noise that repeat without a seam, and ways to lay them out."""

from functools import cache

import cv2
import numpy as np

NOISE_SIDE = 256


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


def rolled(kind: str, shift: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Noise of any ``shape`` whose tile is rolled down and to the right by ``shift``."""
    rows, columns = (-s % NOISE_SIDE for s in shift)
    repeat = (max(shape) - 1) // NOISE_SIDE + 2
    return _repeated(kind, repeat)[rows : rows + shape[0], columns : columns + shape[1]]


@cache
def _repeated(kind: str, repeat: int) -> np.ndarray:
    return np.tile(noise(kind), (repeat, repeat))


def tiled(kind: str, column: np.ndarray, row: np.ndarray, offset: int) -> np.ndarray:
    """Noise at any (column, row), in samples of the tile, moved by ``offset``."""
    # The bitwise "and" is the remainder of a division by the power of two, many times faster.
    row, column = ((a + offset).astype(np.int32) & (NOISE_SIDE - 1) for a in (row, column))
    return noise(kind).ravel().take(row * NOISE_SIDE + column)
