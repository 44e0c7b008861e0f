"""Which frames of a video to label next: those of which a network is least certain and that are most unusual.

What a frame is worth is the share of its joints that are expected to be wrong times how far its pose is from the
nearest one that has a label or will have: a pose that was learnt, that of a frame which is labelled already, or that of
a frame chosen before. The frame that is worth most is chosen, then the next. That is the farthest-first traversal of
Gonzalez (1985), weighted as by Dyer and Frieze (1985) and begun with what is labelled as by Sener and Savarese (2018),
who choose pictures by what a network makes of them and not by poses. A frame that is certain and ordinary is worth
little, and so is one that is like another that was chosen.

Of the frames without a person some are offered as well, far from all others in time: the network failed there, or
nobody is there to be labelled, which only who looks can tell.
"""

import math
from collections.abc import Callable, Collection, Mapping
from functools import reduce

import numpy as np
import pandas as pd

# Seconds between any two frames to label: neighbours show nearly the same.
GAP = 0.5
# Of the frames to label no more than this part may be without a person.
_NOBODY_AT_MOST = 1 / 4

NOBODY_FOUND, ORDINARY = "nobody found", "ordinary"
# What a frame is called that is beyond the limit of a column.
REASONS = {"expected_wrong": "uncertain", "rarity": "unusual"}

# From a frame to how far its pose is from those in other frames; frames by their numbers.
Distance = Callable[[int, np.ndarray], np.ndarray]


def choose(
    frames: pd.DataFrame, distance: Distance, count: int, frames_per_second: float, labelled: Collection[int] = ()
) -> list[int]:
    """The numbers of the frames to label, those in which somebody is first, by what they are worth.

    They are fewer than ``count`` where others would be within :data:`GAP` of these or of labelled ones. Frames without
    a person are chosen by their share of the video, and a quarter of ``count`` at most. The same frames are chosen in
    whatever order the rows are; of frames that are worth the same, the first.

    Parameters
    ----------
    frames : ``frame``, its number; ``expected_wrong``, the share of its joints that are expected to be wrong, 0 to 1,
        NaN where nobody is; ``rarity``, how far its pose is from those that were learnt, in body sizes, NaN where that
        is not known.
    distance : in body sizes; asked of frames in which somebody is.
    labelled : numbers of frames of this video that are labelled already.
    """
    frames = frames.sort_values("frame")
    somebody = frames["expected_wrong"].notna()
    found, lost = frames[somebody], frames.loc[~somebody, "frame"].to_numpy()
    gap = max(1, math.ceil(GAP * frames_per_second))
    without = min(round(count * len(lost) / max(1, len(frames))), math.floor(count * _NOBODY_AT_MOST))

    numbers = found["frame"].to_numpy()
    known = [distance(frame, numbers) for frame in labelled if frame in numbers]
    nearest = reduce(np.minimum, known, found["rarity"].fillna(np.inf).to_numpy())
    wrong = found["expected_wrong"].to_numpy()
    chosen = _farthest_first(numbers, wrong, nearest, distance, count - without, labelled, gap)

    taken = [*labelled, *chosen]
    passed = reduce(np.minimum, [_apart(frame, lost) for frame in taken], np.full(len(lost), np.inf))
    return chosen + _farthest_first(lost, np.ones(len(lost)), passed, _apart, without, taken, gap)


def reasons(frames: pd.DataFrame, limits: Mapping[str, float]) -> list[str]:
    """Why each of the frames is one to label: 'uncertain', 'unusual', 'uncertain and unusual', 'ordinary' where neither
    is beyond its limit, or 'nobody found'.

    ``frames`` as :func:`choose` has them; ``limits`` of the columns ``expected_wrong`` and ``rarity``, NaN for none.
    """
    beyond = pd.DataFrame({word: frames[column] > limits[column] for column, word in REASONS.items()})
    words = [" and ".join(beyond.columns[row]) or ORDINARY for row in beyond.to_numpy()]
    return [NOBODY_FOUND if nobody else why for nobody, why in zip(frames["expected_wrong"].isna(), words, strict=True)]


def _farthest_first(
    numbers: np.ndarray,
    weights: np.ndarray,
    nearest: np.ndarray,
    distance: Distance,
    count: int,
    taken: Collection[int],
    gap: int,
) -> list[int]:
    """Up to ``count`` of the frames ``numbers``, which are in order: always the one whose weight times distance to the
    nearest is largest, of those that are a ``gap`` away from all chosen and ``taken``."""
    chosen: list[int] = []
    free = np.ones(len(numbers), bool)
    for frame in taken:
        free &= _apart(frame, numbers) >= gap
    while len(chosen) < count and free.any():
        # Not 0 times infinity, the distance where nothing is known to be near.
        worth = np.multiply(weights, nearest, where=weights > 0, out=np.zeros(len(numbers)))
        best = int(numbers[np.lexsort((-numbers, weights, np.where(free, worth, -1)))[-1]])
        chosen.append(best)
        free &= _apart(best, numbers) >= gap
        nearest = np.minimum(nearest, distance(best, numbers))
    return chosen


def _apart(frame: int, others: np.ndarray) -> np.ndarray:
    return np.abs(others - frame)
