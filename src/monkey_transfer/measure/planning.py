"""What the next study would need, from how this one went: how many seeds, and whether a curve can be asked how many
people."""

from collections.abc import Mapping
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from monkey_transfer.measure.claims import LEVEL
from monkey_transfer.measure.comparisons import ends_of
from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import Point
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.curves import Draws, draws
from monkey_transfer.metrics.estimate import estimate, variances
from monkey_transfer.metrics.extrapolation import FEWEST_SIZES, RULES, LastSlope, PowerLaw, fit, held_against
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
# How many numbers of people an arm has whose curve is tried on those held back, and how many these are.
FEWEST_TO_TRY = FEWEST_SIZES + 1
MOST_HELD_BACK = 2
_ENDS = ("", "_low", "_high")
_PLANNED = (
    *("question", "arm_a", "arm_b", "images_a", "images_b", "difference", "standard_error", "seeds", "margin"),
    *("test_people", "sd_people"),
    *(f"{name}{end}" for name in ("sd_seeds", "seeds_different", "seeds_equivalent") for end in _ENDS),
    *("best_different", "best_equivalent", "note"),
)
_TRIED = (
    *("arm", "images", "people", "rule", "fitted", "fitted_from", "fitted_to"),
    *(f"{name}{end}" for name in ("promised", "measured", "miss", "people_promised") for end in _ENDS),
    *("held", "seeds", "over", "note", *PowerLaw._fields, *LastSlope._fields),
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


def extrapolations(results: Results) -> pd.DataFrame:
    """What rules fitted to an arm's smaller numbers of people promise of larger ones, held against what came of these.

    Of every arm that learns at least :data:`FEWEST_TO_TRY` numbers of people the largest is held back; then the two
    largest, where so many are left as a power law needs. See :mod:`monkey_transfer.metrics.extrapolation`.

    Returns arm, images, people (labelled ones, of the number held back), rule, fitted (to how many numbers),
    fitted_from and fitted_to (people); with _low and _high, their 95 % intervals over people and seeds, promised,
    measured, miss (promised less measured) and people_promised (how many the rule says are needed for what was
    measured; infinite: no number is enough); held ('yes' or 'no', whether the interval of miss holds zero; empty where
    there is none); seeds, over and note (why there is no interval); and what was fitted:
    floor, scale and exponent, or level and slope. Empty where no arm learns so many numbers.
    """
    arms = [
        name
        for name, arm in results.study.profile.arms.items()
        if arm.learns == "target" and len(arm.sizes) >= FEWEST_TO_TRY
    ]
    return pd.DataFrame([row for arm in arms for row in _tried(results, arm)], columns=_TRIED)


def _tried(results: Results, arm: str) -> list[dict[str, object]]:
    """The rows of an arm."""
    scores, metric = results.scores, SCORE_NAME[results.study.profile.yardstick]
    points = [Point(arm, images) for images in results.study.profile.arm(arm).sizes]
    own = scores.keypoints(points[0])
    runs: dict[tuple[str, int], list[Replicates]] = {at: scores.replicates(at, own)[metric] for at in points}
    drawn = {
        at.images: found for at, found in zip(points, draws(runs, scores.groups(points[0], own)).values(), strict=True)
    }
    people = {at.images: results.people(at) for at in points}
    # Where one of the curve's numbers has no interval, what is fitted to them has none.
    note = next((note for at in points if (note := scores.of(at)[metric].note)), "")
    rows = []
    for held_back in range(1, min(MOST_HELD_BACK, len(points) - FEWEST_SIZES) + 1):
        known = {people[at.images]: drawn[at.images] for at in points[:-held_back]}
        for rule, at in product(RULES, points[-held_back:]):
            found = scores.of(at)[metric]
            how_sure = {"seeds": found.seeds, "over": found.over, "note": note}
            rows.append(
                {
                    **at._asdict(),
                    **_on_trial(rule, known, people[at.images], drawn[at.images]),
                    **_bounded("measured", found.value, found.low, found.high),
                    **how_sure,
                }
            )
    return rows


def _on_trial(rule: str, known: Mapping[int, Draws], people: int, measured: Draws) -> dict[str, object]:
    """What a rule fitted to the known numbers of people says of another number, and whether that came."""
    fitted = fit(rule, known)
    tried = held_against(fitted, people, measured)
    low, high = tried.promised.interval()
    misses_from, misses_to = tried.miss.interval()
    told = {"people": people, "rule": rule, "fitted": len(known), "fitted_from": min(known), "fitted_to": max(known)}
    return {
        **told,
        **_bounded("promised", tried.promised.value, low, high),
        **_bounded("miss", tried.miss.value, misses_from, misses_to),
        **_bounded("people_promised", tried.people.value, *tried.people.interval()),
        "held": "" if np.isnan(misses_from) else "yes" if misses_from <= 0 <= misses_to else "no",
        **{name: float(of_curves[0]) for name, of_curves in fitted._asdict().items()},
    }


def _bounded(name: str, value: float, low: float, high: float) -> dict[str, float]:
    """A number and its bounds as columns."""
    return dict(zip((f"{name}{end}" for end in _ENDS), (value, low, high), strict=True))
