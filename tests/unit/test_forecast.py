"""How many more people, of the study of three times ten people: its tables and what they say."""

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
from monkey_transfer.measure.forecast import FORECAST, extrapolations, forecasts
from monkey_transfer.measure.leaks import audited
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.extrapolation import PowerLaw
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.tell.forecast import (
    extrapolation_table,
    forecast_table,
    how_many_more,
    on_extrapolations,
    on_forecasts,
)

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


# What to expect of more


def test_every_curve_is_asked_for_up_to_twice_its_people(many):
    """Of eight people neither 50 more nor 100 are within twice; benchmark and baseline have no curve."""
    table = forecasts(many)
    assert table[["arm", "images", "people", "sizes", "more"]].to_numpy().tolist() == [
        ["transfer", 7, 8, 5, 8],
        ["scratch_control", 7, 8, 4, 8],
    ]


def test_the_controls_forecast_worked_out_by_hand(many):
    """Seeds do alike, so nothing but people and what rules miss is uncertain: midway between law and line."""
    row = forecasts(many).iloc[1]
    errors = 100 - np.array([25, 50, 62.5, 75])
    fits = []
    for exponent in np.linspace(0.01, 3, 3000):
        x = np.array([2, 3, 5, 8.0]) ** -exponent
        scale = max(0, np.cov(x, errors)[0, 1] / x.var(ddof=1))
        floor = errors.mean() - scale * x.mean()
        if floor < 0:
            floor, scale = 0, x @ errors / (x @ x)
        fits.append((np.sum((floor + scale * x - errors) ** 2), scale * (8**-exponent - 16**-exponent)))
    law, line = min(fits)[1], np.polyfit(np.log2([2, 3, 5, 8]), 100 - errors, 1)[0]
    assert row["value"] == pytest.approx((law + line) / 2, abs=0.01)
    assert (row["score"], row["seeds"], row["over"], row["note"]) == (75, 3, "people and seeds", "")
    assert row["low"] < row["value"] < row["high"] <= 25 + 30  # never beyond 100 %, but for what the score may be off


@pytest.mark.parametrize(
    "arm, margin, says, verdict",
    [
        ("scratch_control", 1, "helps", "8 labelled people). So more people help. The intervals also hold"),
        (
            "scratch_control",
            60,
            "little",
            "So twice as many bring less than 60 points, the smallest difference of ",
        ),
        (
            "transfer",
            1,
            "open",
            "This curve cannot say whether more people help: it allows anything from no gain to {high} points.",
        ),
    ],
)
def test_what_a_curve_says_is_held_against_the_margin(many, arm, margin, says, verdict):
    """Transfer's is nearly level."""
    profile = many.study.profile.model_copy(update={"margin": margin})
    asked = replace(many, study=by_hand.with_data(many.study, profile))
    table = forecasts(asked).query("arm == @arm")
    assert table["says"].item() == says
    assert verdict.format(high=f"{table['high'].item():.1f}") in on_forecasts(asked, table)


def test_forecasts_as_a_reader_sees_them(many):
    table = forecasts(many)
    row = forecast_table(many, table).iloc[1]
    assert row[["pictures", "arm", "labelled people", "PCKh@0.5, %", "more people"]].tolist() == [
        *("rendered", "scratch_control", "8", "75.0", "8"),
    ]
    assert row["expected, points"].startswith(f"{table['value'][1]:+.1f} [+")
    assert forecast_table(many, table.assign(says="helps"))["the curve says"].tolist() == ["they help"] * 2
    assert forecast_table(many, table.assign(says="open"))["the curve says"].iloc[0] == "cannot say whether they help"
    assert forecast_table(many, table.assign(says="little"))["the curve says"].iloc[0] == "less than 20 points"


def expected(**changed) -> pd.DataFrame:
    """Of two arms with 350 people, of whom the control is the better one."""
    row = {
        "images": 300,
        "people": 350,
        "sizes": 3,
        "seeds": 3,
        "over": "people and seeds",
        "note": "",
        "says": "helps",
    }
    gains = [(50, 1.0, 0.3, 1.6), (100, 2.1, 0.4, 3.9), (350, 5.2, 1.5, 8.4)]
    rows = [
        {**row, "arm": arm, "score": score, "more": more, "value": value, "low": low, "high": high} | changed
        for arm, score in (("transfer", 40), ("scratch_control", 48.7))
        for more, value, low, high in gains
    ]
    return pd.DataFrame(rows)


def test_the_network_to_take_is_forecast_in_a_sentence(many):
    """Where it has a curve; else the best that has one."""
    assert many.choice.arm == "transfer"
    assert on_forecasts(many, expected()) == (
        "With 100 more people expect +2.1 [+0.4, +3.9], with twice as many +5.2 [+1.5, +8.4] points of PCKh@0.5 "
        "(`transfer`, chosen by validation: 40.0 % with 350 labelled people). So more people help. The intervals also "
        "hold how far such curves miss (docs/metrics.md)."
    )
    assert on_forecasts(many, expected().query("arm == 'scratch_control' and more == 350")).startswith(
        "With twice as many people expect +5.2 [+1.5, +8.4] points of PCKh@0.5 (`scratch_control`, the best arm that "
        "has a curve: 48.7 % with 350 labelled people). "
    )


def test_frames_of_ones_own_are_counted_as_such(many):
    profile = many.study.profile.model_copy(update={"own_data": True})
    images = many.study.target.images
    images = images.assign(path=images["image_id"])  # a frame of its own for everybody
    own = replace(many, study=by_hand.with_data(many.study, profile, target=images))
    own.__dict__["choice"] = many.choice
    title, said = how_many_more(own)
    assert title == "## How many more frames?"
    assert said.startswith("With twice as many frames expect +")
    assert "8 labelled frames). " in said
    assert "docs/metrics.md" not in said


