"""How many seeds the next study would need, from how this one went."""

from functools import partial

import numpy as np
import pandas as pd

from monkey_transfer.measure.claims import LEVEL
from monkey_transfer.measure.comparisons import ends_of
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.estimate import estimate, variances
from monkey_transfer.metrics.pckh import SCORE_NAME
from monkey_transfer.metrics.planning import (
    Scatter,
    bounds_of_deviation,
    power_to_find,
    power_to_rule_out,
    scatter,
    seeds_needed,
)
from monkey_transfer.profiles.profile import Question

# Times the test people of this study that the next one might have.
PEOPLE = 1, 2
_ENDS = ("", "_low", "_high")
_PLANNED = (
    *("question", "arm_a", "arm_b", "images_a", "images_b", "difference", "standard_error", "seeds", "margin"),
    *("test_people", "sd_people"),
    *(f"{name}{end}" for name in ("sd_seeds", "seeds_different", "seeds_equivalent") for end in _ENDS),
    *("best_different", "best_equivalent", "note"),
)


def planning(results: Results) -> pd.DataFrame:
    """How many seeds the next study would need for each primary question, with as many test people and with twice.

    A study has enough that, four times of five, finds a true difference as large as the profile's margin; or that
    shows a difference to be smaller than the margin where truly there is none. Its tests are at the level that Holm's
    correction leaves in the worst case, :data:`~monkey_transfer.measure.claims.LEVEL` over the number of questions.

    Returns question, arm_a, arm_b, images_a, images_b; difference and standard_error of this study, its seeds, and
    margin, in points; test_people of the next, and for these:

    - sd_people : standard deviation, over sets of so many people, of the mean difference of ever so many seeds;
    - sd_seeds : that of single seeds' differences on so many people;
    - seeds_different, seeds_equivalent : how many are enough, infinite for more than
      :data:`~monkey_transfer.metrics.planning.MOST_SEEDS`;
    - these three with _low and _high : at the 95 % bounds of the scatter of seeds, which few seeds hardly show
      (:func:`~monkey_transfer.metrics.planning.bounds_of_deviation`). The people's is taken as seen: they are more;
    - best_different, best_equivalent : the power that endless seeds would have. What is below
      :data:`~monkey_transfer.metrics.planning.POWER` cannot be had by seeds alone;
    - note : why there are none of these numbers.

    Questions of how a difference differs among people are left out. Empty where the profile asks nothing.
    """
    asked = [question for question in results.study.profile.questions if not question.part]
    rows = [row for question in asked for row in _plans(results, question)]
    return pd.DataFrame(rows, columns=_PLANNED)


def _plans(results: Results, question: Question) -> list[dict[str, object]]:
    """The rows of a question, one for each number of test people."""
    profile, scores = results.study.profile, results.scores
    a, b = ends_of(question)
    groups = scores.groups(a, scores.shared_keypoints(a, b))
    runs = scores.summed({a: 1, b: -1})[SCORE_NAME[profile.yardstick]]
    found = estimate(runs, groups)
    asked = {"question": question.text, "arm_a": a.arm, "arm_b": b.arm, "images_a": a.images, "images_b": b.images}
    seen = {"difference": found.value, "standard_error": found.standard_error, "seeds": found.seeds, "note": found.note}
    plans = [{"margin": profile.margin, "test_people": times * len(results.study.test_people)} for times in PEOPLE]
    if not found.note:
        scattered = scatter(variances(runs, groups), groups, found.seeds)
        level = LEVEL / len(profile.questions)
        for times, plan in zip(PEOPLE, plans, strict=True):
            plan |= _plan(scattered, times, found.seeds, profile.margin, level)
    return [{**asked, **seen, **plan} for plan in plans]


def _plan(seen: Scatter, times: int, seeds: int, margin: float, level: float) -> dict[str, float]:
    """What is needed with so many times the people, if they and seeds scatter as in a study of ``seeds`` seeds."""
    then = seen.with_people(times)
    plan = {
        "sd_people": float(np.sqrt(then.people)),
        "best_different": power_to_find(then, margin, level, np.inf),
        "best_equivalent": power_to_rule_out(then, margin, level, np.inf),
    }
    for end, scattering in zip(_ENDS, (1.0, *bounds_of_deviation(seeds)), strict=True):
        then = seen.with_seeds_scattering(scattering).with_people(times)
        plan |= {
            f"sd_seeds{end}": float(np.sqrt(then.seed)),
            f"seeds_different{end}": seeds_needed(partial(power_to_find, then, margin, level)),
            f"seeds_equivalent{end}": seeds_needed(partial(power_to_rule_out, then, margin, level)),
        }
    return plan
