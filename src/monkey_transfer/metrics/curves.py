"""Learning curves turned round: how many people one curve needs for what another reaches.

That number is no mean of anything, so its interval is not a formula: points are drawn together as they might have come
out with other test people and other seeds, with the variances of :mod:`monkey_transfer.metrics.estimate`, and each draw
is turned round. ``benchmarks.learning_curves`` measures how often the intervals hold the truth.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.interpolate import PchipInterpolator

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.estimate import variances

# Of a learning curve: an arm at one number of images.
_Point = TypeVar("_Point", bound=Hashable)

# Steps between the smallest and the largest number of people, evenly on a logarithmic scale.
_GRID = 400


class Draws(NamedTuple):
    """A number and what it might have been with other people and other seeds: ``replicates``, shape (resamples,)."""

    value: float
    replicates: np.ndarray

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Percentile bounds; infinite where so many replicates are, NaN where one is undefined."""
        tails = (1 - level) / 2, (1 + level) / 2
        # Not interpolated, since between a number and infinity there is nothing.
        low, high = np.quantile(self.replicates, tails, method="nearest")
        return float(low), float(high)


def draws(runs: Mapping[_Point, Sequence[Replicates]], groups: float, seed: int = 0) -> dict[_Point, Draws]:
    """The mean over training seeds of every point of the curves that are compared, drawn together.

    Other people come from the resamples, which all points share, other seeds from Student's t: each draw weights the
    seeds' deviations from their mean by normal numbers, the same for all points, so that arms whose n-th seed learnt
    the same people stay paired.

    Parameters
    ----------
    runs : for each point, an arm and its number of images, one score per training seed, in the same order.
    groups : of how many groups the people are (:func:`monkey_transfer.metrics.estimate.effective_groups`).
    seed : of the draws.
    """
    rng = np.random.default_rng(seed)
    first = next(iter(runs.values()))
    seeds, resamples = len(first), len(first[0].resampled)
    few_groups = _heavier_tails(groups - 1, resamples, rng)
    weights = rng.standard_normal((resamples, seeds))
    few_seeds = _heavier_tails(seeds - 1, resamples, rng) if seeds > 1 else np.zeros(resamples)
    drawn = {}
    for point, of_seeds in runs.items():
        values = np.array([run.value for run in of_seeds])
        resampled = np.mean([run.resampled for run in of_seeds], axis=0)
        found = variances(of_seeds, groups)
        # As wide as the people's part of the variance is, where resampling also holds part of the seeds'.
        width = np.sqrt(max(0.0, found.people - found.both) / resampled.var()) if resampled.var() > 0 else 0.0
        of_people = width * few_groups * (resampled - resampled.mean())
        of_training = few_seeds * (weights @ (values - values.mean())) / np.sqrt(seeds * max(1, seeds - 1))
        drawn[point] = Draws(float(values.mean()), values.mean() + of_people + of_training)
    return drawn


def _heavier_tails(freedom: float, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Factors that make Student's t of normal numbers."""
    return np.sqrt(freedom / rng.chisquare(freedom, resamples))


def equivalent_size(score: Draws, curve: Mapping[int, Draws]) -> Draws:
    """How many people another learning curve needs to reach a score.

    The curve is made to rise (isotonic regression), drawn through its points by monotone cubic interpolation over
    the logarithm of the number of people, and followed to the first place where it reaches the score. Nothing is
    extrapolated: 0 where its smallest number of people already does, infinity where its largest does not.

    Parameters
    ----------
    curve : number of people -> draws, from the same call of :func:`draws` as ``score``.

    Raises StudyError for a curve of fewer than two points.
    """
    if len(curve) < 2:
        raise StudyError(f"a learning curve needs two numbers of people, got {len(curve)}: give its arm more images")
    sizes = np.array(sorted(curve), float)
    points = [curve[int(size)] for size in sizes]
    values = np.column_stack([[point.value, *point.replicates] for point in points])
    reached = _first_size(np.append(score.value, score.replicates), sizes, _rising(values))
    return Draws(float(reached[0]), reached[1:])


def _first_size(scores: np.ndarray, sizes: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """(n,) where each of the rising ``curves`` (n, sizes) first reaches its score."""
    grid = np.linspace(np.log(sizes[0]), np.log(sizes[-1]), _GRID + 1)
    heights = PchipInterpolator(np.log(sizes), curves, axis=1)(grid)
    step = np.sum(heights < scores[:, None], axis=1)  # the first grid point that reaches the score
    inside = np.clip(step, 1, _GRID)
    rows = np.arange(len(scores))
    below, above = heights[rows, inside - 1], heights[rows, inside]
    rise = np.where(above > below, above - below, 1)
    share = np.clip((scores - below) / rise, 0, 1)
    found = np.exp(grid[inside - 1] + share * (grid[1] - grid[0]))
    return np.select([step == 0, step > _GRID], [0.0, np.inf], np.clip(found, sizes[0], sizes[-1]))


def _rising(values: np.ndarray) -> np.ndarray:
    """The rows (n, sizes) made to rise with least squares of change: the min-max formula of isotonic regression."""
    n, sizes = values.shape
    sums = np.concatenate([np.zeros((n, 1)), np.cumsum(values, axis=1)], axis=1)

    def mean(first: int, last: int) -> np.ndarray:
        return (sums[:, last + 1] - sums[:, first]) / (last + 1 - first)

    return np.column_stack(
        [
            np.max(
                [np.min([mean(first, last) for last in range(place, sizes)], axis=0) for first in range(place + 1)],
                axis=0,
            )
            for place in range(sizes)
        ]
    )
