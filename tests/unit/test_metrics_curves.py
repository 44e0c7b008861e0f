"""Learning curves: intervals over people and seeds, and the number of people that another curve needs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.curves import Estimate, _rising, equivalent_size, likely_scatters, over_people_and_seeds

NOTHING = np.empty(0)


def run(value: float, replicates=None) -> Replicates:
    return Replicates(value, np.full(50, value) if replicates is None else replicates, NOTHING)


def estimate(value: float, *others: float) -> Estimate:
    return Estimate(value, np.array([value, *others], float))


def scatters(*runs: list[Replicates]) -> np.ndarray:
    return likely_scatters(runs, 20_000, np.random.default_rng(0))


def test_scatter_is_pooled_over_arms():
    found = scatters([run(1.0), run(3.0)], [run(10.0), run(10.0), run(13.0)])
    # (2 + 6) over chi-squared of 3 degrees of freedom, the median of which is 2.366.
    assert np.median(found**2) == pytest.approx(8 / 2.366, rel=0.02)
    assert not scatters([run(1.0)], [run(2.0)]).any()


def test_what_resampling_people_holds_is_not_counted_again():
    rng = np.random.default_rng(0)
    seeds = [run(value, value + rng.normal(0, 1, 20_000)) for value in (50.0, 52.0)]
    # One degree of freedom, of which the median is 0.4549; the two seeds' own people have a variance of 1.
    assert np.median(scatters(seeds) ** 2) == pytest.approx(2 / 0.4549 - 1, rel=0.03)
    alike = [run(50.0, 50 + rng.normal(0, 1, 20_000)) for _ in range(3)]
    assert not scatters(alike).any()


def test_one_seed_leaves_the_interval_of_people_alone():
    people = np.linspace(40, 60, 201)
    found = over_people_and_seeds({("a", 10): [run(50.0, people)]})["a", 10]
    assert found.value == 50
    np.testing.assert_array_equal(found.replicates, people)


def test_seeds_widen_the_interval_and_more_of_them_narrow_it_again():
    rng = np.random.default_rng(1)

    def width(seeds: int) -> float:
        runs = {
            (str(arm), 10): [run(value, np.full(4000, value)) for value in 50 + rng.normal(0, 1, seeds)]
            for arm in range(400)
        }
        low, high = over_people_and_seeds(runs)["0", 10].interval()
        return high - low

    assert width(2) == pytest.approx(2 * 1.96 / np.sqrt(2), rel=0.15)
    assert width(20) == pytest.approx(2 * 1.96 / np.sqrt(20), rel=0.15)


def test_training_scatters_as_much_as_it_does_at_that_number_of_people():
    runs = {
        (arm, images): [run(50 + sign * scatter, np.full(4000, 50.0)) for sign in (-1, 1)]
        for arm in "abcdefgh"
        for images, scatter in ((10, 3.0), (1000, 0.5))
    }
    found = over_people_and_seeds(runs)
    few, many = (found["a", images].interval() for images in (10, 1000))
    assert few[1] - few[0] == pytest.approx(6 * (many[1] - many[0]), rel=0.1)


def test_estimates_of_one_call_are_paired_over_people():
    shared = np.random.default_rng(0).normal(0, 5, 500)
    found = over_people_and_seeds({("a", 5): [run(10.0, 10 + shared)], ("b", 5): [run(8.0, 8 + shared)]})
    difference = found["a", 5].minus(found["b", 5])
    assert difference.value == 2
    assert difference.interval() == pytest.approx((2, 2))


CURVE = {100: estimate(40, 40), 1000: estimate(60, 60)}


@pytest.mark.parametrize(
    "score, people", [(50, np.sqrt(1e5)), (60, 1000), (40, 0), (39, 0), (60.1, np.inf), (45, 10**2.25)]
)
def test_two_points_are_joined_by_a_line_over_the_logarithm(score, people):
    assert equivalent_size(estimate(score, score), CURVE).value == pytest.approx(people, rel=1e-6)


def test_a_point_of_the_curve_is_worth_its_own_people():
    curve = {size: estimate(score, score) for size, score in {50: 20, 150: 35, 400: 38, 1000: 50}.items()}
    for size in (150, 400, 1000):
        assert equivalent_size(curve[size], curve).value == pytest.approx(size, rel=2e-3)


def test_where_the_curve_falls_it_is_levelled_first():
    np.testing.assert_allclose(_rising(np.array([[3.0, 1, 2, 5], [1, 2, 3, 4]])), [[2, 2, 2, 5], [1, 2, 3, 4]])


def test_bounds_are_infinite_where_the_control_never_gets_there():
    score = estimate(50, *np.linspace(45, 65, 200))
    curve = {size: Estimate(e.value, np.full(201, e.value)) for size, e in CURVE.items()}
    found = equivalent_size(score, curve)
    low, high = found.interval()
    assert 100 < low < found.value
    assert np.isinf(high)


def test_one_point_is_no_curve():
    with pytest.raises(StudyError, match="needs two numbers of people, got 1"):
        equivalent_size(estimate(1, 1), {100: estimate(1, 1)})


@given(
    st.lists(st.floats(0, 100), min_size=2, max_size=6),
    st.floats(-10, 110),
    st.floats(0, 20),
)
def test_a_higher_score_is_never_worth_fewer_people(scores, score, more):
    sizes = [50 * 2**place for place in range(len(scores))]
    curve = {size: estimate(value, value) for size, value in zip(sizes, scores, strict=True)}
    low, high = (equivalent_size(estimate(value, value), curve).value for value in (score, score + more))
    assert low <= high
    assert low == 0 or sizes[0] <= low <= sizes[-1] or np.isinf(low)
