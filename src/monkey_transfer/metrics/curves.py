"""Learning curves: accuracy against labelled people, sure within both people and training seeds, and turned round:
how many people one curve needs for what another reaches.

People and training are two sources of chance. People are resampled (:mod:`monkey_transfer.metrics.bootstrap`); a
handful of seeds is too few to resample, so their scatter is added to each resample as a draw from Student's t.
``benchmarks.learning_curves`` measures how often the intervals hold the truth.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Replicates

Point = tuple[str, int]

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
        """Percentile bounds; infinite where so many replicates are, NaN where one is undefined."""
        tails = (1 - level) / 2, (1 + level) / 2
        # Not interpolated, since between a number and infinity there is nothing.
        low, high = np.quantile(self.replicates, tails, method="nearest")
        return float(low), float(high)


def over_people_and_seeds(runs: Mapping[Point, Sequence[Replicates]], seed: int = 0) -> dict[Point, Estimate]:
    """The mean score over training seeds of every point of the curves that are compared.

    Parameters
    ----------
    runs : for each point, an arm and its number of images, one score per training seed, all from the same resamples
        of people. Scatter is pooled over the arms at one number of images, since training scatters more on few.
    seed : of the draws that stand for other training seeds. With one training seed everywhere there are none, and
        the estimates vary with people alone.
    """
    rng = np.random.default_rng(seed)
    resamples = len(next(iter(runs.values()))[0].resampled)
    scatter_at = {
        number: likely_scatters([found for (_, images), found in runs.items() if images == number], resamples, rng)
        for number in sorted({images for _, images in runs})
    }
    estimates = {}
    for (arm, images), of_seeds in runs.items():
        of_people = np.mean([run.resampled for run in of_seeds], axis=0)
        of_training = scatter_at[images] / np.sqrt(len(of_seeds)) * rng.standard_normal(resamples)
        estimates[arm, images] = Estimate(float(np.mean([run.value for run in of_seeds])), of_people + of_training)
    return estimates


def likely_scatters(runs: Iterable[Sequence[Replicates]], resamples: int, rng: np.random.Generator) -> np.ndarray:
    """What the standard deviation of a score from seed to seed may be, given so few of them: shape (resamples,).

    Pooled over the arms that are given, one sequence of seeds each. The variance that seeds show, of so many degrees
    of freedom, is drawn as a variance is known from a sample: scaled by an inverse chi-squared. Two seeds also differ
    because each errs on people of its own; resampling people holds that part already, half the variance of the
    resampled difference of two seeds, so it is taken out of every draw. Zero where no arm has a second seed.

    All arms that share the draws share how wrong they are, or their differences would look too sure.
    """
    squares, own, freedom = 0.0, [], 0
    for of_seeds in runs:
        values = np.array([run.value for run in of_seeds])
        squares += float(np.sum((values - values.mean()) ** 2))
        freedom += len(values) - 1
        own += [np.nanvar(one.resampled - other.resampled) / 2 for one, other in combinations(of_seeds, 2)]
    if not freedom:
        return np.zeros(resamples)
    return np.sqrt(np.maximum(0.0, squares / rng.chisquare(freedom, resamples) - np.mean(own)))


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
