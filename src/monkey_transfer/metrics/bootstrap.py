"""How a number moves with the people: they are resampled, never joints, because a person's joints succeed and fail
together.

Where people come in groups (one video, one person seen twice) whole groups are resampled. A resample is a
row of weights, how often each group was drawn; a *statistic* turns rows of weights into rows of numbers, so
every arm sees the same resamples and the difference of two arms is paired. What follows from the resamples is said
in :mod:`monkey_transfer.metrics.estimate`.

The bootstrap is that of Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 6.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

# Weights of the groups, whole numbers of shape (resamples, groups) -> each metric's values, shape (resamples,).
Statistic = Callable[[np.ndarray], dict[str, np.ndarray]]

_WEIGHTS_AT_ONCE = 1_000_000


class Replicates(NamedTuple):
    """A metric on the people as they are, and on each resample of them.

    ``value`` is a number, ``resampled`` has shape (resamples,); NaN where the metric is undefined.
    """

    value: float
    resampled: np.ndarray

    def minus(self, other: "Replicates") -> "Replicates":
        """The paired difference: both must come from the same resamples."""
        return weighted_sum([self, other], [1, -1])


def weighted_sum(parts: Sequence[Replicates], weights: Sequence[float]) -> Replicates:
    """Each times its weight, added up: all must come from the same resamples."""
    value = sum(weight * part.value for part, weight in zip(parts, weights, strict=True))
    resampled = np.sum([weight * part.resampled for part, weight in zip(parts, weights, strict=True)], axis=0)
    return Replicates(value, resampled)


def replicate(
    statistics: Mapping[str, Statistic], groups: int, resamples: int, seed: int
) -> dict[str, dict[str, Replicates]]:
    """Evaluate every arm's statistic on the same resamples of ``groups`` groups.

    Returns arm -> metric -> its replicates. The same seed gives the same resamples on any machine.
    """
    as_they_are = _evaluate(statistics, [np.ones((1, groups), np.int64)])
    resampled = _evaluate(statistics, resampled_weights(groups, resamples, seed))
    return {
        arm: {metric: Replicates(value.item(), resampled[arm][metric]) for metric, value in values.items()}
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


def _evaluate(statistics: Mapping[str, Statistic], weights: Iterable[np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    blocks: dict[str, list[dict[str, np.ndarray]]] = {arm: [] for arm in statistics}
    for block in weights:
        for arm, statistic in statistics.items():
            blocks[arm].append(statistic(block))
    return {
        arm: {metric: np.concatenate([block[metric] for block in parts]) for metric in parts[0]}
        for arm, parts in blocks.items()
    }
