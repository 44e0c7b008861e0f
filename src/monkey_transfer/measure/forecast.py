"""How many more people: what an arm's learning curve lets one expect of them, and how such promises did that were made
of fewer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import Point, Scores
from monkey_transfer.metrics.curves import Draws, draws
from monkey_transfer.metrics.extrapolation import FEWEST_SIZES, RULES, Line, PowerLaw, fit, forecast
from monkey_transfer.metrics.pckh import SCORE_NAME

# So many more labelled people are asked about, and twice as many as there are; beyond that nothing is.
MORE = 50, 100
# What a forecast says of them: by less than the margin, by some, or either may be.
LITTLE = "little"
HELPS = "helps"
OPEN = "open"
# A rule of the table of extrapolations beside those of :data:`~monkey_transfer.metrics.extrapolation.RULES`.
FORECAST = "forecast"
# How many numbers of people an arm has whose curve is tried on those held back, and how many these are.
FEWEST_TO_TRY = FEWEST_SIZES + 1
MOST_HELD_BACK = 2
_ENDS = ("", "_low", "_high")
_EXPECTED = (
    *("arm", "images", "people", "sizes", "score", "more", "value", "low", "high", "says"),
    *("seeds", "over", "note"),
)
_TRIED = (
    *("tried_on", "arm", "images", "people", "rule", "fitted", "fitted_from", "fitted_to"),
    *(f"{name}{end}" for name in ("promised", "measured", "miss", "people_promised") for end in _ENDS),
    *("brought", "held", "seeds", "over", "note", *PowerLaw._fields, *Line._fields),
)


class _Curve(NamedTuple):
    """An arm's scores by the number of labelled people, rising; ``note`` says why none of them has an interval."""

    points: Sequence[Point]
    scores: Mapping[int, Draws]
    note: str


def forecasts(results: Results) -> pd.DataFrame:
    """What more labelled people would bring an arm, in points of the profile's score.

    Of every arm that learns people in at least :data:`~monkey_transfer.metrics.extrapolation.FEWEST_SIZES` numbers, for
    :data:`MORE` of them and for twice as many, as far as that is not beyond twice:
    :func:`monkey_transfer.metrics.extrapolation.forecast`.

    Returns arm, images, people (the largest number that it has), sizes (how many numbers the curve has), score (there),
    more; value, low and high (what these bring, with the 95 % interval over people, seeds and what rules miss); says
    (:data:`LITTLE`: less than the profile's margin; :data:`HELPS`: more than nothing; :data:`OPEN`: both nothing and
    the margin are possible, so that the curve cannot say; empty without an interval); seeds, over and note (why there
    is no interval: with one seed nobody knows how far trainings scatter). Empty where no arm has a curve.
    """
    arms = _arms(results, FEWEST_SIZES)
    return pd.DataFrame([row for arm in arms for row in _expected(results, arm)], columns=_EXPECTED)


def _expected(results: Results, arm: str) -> list[dict[str, object]]:
    """The rows of an arm."""
    profile = results.study.profile
    curve = _curve(results, results.scores, arm, profile.yardstick)
    most, last = max(curve.scores), curve.points[-1]
    now = results.scores.of(last)[SCORE_NAME[profile.yardstick]]
    note = curve.note or ("one seed" if now.seeds == 1 else "")
    about = {**last._asdict(), "people": most, "sizes": len(curve.points), "score": now.value}
    rows = []
    for more in sorted({more for more in MORE if more < most} | {most}):
        gain = forecast(curve.scores, most + more)
        low, high = (np.nan, np.nan) if note else gain.interval()
        says = "" if note else _says(low, high, profile.margin)
        gained = {"more": more, "value": gain.value, "low": low, "high": high, "says": says}
        rows.append({**about, **gained, "seeds": now.seeds, "over": now.over, "note": note})
    return rows


def _says(low: float, high: float, margin: float) -> str:
    return LITTLE if high < margin else HELPS if low > 0 else OPEN


