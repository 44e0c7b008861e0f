"""What may be said of the primary questions of a study.

Two kinds of claims can be made of a difference: that there is one, and that it is smaller than a margin. Each kind
is a family of as many tests as there are primary questions, corrected by Holm (Scandinavian Journal of Statistics
1979): whatever is true, and however the questions hang together, the chance that a family claims anything that is not
so is at most the level of its tests. That level is 4 %, so that the error of a family stays below 5 % although t only
approximates what a handful of seeds do: ``benchmarks.power`` measures it. A study in which claims of both kinds can be
false may err up to twice as often.
"""

from collections.abc import Sequence

import numpy as np

from monkey_transfer.metrics.estimate import Estimate

# The largest adjusted p-value that carries a claim.
LEVEL = 0.04


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values adjusted for their number, in the order given; of an array, along its last axis.

    NaN stays NaN and does not count: where no verdict is possible nothing can be claimed falsely.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, axis=-1)  # NaN last
    left = np.isfinite(p).sum(axis=-1, keepdims=True) - np.arange(p.shape[-1])
    adjusted = np.empty_like(p)
    steps = np.maximum.accumulate(left * np.take_along_axis(p, order, axis=-1), axis=-1)
    np.put_along_axis(adjusted, order, np.minimum(1, steps), axis=-1)
    return adjusted


def ruling(found: Estimate, p_adjusted: float, p_equivalent_adjusted: float, margin: float) -> str:
    """What may be said of a difference.

    Parameters
    ----------
    found : the difference, in points.
    p_adjusted, p_equivalent_adjusted : :func:`holm` of ``p_different`` and ``p_equivalent`` of all primary questions.
    margin : the smallest difference of interest, in points.

    Returns 'higher' or 'lower'; 'no more than 2 points either way'; both, 'higher, but by less than 2 points';
    'undecided'; 'one seed', which shows nothing of another; or the estimate's note where it has no interval.
    """
    if found.note:
        return found.note
    if found.over == "people":
        return "one seed"
    different, small = p_adjusted <= LEVEL, p_equivalent_adjusted <= LEVEL
    if different:
        way = "higher" if found.value > 0 else "lower"
        return f"{way}, but by less than {margin:g} points" if small else way
    return f"no more than {margin:g} points either way" if small else "undecided"
