"""How many seeds the next study would need, of the study of three times ten people: its table and what that says."""

from dataclasses import replace

import by_hand
import numpy as np
import pytest

from monkey_transfer.measure import scores
from monkey_transfer.measure.planning import planning
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.estimate import estimate
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.planning import bounds_of_deviation
from monkey_transfer.tell.planning import on_seeds, planning_table


@pytest.fixture(scope="module")
def enough():
    with by_hand.enough() as results:
        yield results


@pytest.fixture(scope="module")
def three():
    with by_hand.measured() as results:
        yield results


# How many seeds


def scattering(results: Results, by: float) -> Results:
    """The same where the differences of seeds scatter on all people alike, with a standard deviation of ``by``."""

    class Apart(scores.Scores):
        def summed(self, weights):
            def moved(run, more):
                return Replicates(run.value + more, run.resampled + more)

            return {
                metric: [moved(run, by * place) for run, place in zip(of_seeds, (-1, 0, 1), strict=True)]
                for metric, of_seeds in super().summed(weights).items()
            }

    return replace(results, scores=Apart(results.scores.runs, pck_scores))


def test_every_question_is_planned_for_as_many_people_and_twice(enough):
    table = planning(enough)
    assert table[["question", "arm_a", "arm_b", "images_a", "images_b", "test_people"]].to_numpy().tolist() == [
        [text, "transfer", other, 3, images, people]
        for text, other, images in (
            ("Do monkeys help?", "scratch_control", 3),
            ("More than longer training?", "scratch_longer", 3),
            ("Do they beat many people?", "benchmark", 7),
        )
        for people in (30, 60)
    ]
    asked = enough.comparisons[enough.comparisons["question"] != ""].set_index("arm_b")
    for column in ("difference", "standard_error", "seeds", "margin"):
        assert table[column].tolist() == asked.loc[table["arm_b"], column].tolist()


def test_where_seeds_do_alike_people_are_all_that_scatters(enough):
    table = planning(enough)
    here, twice = table[table["test_people"] == 30], table[table["test_people"] == 60]
    assert here["sd_people"].tolist() == pytest.approx(here["standard_error"].tolist())
    assert twice["sd_people"].tolist() == pytest.approx((here["sd_people"] / np.sqrt(2)).tolist())
    assert table[["sd_seeds", "sd_seeds_low", "sd_seeds_high"]].to_numpy().tolist() == [[0, 0, 0]] * 6
    # Against the control by 8.9 points: no number of seeds finds 20, or rules them out. Against the benchmark by 1.2.
    assert here["seeds_different"].tolist() == [np.inf, np.inf, 3]
    assert here["seeds_equivalent"].tolist() == [np.inf, np.inf, 3]
    assert (here["best_different"] < 0.8).tolist() == [True, True, False]
    assert twice["seeds_different"].tolist() == [np.inf, 3, 3]


def test_seeds_that_scatter_are_planned_with_what_so_few_leave_open(enough):
    results = scattering(enough, 8)
    table = planning(results)
    assert table["sd_seeds"].tolist() == pytest.approx([8] * 6)
    low, high = bounds_of_deviation(3)
    assert table["sd_seeds_low"].tolist() == pytest.approx([8 * low] * 6)
    assert table["sd_seeds_high"].tolist() == pytest.approx([8 * high] * 6)
    last = table.iloc[4]
    assert 3 <= last["seeds_different_low"] < last["seeds_different"] < last["seeds_different_high"] < np.inf
    a, b = points(results, 2)
    found = estimate(results.scores.summed({a: 1, b: -1})["pckh"], 27)
    assert last["standard_error"] == pytest.approx(found.standard_error, rel=0.02)


def points(results: Results, place: int) -> tuple[scores.Point, scores.Point]:
    question = results.study.profile.questions[place]
    return scores.Point(question.a, question.images_a), scores.Point(question.b, question.images_b)


def test_the_level_is_that_of_the_whole_family(enough):
    """Of a single question less is needed."""
    arms = dict(enough.study.profile.arms)
    arms["transfer"] = arms["transfer"].model_copy(update={"against": {"benchmark": "Do they beat many people?"}})
    profile = enough.study.profile.model_copy(update={"arms": arms})
    alone = replace(scattering(enough, 8), study=by_hand.with_data(enough.study, profile=profile))
    assert planning(alone)["seeds_different"].iloc[0] < planning(scattering(enough, 8))["seeds_different"].iloc[4]


