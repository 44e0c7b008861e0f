"""How sure a number is: people are resampled, never joints, because a person's joints succeed and fail together.

Where people come in groups (one video, one person seen twice) whole groups are resampled. A resample is a
row of weights, how often each group was drawn; a *statistic* turns rows of weights into rows of numbers, so
every arm sees the same resamples and the difference of two arms is paired.

Intervals follow Efron and Tibshirani, "An Introduction to the Bootstrap" (1993): percentile (chapter 13) and
bias-corrected and accelerated, BCa (chapter 14). BCa needs a metric that changes smoothly with the weights
of people; numbers at a best threshold do not, and ``benchmarks.coverage`` shows what that costs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

# Weights of the groups, whole numbers of shape (resamples, groups) -> each metric's values, shape (resamples,).
Statistic = Callable[[np.ndarray], dict[str, np.ndarray]]
Method = Literal["bca", "percentile"]

_WEIGHTS_AT_ONCE = 1_000_000
_JACKKNIFE_BLOCKS = 1_000


class Replicates(NamedTuple):
    """A metric on the people as they are, on each resample, and with each block of people left out.

    ``value`` is a number, ``resampled`` has shape (resamples,), ``jackknifed`` (blocks,). NaN where undefined.
    """

    value: float
    resampled: np.ndarray
    jackknifed: np.ndarray

    def minus(self, other: "Replicates") -> "Replicates":
        """The paired difference: both must come from the same resamples."""
        return Replicates(
            self.value - other.value, self.resampled - other.resampled, self.jackknifed - other.jackknifed
        )


def replicate(
    statistics: Mapping[str, Statistic], groups: int, resamples: int, seed: int
) -> dict[str, dict[str, Replicates]]:
    """Evaluate every arm's statistic on the same resamples of ``groups`` groups.

    Returns
    -------
    arm -> metric -> its replicates. The same seed gives the same resamples on any machine.
    """
    as_they_are = _evaluate(statistics, iter([np.ones((1, groups), np.int64)]))
    resampled = _evaluate(statistics, resampled_weights(groups, resamples, seed))
    jackknifed = _evaluate(statistics, jackknife_weights(groups))
    return {
        arm: {
            metric: Replicates(value.item(), resampled[arm][metric], jackknifed[arm][metric])
            for metric, value in values.items()
        }
        for arm, values in as_they_are.items()
    }


def resampled_weights(groups: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the weights of all resamples in blocks of shape (some, groups); each row sums to ``groups``."""
    rng = np.random.default_rng(seed)
    rows = max(1, _WEIGHTS_AT_ONCE // groups)
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = rng.integers(groups, size=(count, groups)) + groups * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups)


def jackknife_weights(groups: int) -> Iterator[np.ndarray]:
    """Yield the weights that leave out one block of groups at a time, in blocks of shape (some, groups).

    Up to 1,000 groups a block is one group, the usual jackknife. Beyond that groups are dealt into 1,000
    blocks, so that the cost grows with the number of people and not with its square; the acceleration is
    a ratio of sums over people and is estimated by blocks of them as well.
    """
    blocks = min(groups, _JACKKNIFE_BLOCKS)
    block_of = np.arange(groups) % blocks
    rows = max(1, _WEIGHTS_AT_ONCE // groups)
    for start in range(0, blocks, rows):
        left_out = np.arange(start, min(start + rows, blocks))
        yield (block_of != left_out[:, None]).astype(np.int64)


def interval(replicates: Replicates, level: float = 0.95, method: Method = "percentile") -> tuple[float, float]:
    """Bounds between which the metric lies with that confidence.

    Resamples on which the metric is undefined are left out. The bounds are NaN when its value is, or when it is
    undefined without one of the groups (or blocks of them): it then rests on that group alone, which says nothing
    about other people. Resampled values that equal the
    estimate count half below it, so a metric that never varies has an interval of no width.
    """
    resampled = replicates.resampled[np.isfinite(replicates.resampled)]
    jackknifed = replicates.jackknifed
    if not np.isfinite(replicates.value) or not len(resampled) or not np.isfinite(jackknifed).all():
        return float("nan"), float("nan")
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        tails = _bca_tails(replicates.value, resampled, jackknifed, tails)
    low, high = np.quantile(resampled, tails)
    return float(low), float(high)


def over_seeds(runs: Sequence[Replicates], level: float = 0.95, method: Method = "percentile") -> dict[str, float]:
    """A metric, or a paired difference, over the training seeds of an arm.

    Parameters
    ----------
    runs : one for each seed, all from the same resamples of people.

    Returns
    -------
    ``seeds``, ``mean``, ``low`` and ``high`` (the interval of that mean over people, these runs given), and how
    training scatters from seed to seed: ``sd`` (of a sample, NaN for one seed), ``least`` and ``largest``.
    """
    values = np.array([run.value for run in runs])
    mean = Replicates(
        values.mean().item(),
        np.mean([run.resampled for run in runs], axis=0),
        np.mean([run.jackknifed for run in runs], axis=0),
    )
    low, high = interval(mean, level, method)
    return {
        "seeds": len(runs),
        "mean": mean.value,
        "low": low,
        "high": high,
        "sd": values.std(ddof=1).item() if len(runs) > 1 else np.nan,
        "least": values.min().item(),
        "largest": values.max().item(),
    }


def _evaluate(statistics: Mapping[str, Statistic], weights: Iterator[np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    blocks: dict[str, list[dict[str, np.ndarray]]] = {arm: [] for arm in statistics}
    for block in weights:
        for arm, statistic in statistics.items():
            blocks[arm].append(statistic(block))
    return {
        arm: {metric: np.concatenate([block[metric] for block in parts]) for metric in parts[0]}
        for arm, parts in blocks.items()
    }


def _bca_tails(value: float, resampled: np.ndarray, jackknifed: np.ndarray, tails: np.ndarray) -> np.ndarray:
    # Efron and Tibshirani 1993, eq. 14.9 to 14.15.
    below = np.mean(resampled < value) + np.mean(resampled == value) / 2
    bias = ndtri(np.clip(below, 0.5 / len(resampled), 1 - 0.5 / len(resampled)))
    influence = jackknifed.mean() - jackknifed
    spread = np.sum(influence**2)
    acceleration = np.sum(influence**3) / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + ndtri(tails)
    return ndtr(bias + shifted / (1 - acceleration * shifted))
