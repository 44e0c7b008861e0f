"""Learning curves: accuracy against labelled people, turned round: how many people one curve needs for what another
reaches, sure within both people and training seeds.

That number is no mean over seeds, so its interval comes from draws of all points of the curves together, of the
variances and freedoms that :mod:`monkey_transfer.metrics.estimate` has for each of them. People are normal, their
covariances those of the resamples; seeds are Student's t, their covariances those of the seeds, so that points whose
seed s learnt the same people keep their pairing. ``benchmarks.learning_curves`` measures how often the intervals hold
the truth.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.estimate import estimate

# Steps between the smallest and the largest number of people, evenly on a logarithmic scale.
_GRID = 400


class Draws(NamedTuple):
    """A number and what it might be for all people and seeds, given these: ``replicates``, shape (resamples,).

    Replicates are NaN where no interval may be printed.
    """

    value: float
    replicates: np.ndarray

    @classmethod
    def of(cls, together: np.ndarray) -> "Draws":
        """From the number and its replicates in one array."""
        return cls(float(together[0]), together[1:])

    @property
    def together(self) -> np.ndarray:
        """The number and its replicates, shape (1 + resamples,): what is computed of each."""
        return np.append(self.value, self.replicates)

    def interval(self) -> tuple[float, float]:
        """95 % bounds, percentiles; infinite where so many replicates are, NaN where one is undefined."""
        # Not interpolated, since between a number and infinity there is nothing.
        low, high = np.quantile(self.replicates, (0.025, 0.975), method="nearest")
        return float(low), float(high)


def draws(
    runs: Mapping[tuple[str, int], Sequence[Replicates]], groups: float, seed: int = 0
) -> dict[tuple[str, int], Draws]:
    """Joint draws of the mean score of every point of the curves that are compared.

    Parameters
    ----------
    runs : for each point, an arm and its number of images, one score per training seed, all from the same resamples
        of people; every point has the same seeds in the same order.
    groups : of how many groups the people are, :func:`monkey_transfer.metrics.estimate.effective_groups`.
    seed : of the draws. With one training seed they vary with people alone.
    """
    values = np.array([[run.value for run in of_seeds] for of_seeds in runs.values()])
    resampled = np.array([[run.resampled for run in of_seeds] for of_seeds in runs.values()])
    count = resampled.shape[2]
    means = values.mean(axis=1)
    if any(estimate(of_seeds, groups).note for of_seeds in runs.values()):
        deviations = np.full((len(runs), count), np.nan)
    else:
        rng = np.random.default_rng(seed)
        defined = resampled[:, :, np.isfinite(resampled).all(axis=(0, 1))]
        deviations = _student(_of_people(defined, groups), groups - 1, count, rng)
        if values.shape[1] > 1:
            deviations += _student(np.cov(values) / values.shape[1], values.shape[1] - 1, count, rng)
    return {
        point: Draws(float(mean), mean + deviation)
        for point, mean, deviation in zip(runs, means, deviations, strict=True)
    }


def _of_people(resampled: np.ndarray, groups: float) -> np.ndarray:
    """Covariances of the points over people, from (points, seeds, resamples), less what people and seeds both hold."""
    seeds = resampled.shape[1]
    mean = resampled.mean(axis=1)
    covariances = np.atleast_2d(np.cov(mean, bias=True))
    if seeds > 1:
        apart = (resampled - mean[:, None]).transpose(1, 0, 2)
        covariances -= np.mean([np.cov(of_seed, bias=True) for of_seed in apart], axis=0) / (seeds - 1)
    return covariances * groups / (groups - 1)


def _student(covariances: np.ndarray, freedom: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws (points, count) of a multivariate t around zero, scaled as means are that are known so well."""
    variances, axes = np.linalg.eigh(np.atleast_2d(covariances))
    root = axes * np.sqrt(np.maximum(0, variances))  # what is below zero is chance or rounding
    return root @ rng.standard_normal((len(root), count)) * np.sqrt(freedom / rng.chisquare(freedom, count))


def equivalent_size(score: Draws, curve: Mapping[int, Draws]) -> Draws:
    """How many people another learning curve needs to reach a score.

    The curve is made to rise (isotonic regression), drawn through its points by monotone cubic interpolation over the
    logarithm of the number of people, and followed to the first place where it reaches the score. Nothing is
    extrapolated: 0 where its smallest number of people already does, infinity where its largest does not. ``curve``
    maps numbers of people to draws, of the same call of :func:`draws` as ``score``; StudyError where it has fewer than
    two.
    """
    if len(curve) < 2:
        raise StudyError(f"a learning curve needs two numbers of people, got {len(curve)}: give its arm more images")
    sizes = np.array(sorted(curve), float)
    values = np.column_stack([curve[int(size)].together for size in sizes])
    scores = score.together
    known = np.isfinite(scores) & np.isfinite(values).all(axis=1)
    reached = np.full(len(scores), np.nan)
    reached[known] = _first_size(scores[known], sizes, _rising(values[known]))
    return Draws.of(reached)


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

    def at(place: int) -> np.ndarray:
        return np.max([np.min([mean(a, b) for b in range(place, sizes)], axis=0) for a in range(place + 1)], axis=0)

    return np.column_stack([at(place) for place in range(sizes)])
