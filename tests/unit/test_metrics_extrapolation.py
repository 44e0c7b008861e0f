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
    RULES,
    LastSlope,
    PowerLaw,
    fit,
    fit_last_slope,
    fit_power_law,
    held_against,
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
        (LastSlope(np.array([50.0]), np.array([0.0])), 50.0, 0),
        (LastSlope(np.array([50.0]), np.array([0.0])), 50.1, np.inf),
        (LastSlope(np.array([40.0]), np.array([1e-3])), 90.0, np.inf),  # e to the 50,000
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


def test_what_was_held_back_is_beside_what_was_promised():
    known = {10: drawn(40, 41, 39), 100: drawn(60, 60, 62)}
    tried = held_against(fit("last slope", known), 1000, drawn(75, 79, 78))
    assert tried.promised.together.tolist() == pytest.approx([80, 79, 85])
    assert tried.miss.together.tolist() == pytest.approx([5, 0, 7])
    assert tried.people.together.tolist() == pytest.approx([10**2.75, 1000, 10 ** (2 + 16 / 23)])


@pytest.mark.parametrize("rule", RULES)
def test_without_intervals_the_promise_has_none(rule):
    nowhere = [float("nan")] * 3
    known = {int(size): drawn(score, *nowhere) for size, score in zip(SIZES, (40, 52, 57, 60), strict=False)}
    tried = held_against(fit(rule, known), 3000, drawn(63, *nowhere))
    assert np.isfinite([found.value for found in tried]).all()
    assert np.isnan([found.interval() for found in tried]).all()


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
        known = {size: point for (_, size), point in found.items() if size < 1000}
        low, high = held_against(fit("power law", known), 1000, found["a", 1000]).promised.interval()
        held.append(low <= law(30, 40, 0.5).score(1000).item() <= high)
    assert np.mean(held) >= 0.85