def test_a_plan_as_a_reader_sees_it(enough):
    table = planning_table(enough, planning(enough))
    assert list(table) == [
        *("pictures", "pair", "test people", "seeds scatter, points", "people, points"),
        *("seeds to find 20 points", "seeds to show less than 20 points"),
    ]
    never, none = "more than 100: not by seeds alone", "0.0 [0.0 to 0.0]"
    assert table.to_numpy()[[0, 3]].tolist() == [
        ["rendered", "transfer - scratch_control", "30", none, "8.9", never, never],
        ["rendered", "transfer - scratch_longer", "60", none, "4.0", "3", "3"],
    ]


def test_the_family_of_a_plan_has_its_questions_of_the_tilted_too(enough):
    arms = enough.study.profile.arms
    asks = arms["transfer"].model_copy(update={"against_tilted": {"scratch_control": "More if tilted?"}})
    profile = enough.study.profile.model_copy(update={"arms": {**arms, "transfer": asks}})
    four = replace(enough, study=by_hand.with_data(enough.study, profile=profile))
    assert "over its 4 questions. In brackets" in on_seeds(four, planning(four))


def test_a_plan_in_words(enough):
    said = on_seeds(enough, planning(enough)).splitlines()
    assert said[1] == (
        "- **More than longer training?** A difference of 20 points is found with no number of seeds on 30 test "
        "people, or 3 on 60. Where there is none, that it is less than 20 points is shown with no number of seeds on "
        "30 test people, or 3 on 60. (`transfer` minus `scratch_longer`)"
    )
    assert "found with 3 seeds on 30 test people, or on 60." in said[2]
    assert said[-1] == (
        "Enough is what claims the truth in 80 % of studies, at the 4 % of this one over its 3 questions. In brackets "
        "is what 3 seeds leave open: they may truly scatter 0.5 to 6.3 times as much as was seen. More than 100 are "
        "not looked for."
    )


def test_what_seeds_leave_open_is_in_brackets(enough):
    row = (
        planning(enough)
        .head(1)
        .assign(
            best_different=0.9,
            seeds_different=6,
            seeds_different_low=3,
            seeds_different_high=np.inf,
            sd_seeds_high=9.04,
        )
    )
    table = planning_table(enough, row)
    assert table["seeds to find 20 points"].item() == "6 [3 to more than 100]"
    assert table["seeds scatter, points"].item() == "0.0 [0.0 to 9.0]"
    row = row.assign(seeds_different=np.inf, seeds_different_low=np.inf)
    assert planning_table(enough, row)["seeds to find 20 points"].item() == "more than 100"


def test_too_few_people_are_no_plan(three):
    """The two questions of three people."""
    table = planning(three)
    assert table["note"].tolist() == ["too few groups"] * 4
    assert table["test_people"].tolist() == [3, 6, 3, 6]
    assert table[["sd_people", "sd_seeds", "seeds_different", "best_equivalent"]].isna().all(axis=None)
    assert set(planning_table(three, table)["seeds to find 2 points"]) == {"too few groups"}
    assert on_seeds(three, table).splitlines()[0] == (
        "- **Do monkeys help?** Not planned: too few groups. (`transfer` minus `scratch_control`)"
    )
    assert "Enough" not in on_seeds(three, table)


def test_without_a_question_there_is_no_plan(enough):
    arms = dict(enough.study.profile.arms)
    arms["transfer"] = arms["transfer"].model_copy(update={"against": {}})
    profile = enough.study.profile.model_copy(update={"arms": arms, "seeds": (0,)})
    unasked = replace(enough, study=by_hand.with_data(enough.study, profile=profile))
    table = planning(unasked)
    assert table.empty
    assert list(table) == list(planning(enough))
    assert planning_table(unasked, table).to_numpy().tolist() == [["the profile asks no primary question"]]
    assert on_seeds(unasked, table).startswith("The profile asks no primary question before its runs")
