"""Learning curves: accuracy against labelled people, sure within both people and training seeds, and turned round:
how many people one curve needs for what another reaches.

People and training are two sources of chance. People are resampled (:mod:`monkey_transfer.metrics.bootstrap`); a
handful of seeds is too few to resample, so their scatter, pooled over the curves that are compared, is added to each
resample as a draw from Student's t. ``benchmarks.learning_curves`` measures how often the intervals hold the truth.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.interpolate import PchipInterpolator

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Replicates

Key = TypeVar("Key")

# Steps between the smallest and the largest number of people, evenly on a logarithmic scale.
_GRID = 400


class Estimate(NamedTuple):
    """A number and what it might have been with other people and other seeds: ``replicates``, shape (resamples,)."""

    value: float
    replicates: np.ndarray

    def minus(self, other: "Estimate") -> "Estimate":
        """The paired difference: both must come from one call of :func:`over_people_and_seeds`."""
        return Estimate(self.value - other.value, self.replicates - other.replicates)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Percentile bounds; infinite where so many replicates are."""
        tails = (1 - level) / 2, (1 + level) / 2
        # Not interpolated, since between a number and infinity there is nothing.
        low, high = np.quantile(self.replicates, tails, method="nearest")
        return float(low), float(high)


def pooled_scatter(runs: Mapping[Key, Sequence[Replicates]]) -> tuple[float, int]:
    """Standard deviation of a score from one training seed to another, and its degrees of freedom.

    Pooled over curves and numbers of people. Without a second seed anywhere it is unknown: (NaN, 0).
    """
    scores = [np.array([run.value for run in of_seeds]) for of_seeds in runs.values()]
    freedom = sum(len(values) - 1 for values in scores)
    squares = sum(float(np.sum((values - values.mean()) ** 2)) for values in scores)
    return (float(np.sqrt(squares / freedom)), freedom) if freedom else (np.nan, 0)


def over_people_and_seeds(runs: Mapping[Key, Sequence[Replicates]], seed: int = 0) -> dict[Key, Estimate]:
    """The mean score over training seeds of every point of the curves that are compared.

    Parameters
    ----------
    runs : for each point (say, arm and number of people) one score per training seed, all from the same resamples
        of people.
    seed : of the draws that stand for other training seeds. With one training seed everywhere there are none, and
        the estimates vary with people alone.
    """
    scatter, freedom = pooled_scatter(runs)
    rng = np.random.default_rng(seed)
    estimates = {}
    for point, of_seeds in runs.items():
        replicates = np.mean([run.resampled for run in of_seeds], axis=0)
        if freedom:
            replicates = replicates + scatter / np.sqrt(len(of_seeds)) * rng.standard_t(freedom, len(replicates))
        estimates[point] = Estimate(float(np.mean([run.value for run in of_seeds])), replicates)
    return estimates


def equivalent_size(score: Estimate, curve: Mapping[int, Estimate]) -> Estimate:
    """How many people another learning curve needs to reach a score.

    The curve is made to rise (isotonic regression), drawn through its points by monotone cubic interpolation over
    the logarithm of the number of people, and followed to the first place where it reaches the score. Nothing is
    extrapolated: 0 where its smallest number of people already does, infinity where its largest does not.

    Parameters
    ----------
    curve : number of people -> estimate, from the same call as ``score``.

    Raises StudyError for a curve of fewer than two points.
    """
    if len(curve) < 2:
        raise StudyError(f"a learning curve needs two numbers of people, got {len(curve)}: give its arm more images")
    sizes = np.array(sorted(curve), float)
    points = [curve[int(size)] for size in sizes]
    values = np.column_stack([[point.value, *point.replicates] for point in points])
    reached = _first_size(np.append(score.value, score.replicates), sizes, _rising(values))
    return Estimate(float(reached[0]), reached[1:])


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
