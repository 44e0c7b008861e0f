"""What the next study would need, of the study of three times ten people: its tables and what they say."""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import by_hand
import numpy as np
import pandas as pd
import pytest
from by_hand import Letters
from scipy.optimize import brentq

from monkey_transfer.measure import scores
from monkey_transfer.measure.budgets import budgets
from monkey_transfer.measure.comparisons import comparisons
from monkey_transfer.measure.leaks import audited
from monkey_transfer.measure.planning import extrapolations, planning
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.estimate import estimate
from monkey_transfer.metrics.extrapolation import PowerLaw
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.planning import bounds_of_deviation
from monkey_transfer.tell.planning import extrapolation_table, on_extrapolations, on_seeds, planning_table

# Of the eight joints of Ann, Bob and Cid the control finds 25 % with 2 labelled people, one of whom is held out, 50 %
# with 3, 62.5 % with 5 and 75 % with 8, whatever the seed. Transfer's curve is nearly level, and its seeds differ.
MANY = {
    ("baseline", 2): (Letters("-ff- -ff- .f", "-..-"),) * 3,
    ("benchmark", 7): (Letters(".... .... .."),) * 3,
    ("transfer", 1): (Letters(".... .ff. ff"), Letters("..f. .ff. f."), Letters(".f.. .ff. f.")),
    ("transfer", 2): (Letters(".... .ff. f."),) * 3,
    ("transfer", 3): (Letters(".... .ff. f."),) * 3,
    ("transfer", 4): (Letters(".... .ff. .."), Letters(".... .f.. f."), Letters(".... .ff. .f")),
    ("transfer", 7): (Letters(".... .f.. f."), Letters(".... .... f."), Letters(".... .ff. f.")),
    ("scratch_control", 1): (Letters(".ff. .ff. ff"),) * 3,
    ("scratch_control", 2): (Letters("..f. .f.. ff"),) * 3,
    ("scratch_control", 4): (Letters("..f. .f.. f."),) * 3,
    ("scratch_control", 7): (Letters("..f. .f.. .."),) * 3,
}
MANY_ARMS = {
    **by_hand.ARMS,
    "transfer": {**by_hand.ARMS["transfer"], "images": [1, 2, 3, 4, 7]},
    "scratch_control": {**by_hand.ARMS["scratch_control"], "images": [1, 2, 4, 7]},
}


@pytest.fixture(scope="module")
def enough():
    with by_hand.enough() as results:
        yield results


@pytest.fixture(scope="module")
def three():
    with by_hand.measured() as results:
        yield results


@pytest.fixture(scope="module")
def many():
    with (
        tempfile.TemporaryDirectory() as folder,
        by_hand.opened(
            Path(folder), by_hand.profile(MANY_ARMS, margin=20, elsewhere=None), MANY, by_hand.COPIES
        ) as study,
        by_hand.resampled(400),
    ):
        found = scores.Scores(scores.read_scores(study).runs, pck_scores)
        table = found.table(partial(scores.people_of, study))
        yield Results(study, found, table, comparisons(study, found), budgets(study), audited(study))


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


# How far a curve can be asked


def test_the_largest_numbers_are_held_back_and_the_others_fitted(many):
    """Of transfer's five numbers one and two, of the control's four one."""
    table = extrapolations(many)
    assert table[["arm", "rule", "fitted", "fitted_from", "fitted_to", "people"]].to_numpy().tolist() == [
        *[["transfer", rule, 4, 2, 5, 8] for rule in ("power law", "last slope")],
        *[["transfer", rule, 3, 2, 4, people] for rule in ("power law", "last slope") for people in (5, 8)],
        *[["scratch_control", rule, 3, 2, 5, 8] for rule in ("power law", "last slope")],
    ]


def test_the_controls_curve_worked_out_by_hand(many):
    """Errors of 75, 50 and 37.5 % with 2, 3 and 5 people: 25 % came with 8."""
    law, slope = (row for _, row in extrapolations(many).tail(2).iterrows())
    assert slope["promised"] == pytest.approx(62.5 + 12.5 * np.log(8 / 5) / np.log(5 / 3))
    exponent = brentq(lambda c: (2**-c - 3**-c) / (3**-c - 5**-c) - 2, 0.1, 5)
    scale = 25 / (2**-exponent - 3**-exponent)
    assert law["exponent"] == pytest.approx(exponent, rel=1e-4)
    assert law["promised"] == pytest.approx(62.5 + scale * (5**-exponent - 8**-exponent), abs=1e-3)
    for row in (law, slope):
        assert row["measured"] == 75
        assert row["miss"] == pytest.approx(row["promised"] - 75)
        assert row["miss_low"] < row["miss"] < row["miss_high"]
        assert row["held"] == ("yes" if row["miss_low"] <= 0 <= row["miss_high"] else "no")
        assert (row["seeds"], row["over"], row["note"]) == (3, "people and seeds", "")
    found = many.scores.of(scores.Point("scratch_control", 7))["pckh"]
    assert (law["measured_low"], law["measured_high"]) == (found.low, found.high)
    assert np.isinf(law["people_promised"])  # it levels below 75 %
    assert slope["people_promised"] == pytest.approx(5 * (5 / 3) ** (12.5 / 12.5))
    curve = PowerLaw(*(np.array([law[name]]) for name in PowerLaw._fields))
    assert curve.score(8).item() == pytest.approx(law["promised"])


