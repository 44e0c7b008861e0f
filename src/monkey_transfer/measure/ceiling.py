"""The ceiling: how well two labellings of one photograph agree, and what that leaves of any network's score.

A data set may hold a photograph twice (:mod:`monkey_transfer.measure.labelled_twice`). One labelling is measured by
the other, as if a network had predicted it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.measure.labelled_twice import SAME, labelled_twice, second_labelling
from monkey_transfer.measure.scores import Point, Scores
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched
from monkey_transfer.metrics.written import rows_of
from monkey_transfer.study.opening import Study

# Readings of how far two labellings are apart; the module's functions say what they mean.
AGREE, UNDONE, SLIPS, VAGUE, MOST = "agree", "agree, sides undone", "perfect, slips", "perfect, vague", "any network"


class Reading(NamedTuple):
    """A number that follows from how far two labellings are apart: of which joints a share is taken, and what of it.

    ``of`` gives, from the table of joints and the distance at which one is correct, which of them count; ``to`` turns
    their share into the number, both in percent, and rises with it, so that it turns the bounds of an interval as well.
    """

    of: Callable[[pd.DataFrame, float], pd.Series]
    to: Callable[[Any], Any] = lambda share: share


READINGS = {
    AGREE: Reading(lambda joints, within: joints["correct"]),
    UNDONE: Reading(lambda joints, within: joints["correct"] | (joints["error"] == "swap")),
    SLIPS: Reading(lambda joints, within: joints["correct"], lambda share: 10 * np.sqrt(np.maximum(share, 0))),
    VAGUE: Reading(lambda joints, within: joints["normalised"] <= sqrt(2) * within),
    MOST: Reading(lambda joints, within: joints["normalised"] <= 2 * within, lambda share: (100 + share) / 2),
}


@dataclass(frozen=True)
class Ceiling:
    """How well labellings of the same photographs of a study's target agree.

    Attributes
    ----------
    pairs : :func:`monkey_transfer.measure.labelled_twice.labelled_twice`.
    labellings : :func:`monkey_transfer.measure.labelled_twice.second_labelling`; None where nothing is labelled twice.
    table : :func:`agreement`; empty where nothing is labelled twice.
    """

    pairs: pd.DataFrame
    labellings: Matched | None
    table: pd.DataFrame

    @property
    def by_joint(self) -> pd.DataFrame:
        """The rows of the table that say how often labellings agree, as they are and with sides undone."""
        return self.table[self.table["reading"].isin((AGREE, UNDONE))]


def measure_ceiling(study: Study) -> Ceiling:
    """Compare the labellings of what a study's target holds twice, in the profile's yardstick."""
    people = study.target.measured_by(study.profile.yardstick)
    pairs = labelled_twice(people)
    if not pairs["found"].eq(SAME).any():
        return Ceiling(pairs, None, pd.DataFrame())
    labellings = second_labelling(people, pairs, study.profile.yardstick)
    return Ceiling(pairs, labellings, agreement(labellings))


def ceiling_of(study: Study, measured: Ceiling) -> float | None:
    """What a second labelling scores, in percent: what the profile states, else how often two agree; None where neither
    is known. A network that finds every joint scores more (:func:`agreement`)."""
    if study.profile.ceiling is not None:
        return study.profile.ceiling
    return None if measured.table.empty else float(overall(measured.table, AGREE).value)


def agreement(labellings: Matched) -> pd.DataFrame:
    """How often two labellings agree, and what that means for a network, over all joints and by joint group.

    Returns rows ``reading``, ``metric`` (the PCK score's name, with its joint group), ``joint`` (in words), and
    ``value, low, high, note`` in percent, with 95 % intervals over photographs. Readings are

    - ``agree``: the share of joints whose two labels are as near to each other as a prediction has to be to count;
    - ``agree, sides undone``: the same if a label near the other's joint of the other side were renamed;
    - ``perfect, slips``: the score of a network that finds every joint, were each of the two either right or far
      off, whatever the other is: the root of what agrees;
    - ``perfect, vague``: its score, were the two off by as much as the joint is hard to tell, alike and normally
      distributed: then they differ by root two of what one is off;
    - ``any network``: what no network's score is above, since it cannot be near both of two labels that are twice as
      far apart.
    """
    within = CORRECT_WITHIN[labellings.reference]

    def counting(reading: Reading) -> Matched:
        joints = labellings.joints
        return replace(labellings, joints=joints.assign(correct=reading.of(joints, within)))

    points = {Point(name, 0): [counting(reading)] for name, reading in READINGS.items()}
    shares, order = pckh.joint_rows(Scores(points, pck_scores).table(lambda point: 0), "agreement of labels")
    shares = shares.sort_values("joint", key=lambda joint: joint.map(order.index), kind="stable")
    read = [
        rows.assign(**{bound: READINGS[str(name)].to(rows[bound]) for bound in ("value", "low", "high")})
        for name, rows in shares.groupby("arm", sort=False)
    ]
    columns = ["reading", "metric", "joint", "value", "low", "high", "note"]
    return pd.concat(read, ignore_index=True).rename(columns={"arm": "reading"})[columns]


def explained(table: pd.DataFrame, score: float) -> pd.DataFrame:
    """Points that labels like these take from a network that finds ``score`` percent of the joints by right labels.

    Returns rows ``quantity`` ('least', 'most'), ``value, low, high, note`` in points, with 95 % intervals over
    photographs. The least is what no network escapes, the most what a second labeller would lose: a network does not
    lose more if its errors, where it finds a joint, are no larger than a labeller's. Both assume that labels are off as
    often where it finds a joint as where it does not; if both fail at the same joints, labels take less.
    """
    return _least_and_most(table, lambda share: score * (100 - share) / 100)


def hidden(table: pd.DataFrame, score: float) -> pd.DataFrame:
    """Points more that a network would score by right labels, of whose joints labels like these show ``score`` percent.

    Rows as of :func:`explained`, which it turns round: what was seen is what labels have left.
    """
    return _least_and_most(table, lambda share: score * (100 / share - 1))


def _least_and_most(table: pd.DataFrame, points: Callable[[float], float]) -> pd.DataFrame:
    """Points that labels cost, by what they leave at most and by how often they agree; fewer the larger that share."""
    rows = [
        {
            "quantity": quantity,
            "value": points(found.value),
            "low": points(found.high),
            "high": points(found.low),
            "note": found.note,
        }
        for quantity, found in {"least": overall(table, MOST), "most": overall(table, AGREE)}.items()
    ]
    return pd.DataFrame(rows)


def overall(table: pd.DataFrame, reading: str) -> Any:
    """The row of a reading over all joints."""
    [row] = rows_of(table[(table["reading"] == reading) & (table["joint"] == "all joints")])
    return row
