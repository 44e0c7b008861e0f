"""How every arm does on people of another data set, beside how it does on those of its own.

Nobody there was learnt, and nothing was chosen on them. Networks that differ on people of the data set which they
learnt may do alike on others, and the other way round (Mathis et al., WACV 2021, on horses that no network had seen).
"""

from functools import partial

import pandas as pd

from monkey_transfer.measure.comparisons import compared, compared_points
from monkey_transfer.measure.leaks import alike_elsewhere
from monkey_transfer.measure.matched import matched
from monkey_transfer.measure.scores import Point, Scores, all_points, as_committed, each_seed, people_of
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.pckh import SCORE_NAME
from monkey_transfer.study.opening import Study


def elsewhere_scores(study: Study) -> Scores:
    """The PCK scores on the people of the other data set of every arm at every number of images.

    StudyError if the profile names no other data set, or a run is not finished.
    """
    return Scores(each_seed(study, all_points(study), partial(tried_elsewhere, study)), pck_scores)


def tried_elsewhere(study: Study, point: Point, seed: int) -> Matched:
    """A finished network of one seed on the people of the other data set."""
    run = study.finished_run(point.arm, seed, point.images)
    return matched_elsewhere(study, run.predictions("elsewhere"))


def elsewhere_table(study: Study, scores: Scores) -> pd.DataFrame:
    """Every score of every point there: the scores table and ``near_duplicates``, how many of these people are in a
    picture that the arm learnt."""
    table = scores.table(partial(people_of, study))
    return table.assign(near_duplicates=table["arm"].map(alike_elsewhere(study)))


def elsewhere_comparisons(study: Study, scores: Scores) -> pd.DataFrame:
    """The differences there of the pairs that are compared here, but for the floor: all exploratory.

    Returns the columns of :func:`monkey_transfer.measure.comparisons.comparisons` up to the note.
    """
    score = SCORE_NAME[study.profile.elsewhere_yardstick]
    pairs = [(a, b) for a, b in compared_points(study.profile) if b in scores.runs]
    return pd.DataFrame(compared(study, scores, a, b, score, scores.compare(a, b)[score]) for a, b in pairs)


def matched_elsewhere(study: Study, predictions: pd.DataFrame) -> Matched:
    """Predictions of the people of the other data set beside their labels; StudyError if there is none."""
    people, yardstick = study.dataset("elsewhere"), study.profile.elsewhere_yardstick
    return matched(study, as_committed(predictions), yardstick, people)
