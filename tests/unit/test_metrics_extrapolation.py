"""Learning curves further out: known curves come back, the safeguards hold, and what was held back is beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.curves import Draws, draws
from monkey_transfer.metrics.extrapolation import (
    EXPONENTS,
    MISSED_POINTS,
    MISSED_SHARE,
    RULES,
    Line,
    PowerLaw,
    fit,
    fit_last_slope,
    fit_line,
    fit_power_law,
    forecast,
)

SIZES = np.array([50.0, 150, 350, 1000])


def one(*values: float) -> np.ndarray:
    """The scores of a single curve."""
    return np.array([values])


def drawn(*values: float) -> Draws:
    return Draws.of(np.array(values, float))


def law(floor: float, first: float, exponent: float) -> PowerLaw:
    """The law whose error is ``first`` above its floor with 50 people."""
    return PowerLaw(*(np.array([number]) for number in (floor, first * 50**exponent, exponent)))


@settings(deadline=None)
@given(st.floats(0, 40), st.floats(5, 60), st.floats(0.05, 3), st.integers(3, 4))
def test_a_power_law_comes_back(floor, first, exponent, known):
    true = law(floor, first, exponent)
    found = fit_power_law(SIZES[:known], true.score(SIZES[:known]))
    assert found.score(1000) == pytest.approx(true.score(1000), abs=0.01)
    np.testing.assert_allclose(found.score(SIZES), true.score(SIZES), atol=0.01)


def test_its_numbers_come_back():
    found = fit_power_law(SIZES[:3], law(30, 40, 0.5).score(SIZES[:3]))
    np.testing.assert_allclose(np.ravel(found), (30, 40 * 50**0.5, 0.5), rtol=1e-5)


def test_with_more_sizes_than_numbers_it_is_the_fit_of_least_squares():
    scores = np.array([40.0, 52, 57, 60, 64])
    sizes = np.append(SIZES, 3000)

    def error(people, floor, scale, exponent):
        return floor + scale * people**-exponent

    expected, _ = curve_fit(error, sizes, 100 - scores, p0=(30, 200, 0.5))
    np.testing.assert_allclose(np.ravel(fit_power_law(sizes, scores[None])), expected, rtol=1e-3)


@pytest.mark.parametrize("scores", [(60, 55, 50), (50, 50, 50), (50, 60, 40)])
def test_a_law_never_says_that_more_people_do_worse(scores):
    found = fit_power_law(SIZES[:3], one(*scores))
    assert (found.scale.item(), found.score(1000).item()) == pytest.approx((0, np.mean(scores)))


def test_a_law_never_promises_more_than_everything():
    """A curve that rises ever faster has no such law: its floor is an error of zero."""
    found = fit_power_law(SIZES[:3], one(10, 50, 95))
    assert found.floor.item() == 0
    assert 95 < found.score(1e9).item() <= 100


@settings(deadline=None)
@given(st.lists(st.floats(-5, 105), min_size=3, max_size=5), st.sampled_from(sorted(RULES)))
def test_whatever_was_measured_a_rule_rises_and_stays_below_100(scores, rule):
    sizes = 50.0 * 3 ** np.arange(len(scores))
    found = RULES[rule](sizes, one(*scores))
    further = found.score(sizes[-1] * np.array([1, 2, 10, 1000.0]))[0]
    assert np.all(np.diff(further) >= -1e-9)
    assert further[-1] <= 100 + 1e-9
    if isinstance(found, PowerLaw):
        assert EXPONENTS[0] * 0.999 <= found.exponent.item() <= EXPONENTS[1] * 1.001
        assert min(found.floor.item(), found.scale.item()) >= 0


@pytest.mark.parametrize("rule", RULES)
def test_many_curves_are_fitted_as_each_alone(rule):
    scores = np.array([[40, 52, 57.0], [60, 55, 50], [10, 50, 95]])
    together = RULES[rule](SIZES[:3], scores)
    for place, alone in enumerate(scores):
        assert RULES[rule](SIZES[:3], alone[None]).score(1000) == pytest.approx(together.score(1000)[place])


def test_the_last_slope_goes_on_over_the_logarithm():
    # From 10 to 100 people 20 points more, so 20 more with 1,000, and never more than 100 %.
    found = fit_last_slope(np.array([1.0, 10, 100]), one(0, 40, 60))
    assert found.score(1000).item() == pytest.approx(80)
    assert found.score(np.array([1000, 1e6])).tolist() == [pytest.approx([80, 100])]
    assert found.people(np.array([70.0])).item() == pytest.approx(10**2.5)


def test_a_slope_that_falls_is_level():
    found = fit_last_slope(SIZES[:3], one(40, 60, 55))
    assert found.score(1000).item() == pytest.approx(55)


@pytest.mark.parametrize(
    "curve, score, people",
    [
        (law(30, 40, 0.5), 60.0, 800),  # an error of 40: 10 above the floor, a quarter of what it is with 50
        (law(30, 40, 0.5), 70.0, np.inf),
        (law(30, 40, 0.5), 71.0, np.inf),
        (law(30, 0, 0.5), 69.0, 0),
        (law(30, 0, 0.5), 70.0, 0),
        (law(30, 0, 0.5), 71.0, np.inf),
        (Line(np.array([50.0]), np.array([0.0])), 50.0, 0),
        (Line(np.array([50.0]), np.array([0.0])), 50.1, np.inf),
        (Line(np.array([40.0]), np.array([1e-3])), 90.0, np.inf),  # e to the 50,000
    ],
)
def test_how_many_people_a_curve_asks_for(curve, score, people):
    assert curve.people(np.array([score])).item() == pytest.approx(people)


@given(st.floats(0, 40), st.floats(5, 60), st.floats(0.05, 3), st.floats(60, 5000))
def test_people_and_score_are_each_other_turned_round(floor, first, exponent, people):
    curve = law(floor, first, exponent)
    score = curve.score(people)
    if first * (50 / people) ** exponent > 1e-3:  # else the floor is nearer than numbers are fine
        assert curve.people(score).item() == pytest.approx(people, rel=1e-4)


def test_two_numbers_of_people_are_no_power_law():
    with pytest.raises(StudyError, match="a power law needs 3 numbers of people, got 2"):
        fit_power_law(SIZES[:2], one(40, 50))


def test_a_line_is_that_of_least_squares_and_never_falls():
    found = fit_line(SIZES, np.array([[40, 52, 57, 60.0], [60, 52, 40, 30]]))
    slope, level = np.polyfit(np.log(SIZES), [40, 52, 57, 60], 1)
    assert (found.slope[0], found.level[0]) == pytest.approx((slope, level))
    assert (found.slope[1], found.score(3000)[1]) == pytest.approx((0, 45.5))


def test_every_draw_is_a_curve_of_its_own():
    curve = fit("last slope", {10: drawn(40, 41, 39), 100: drawn(60, 60, 62)})
    assert curve.score(1000).tolist() == pytest.approx([80, 79, 85])
    assert curve.people(np.array([75, 79, 78.0])).tolist() == pytest.approx([10**2.75, 1000, 10 ** (2 + 16 / 23)])


# Forecasts


def known(*scores: float, scatter: float = 0.0, draws: int = 2000) -> dict[int, Draws]:
    """Scores of 25, 50 and 100 people, and as many draws that scatter around each."""
    rng = np.random.default_rng(0)
    return {
        size: Draws(score, score + scatter * rng.standard_normal(draws))
        for size, score in zip((25, 50, 100), scores, strict=True)
    }


def test_a_forecast_is_midway_between_a_law_and_a_line():
    true = law(30, 40, 0.5).score(np.array([25, 50, 100, 200]))[0]
    found = forecast(known(*true[:3]), 200)
    line = np.polyfit(np.log2([25, 50, 100]), true[:3], 1)[0]
    assert found.value == pytest.approx((true[3] - true[2] + line) / 2, abs=0.01)


def test_what_is_known_to_the_digit_is_still_as_unsure_as_rules_are():
    """The line rises by 10 points for each doubling."""
    for doublings, people in ((1, 200), (2, 400)):
        found = forecast(known(30, 40, 50), people)
        assert found.replicates.std() == pytest.approx((MISSED_POINTS + 10 * MISSED_SHARE) * doublings, rel=0.05)


def test_chance_is_held_besides_and_is_independent_of_what_rules_miss():
    """Both come from generators of random numbers, which must not be alike."""
    sure, unsure = (forecast(known(30, 40, 50, scatter=scatter), 200) for scatter in (0, 2))
    of_chance = unsure.replicates - sure.replicates
    assert unsure.interval()[0] < sure.interval()[0] < sure.interval()[1] < unsure.interval()[1]
    assert abs(np.corrcoef(of_chance, sure.replicates)[0, 1]) < 0.1


def test_a_level_curve_is_not_sure_to_stay_level():
    found = forecast(known(50, 50, 50), 200)
    assert found.value == 0
    assert found.interval() == pytest.approx((-1.96 * MISSED_POINTS, 1.96 * MISSED_POINTS), rel=0.1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 100), min_size=3, max_size=3), st.integers(101, 400))
def test_no_forecast_goes_beyond_everything(scores, people):
    found = forecast(known(*scores, draws=50), people)
    assert max(found.together) <= 100 - scores[-1] + 1e-9


def test_a_curve_misses_as_a_whole():
    """What is too high with 150 people is too high with 200."""
    few, many = (forecast(known(30, 40, 50), people) for people in (150, 200))
    assert np.corrcoef(few.replicates, many.replicates)[0, 1] > 0.99


def test_two_numbers_of_people_make_no_forecast():
    with pytest.raises(StudyError, match="a power law needs 3 numbers of people, got 2"):
        forecast({50: drawn(40, 41), 100: drawn(50, 49)}, 200)


def test_without_intervals_a_forecast_has_none():
    nowhere = [float("nan")] * 3
    found = forecast({size: drawn(score, *nowhere) for size, score in ((25, 30), (50, 40), (100, 50))}, 200)
    assert np.isfinite(found.value)
    assert np.isnan(found.interval()).all()


def simulated(rng: np.random.Generator, error: float) -> dict[tuple[str, int], list[Replicates]]:
    """Five seeds at each size around a power law; people scatter next to nothing."""
    true = law(30, 40, 0.5).score(SIZES)[0]
    return {
        ("a", int(size)): [
            Replicates(value, value + rng.normal(0, 1e-6, 400)) for value in score + rng.normal(0, error, 5)
        ]
        for size, score in zip(SIZES, true, strict=True)
    }


def test_where_the_curve_is_a_power_law_its_interval_holds_what_is_true():
    rng, held = np.random.default_rng(0), []
    for trial in range(60):
        found = draws(simulated(rng, 0.3), 400, trial)
        fewer = {size: point for (_, size), point in found.items() if size < 1000}
        low, high = Draws.of(fit("power law", fewer).score(1000)).interval()
        held.append(low <= law(30, 40, 0.5).score(1000).item() <= high)
    assert np.mean(held) >= 0.85