def extrapolations(results: Results) -> pd.DataFrame:
    """What rules fitted to an arm's smaller numbers of people promise of larger ones, held against what came of these.

    Of every arm that learns at least :data:`FEWEST_TO_TRY` numbers of people the largest is held back; then the two
    largest, where so many are left as a power law needs; on the test people, and on those of the other data set where
    the profile names one. See :mod:`monkey_transfer.metrics.extrapolation`.

    Returns tried_on ('target' or 'elsewhere'), arm, images, people (labelled ones, of the number held back), rule (one
    of :data:`~monkey_transfer.metrics.extrapolation.RULES`, or 'forecast': the score and what is forecast on top),
    fitted (to how many numbers), fitted_from and fitted_to (people); with _low and _high, their 95 % intervals over
    people and seeds, promised, measured, miss (promised less measured) and people_promised (how many the rule says are
    needed for what was measured; infinite: no number is enough; a forecast does not say); brought (measured less the
    score of fitted_to); held ('yes' or 'no', whether the interval of miss holds zero; empty where there is none);
    seeds, over and note (why there is no interval); and what was fitted: floor, scale and exponent, or level and slope.
    Empty where no arm learns so many numbers.
    """
    profile = results.study.profile
    tried = {"target": (results.scores, profile.yardstick)}
    if profile.elsewhere:
        tried["elsewhere"] = results.elsewhere_scores, profile.elsewhere_yardstick
    rows = [
        {"tried_on": people, **row}
        for people, (scores, yardstick) in tried.items()
        for arm in _arms(results, FEWEST_TO_TRY)
        for row in _tried(results, scores, arm, yardstick)
    ]
    return pd.DataFrame(rows, columns=_TRIED)


def _arms(results: Results, fewest: int) -> list[str]:
    """Those that learn people in so many numbers."""
    arms = results.study.profile.arms.items()
    return [name for name, arm in arms if arm.learns == "target" and len(arm.sizes) >= fewest]


def _curve(results: Results, scores: Scores, arm: str, yardstick: str) -> _Curve:
    metric = SCORE_NAME[yardstick]
    points = [Point(arm, images) for images in results.study.profile.arm(arm).sizes]
    own = scores.keypoints(points[0])
    found = draws({at: scores.replicates(at, own)[metric] for at in points}, scores.groups(points[0], own))
    # Where one of the curve's numbers has no interval, what is fitted to them has none.
    note = next((note for at in points if (note := scores.of(at)[metric].note)), "")
    return _Curve(points, {results.people(at): found[at] for at in points}, note)


def _tried(results: Results, scores: Scores, arm: str, yardstick: str) -> list[dict[str, object]]:
    """The rows of an arm on some people."""
    curve = _curve(results, scores, arm, yardstick)
    rows = []
    for held_back in range(1, min(MOST_HELD_BACK, len(curve.points) - FEWEST_SIZES) + 1):
        known = {results.people(at): curve.scores[results.people(at)] for at in curve.points[:-held_back]}
        for rule in (*RULES, FORECAST):
            for at in curve.points[-held_back:]:
                people, found = results.people(at), scores.of(at)[SCORE_NAME[yardstick]]
                row = at._asdict() | _on_trial(rule, known, people, curve.scores[people])
                row |= _bounded("measured", found.value, found.low, found.high)
                rows.append(row | {"seeds": found.seeds, "over": found.over, "note": curve.note})
    return rows


def _on_trial(rule: str, known: Mapping[int, Draws], people: int, measured: Draws) -> dict[str, object]:
    """What a rule fitted to the known numbers of people says of another number, and whether that came."""
    last = known[max(known)].together
    if rule == FORECAST:
        promised, numbers, asks = last + forecast(known, people).together, {}, np.full(len(last), np.nan)
    else:
        fitted = fit(rule, known)
        promised, numbers, asks = fitted.score(people), fitted._asdict(), fitted.people(measured.together)
    miss = Draws.of(promised - measured.together)
    misses_from, misses_to = miss.interval()
    return {
        "people": people,
        "rule": rule,
        "fitted": len(known),
        "fitted_from": min(known),
        "fitted_to": max(known),
        **_drawn("promised", Draws.of(promised)),
        **_drawn("miss", miss),
        **_drawn("people_promised", Draws.of(asks)),
        "brought": measured.value - last[0],
        "held": "" if np.isnan(misses_from) else "yes" if misses_from <= 0 <= misses_to else "no",
        **{name: float(of_curves[0]) for name, of_curves in numbers.items()},
    }


def _drawn(name: str, found: Draws) -> dict[str, float]:
    return _bounded(name, found.value, *found.interval())


def _bounded(name: str, value: float, low: float, high: float) -> dict[str, float]:
    """A number and its bounds as columns."""
    return dict(zip((f"{name}{end}" for end in _ENDS), (value, low, high), strict=True))