def test_extrapolations_as_a_reader_sees_them(many):
    table = extrapolation_table(many, extrapolations(many))
    last = table.iloc[-1]
    assert last[["pictures", "arm", "rule", "fitted to people", "held back"]].tolist() == [
        *("rendered", "scratch_control", "last slope", "2 to 5", "8"),
    ]
    assert last["promised, %"].startswith("74.0 [")
    assert last["measured, %"].startswith("75.0 [")
    assert last["promised too much, points"].startswith("-1.0 [-")
    assert last["people it asks for as much"] == "8"
    assert table.iloc[-2]["people it asks for as much"].startswith("no number [")


def test_extrapolations_in_words(many):
    table = extrapolations(many)
    said = on_extrapolations(many, table).split("\n\n")
    law = table[table["rule"] == "power law"]
    rules = said[0].splitlines()
    worst = law.loc[law["miss"].abs().idxmax()]
    assert rules[0].startswith(
        f"- **The power law** missed by {law['miss'].abs().mean():.1f} points of PCKh@0.5 on average, "
        f"{worst['miss']:+.1f} at worst (`{worst['arm']}`), and promised too much in {(law['miss'] > 0).sum()} of 4. "
    )
    assert f"held zero in {(law['held'] == 'yes').sum()} of 4." in rules[0]
    assert rules[1].startswith("- **The last slope** missed by ")
    assert said[1].startswith(
        "Asked how many labelled people `scratch_control` needs for the 75.0 % that it has with 8, the answer would "
        "have been no number ["
    )
    assert said[2].startswith("Fitted to 3 numbers of people a power law, which has as many of its own, fits nearly ")


@pytest.mark.parametrize(
    "held, lesson",
    [
        ("yes", "So a power law could be asked here, as long as its intervals are read with it, for up to 2.0 times "),
        ("no", "So how many more people are needed cannot be read off a power law fitted to few"),
        ("", "Without intervals nothing can be said of how far such a curve is to be trusted."),
    ],
)
def test_what_a_curve_is_good_for_follows_from_what_it_held(many, held, lesson):
    table = extrapolations(many).assign(held=held, note="" if held else "too few groups")
    said = on_extrapolations(many, table)
    assert said.split("\n\n")[-1].startswith(lesson)
    assert ("It has no interval: too few groups." in said) == (not held)


def test_three_numbers_of_people_are_too_few_to_hold_one_back(three):
    assert extrapolations(three).empty
    assert on_extrapolations(three, extrapolations(three)).startswith("No arm learnt 4 numbers of people or more, so ")
    assert extrapolation_table(three, extrapolations(three)).to_numpy().tolist() == [
        ["no arm learnt 4 numbers of people"]
    ]


def test_where_a_number_has_no_interval_nothing_that_is_fitted_has_one(many):
    runs = {
        point: [replace(run, people=run.people.assign(group="one video")) for run in of_seeds]
        for point, of_seeds in many.scores.runs.items()
    }
    alike = replace(many, scores=scores.Scores(runs, pck_scores))
    table = extrapolations(alike)
    assert table["note"].unique().tolist() == ["too few groups"]
    assert table["promised"].tolist() == pytest.approx(extrapolations(many)["promised"].tolist())
    assert table[["promised_low", "miss_high", "people_promised_low", "measured_low"]].isna().all(axis=None)
    assert table["held"].unique().tolist() == [""]
    shown = extrapolation_table(alike, table)
    assert shown["held"].unique().tolist() == ["no interval"]
    assert shown["promised too much, points"].iloc[-1] == "-1.0 [too few groups]"
    assert shown["people it asks for as much"].iloc[-1] == "8 [too few groups]"


@pytest.mark.parametrize(
    "found, low, high, written",
    [
        (640.4, 500, np.inf, "640 [500 to no number]"),
        (12_000, 900, 1e9, "more than 10,000 [900 to more than 10,000]"),
        (np.inf, np.inf, np.inf, "no number"),
        (0.0, 0.0, 70, "0 [0 to 70]"),
    ],
)
def test_people_that_a_curve_asks_for(many, found, low, high, written):
    row = extrapolations(many).tail(1)
    row = row.assign(people=1000, people_promised=found, people_promised_low=low, people_promised_high=high)
    assert extrapolation_table(many, row)["people it asks for as much"].item() == written


def test_both_tables_can_be_saved_and_read_again(many, tmp_path):
    for table in (planning(many), extrapolations(many)):
        table.to_csv(tmp_path / "table.csv", index=False)
        assert list(pd.read_csv(tmp_path / "table.csv")) == list(table)