def test_without_an_interval_a_forecast_says_so(many):
    said = on_forecasts(many, expected(low=np.nan, high=np.nan, says="", note="one seed"))
    assert said.startswith("With 100 more people expect +2.1 [one seed], with twice as many +5.2 [one seed] points")
    assert said.endswith("How far that may be off is not known: one seed.")


def test_one_seed_has_no_interval(many):
    """It would hold the people alone: how far trainings scatter nobody saw."""
    profile = many.study.profile.model_copy(update={"seeds": (0,)})
    runs = {point: of_seeds[:1] for point, of_seeds in many.scores.runs.items()}
    one = replace(many, study=by_hand.with_data(many.study, profile), scores=scores.Scores(runs, pck_scores))
    table = forecasts(one)
    assert table["note"].tolist() == ["one seed"] * 2
    assert table["value"].notna().all()
    assert table[["low", "high"]].isna().all(axis=None)
    assert table["says"].tolist() == ["", ""]


def test_the_answer_has_a_section_where_there_is_a_curve(many, three):
    title, said = how_many_more(many)
    assert title == "## How many more people?"
    assert said.startswith("With twice as many people expect +")
    assert how_many_more(with_two_sizes(three)) == []


def with_two_sizes(results: Results) -> Results:
    arms = {
        name: arm.model_copy(update={"images": arm.images[-2:]} if isinstance(arm.images, tuple) else {})
        for name, arm in results.study.profile.arms.items()
    }
    profile = results.study.profile.model_copy(update={"arms": arms})
    return replace(results, study=by_hand.with_data(results.study, profile))


def test_two_numbers_of_people_are_no_curve(three):
    two = with_two_sizes(three)
    table = forecasts(two)
    assert table.empty
    assert list(table) == list(forecasts(three))
    assert on_forecasts(two, table).startswith("No arm learnt 3 numbers of people or more: ")
    assert forecast_table(two, table).to_numpy().tolist() == [["no arm learnt 3 numbers of people"]]


# How such promises did


def test_the_largest_numbers_are_held_back_and_the_others_fitted(many):
    """Of transfer's five numbers one and two, of the control's four one."""
    table, rules = extrapolations(many), ("power law", "last slope", FORECAST)
    assert table["tried_on"].unique().tolist() == ["target"]
    assert table[["arm", "rule", "fitted", "fitted_from", "fitted_to", "people"]].to_numpy().tolist() == [
        *[["transfer", rule, 4, 2, 5, 8] for rule in rules],
        *[["transfer", rule, 3, 2, 4, people] for rule in rules for people in (5, 8)],
        *[["scratch_control", rule, 3, 2, 5, 8] for rule in rules],
    ]


def test_the_controls_curve_worked_out_by_hand(many):
    """Errors of 75, 50 and 37.5 % with 2, 3 and 5 people: 25 % came with 8."""
    law, slope = (row for _, row in extrapolations(many).tail(3).head(2).iterrows())
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
    last = table.iloc[-2]
    assert last[["pictures", "arm", "rule", "fitted to people", "held back"]].tolist() == [
        *("rendered", "scratch_control", "last slope", "2 to 5", "8"),
    ]
    assert last["promised, %"].startswith("74.0 [")
    assert last["measured, %"].startswith("75.0 [")
    assert last["promised too much, points"].startswith("-1.0 [-")
    assert last["people it asks for as much"] == "8"
    assert table.iloc[-3]["people it asks for as much"].startswith("no number [")


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
    assert shown["promised too much, points"].iloc[-2] == "-1.0 [too few groups]"
    assert shown["people it asks for as much"].iloc[-2] == "8 [too few groups]"
    assert forecasts(alike)["note"].unique().tolist() == ["too few groups"]


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


def test_a_forecast_is_held_against_what_came(many):
    """Of the control fitted up to 5 people, that of 8; it does not say how many people it takes."""
    table = extrapolations(many)
    row = table[(table["arm"] == "scratch_control") & (table["rule"] == FORECAST)].iloc[0]
    assert (row["measured"], row["brought"]) == (75, 12.5)
    assert row["promised"] == pytest.approx(row["measured"] + row["miss"])
    law, slope = table.loc[table["arm"] == "scratch_control", "promised"].iloc[:2]
    assert law < row["promised"] < slope + 5
    assert np.isnan(row["people_promised"])
    assert extrapolation_table(many, table)["people it asks for as much"].iloc[-1] == ""


def test_people_of_another_data_set_try_a_curve_as_well(many):
    profile = many.study.profile.model_copy(update={"elsewhere": by_hand.profile().elsewhere})
    both = replace(many, study=by_hand.with_data(many.study, profile))
    of_torsos = {
        point: [replace(run, reference="torso") for run in of_seeds] for point, of_seeds in many.scores.runs.items()
    }
    both.__dict__["elsewhere_scores"] = scores.Scores(of_torsos, pck_scores)
    table = extrapolations(both)
    here, there = (table[table["tried_on"] == role] for role in ("target", "elsewhere"))
    columns = ["arm", "rule", "people"]
    assert here[columns].to_numpy().tolist() == there[columns].to_numpy().tolist()
    assert here["measured"].tolist() == there["measured"].tolist()
    assert extrapolation_table(both, table)["tried on"].unique().tolist() == ["target", "elsewhere"]
    assert on_extrapolations(both, table).count("fitted up to") == on_extrapolations(many, here).count("fitted up to")


def test_both_tables_can_be_saved_and_read_again(many, tmp_path):
    for table in (forecasts(many), extrapolations(many)):
        table.to_csv(tmp_path / "table.csv", index=False)
        assert list(pd.read_csv(tmp_path / "table.csv")) == list(table)
