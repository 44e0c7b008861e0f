"""Where monkeys help, in the study of three times ten people of whom half are upright and half upside down."""

from dataclasses import replace
from math import sqrt

import by_hand
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from monkey_transfer.measure import tilt
from monkey_transfer.measure.ceiling import AGREE, MOST, Ceiling
from monkey_transfer.measure.comparisons import comparisons, primary
from monkey_transfer.measure.results import measure
from monkey_transfer.measure.scores import Point
from monkey_transfer.measure.where_it_helps import contrasts, measure_where_it_helps
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.tell import where_it_helps as said
from monkey_transfer.tell.answer import answers, joint_table
from monkey_transfer.tell.finished import _what_labels_hide, without_labels
from monkey_transfer.tell.publish import answer_figure

QUESTION = "More if tilted?"
PAIR = "transfer - scratch_control"
TILT_OF = tilt.tilt_of
# Ten like Ann and five like Cid are upright, ten like Bob and five like Cid upside down. Of three, three and two joints
# transfer finds 2, 2 and 1, its control 0, 3 and 0, in every seed.
UPRIGHT = np.repeat([1, 0, 0.5], by_hand.COPIES)
MORE = np.repeat([2.0, -1, 1], by_hand.COPIES)
COUNTED = np.repeat([3.0, 3, 2], by_hand.COPIES)


def leaning(people) -> pd.Series:
    """By the first letter of the name, Cids by their number."""
    names = people.images["image_id"]
    cid = names.str.startswith("cid") & names.str[3:].replace("", "0").astype(str).isin(list("56789"))
    return pd.Series(np.where(names.str.startswith("bob") | cid, 170.0, 10.0), pd.Index(names))


@pytest.fixture(scope="module")
def enough():
    """The study, which asks of the tilted as well."""
    with by_hand.enough() as results:
        arms = results.study.profile.arms
        asks = arms["transfer"].model_copy(update={"against_tilted": {"scratch_control": QUESTION}})
        profile = results.study.profile.model_copy(update={"arms": {**arms, "transfer": asks}})
        yield replace(results, study=by_hand.with_data(results.study, profile=profile))


@pytest.fixture(scope="module")
def tilted(enough):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tilt, "tilt_of", leaning)
        yield replace(enough, comparisons=comparisons(enough.study, enough.scores))


@pytest.fixture(scope="module")
def where(tilted):
    return measure_where_it_helps(tilted.study, tilted.scores)


def by_other_means() -> dict[str, float]:
    """The interaction from hits alone: people come in the order of their names."""
    first_five = np.arange(len(MORE)) % by_hand.COPIES < by_hand.COPIES // 2
    upright = (UPRIGHT == 1) | (UPRIGHT == 0.5) & first_five
    drawn = np.random.default_rng(0).integers(len(MORE), size=(2000, len(MORE)))
    shares = [100 * (MORE * own)[drawn].sum(axis=1) / (COUNTED * own)[drawn].sum(axis=1) for own in (~upright, upright)]
    groups = (10 * 4 + 5 * 2) ** 2 / (10 * 4**2 + 5 * 2**2)  # by labelled joints, in both halves
    error = np.std(shares[0] - shares[1]) * sqrt(groups / (groups - 1))
    half = t.ppf(0.975, groups - 1) * error
    value = 100 * (-10 + 5) / 40 - 100 * (20 + 5) / 40
    return {"difference": value, "low": value - half, "high": value + half, "standard_error": error}


def test_the_interaction_is_a_primary_question_beside_the_others(tilted, enough):
    table = primary(tilted.comparisons)
    assert table["metric"].tolist().count("pckh/tilted - upright") == 1
    assert len(table) == 4
    row = table.set_index("metric").loc["pckh/tilted - upright"]
    expected = by_other_means()
    assert row[list(expected)].to_dict() == pytest.approx(expected)
    assert (row["arm_a"], row["arm_b"], row["question"], row["ruling"]) == (
        "transfer",
        "scratch_control",
        QUESTION,
        "lower",
    )
    freedom = row["freedom"]
    alone = 2 * t.sf(-row["difference"] / row["standard_error"], sqrt(freedom * 2))
    assert row["p"] == pytest.approx(3 * alone)  # Holm: the second smallest of four
    many = {len(rows): rows.set_index("arm_b").loc["benchmark", "p"] for rows in (table, primary(enough.comparisons))}
    assert many[4] / 4 == pytest.approx(many[3] / 3)


def test_the_answer_to_it(tilted):
    found = by_other_means()
    sentence = answers(tilted)[3]
    assert sentence.startswith(
        f"**{QUESTION} No, it is smaller.** Among the tilted less among the upright, `transfer` minus "
        f"`scratch_control`: -75.0 [{found['low']:+.1f}, {found['high']:+.1f}] points of PCKh@0.5 with 4 labelled "
        "people and 260 against 60 iterations in all; p = "
    )
    assert sentence.endswith("after Holm; the smallest difference of interest is 20.")
    assert len(joint_table(tilted)) == 3  # of the questions of the score
    labels = [text.get_text() for text in answer_figure(tilted).axes[1].texts]
    assert any("among the tilted less the upright" in label.replace("\n", " ") for label in labels)


def test_people_who_cannot_be_told_apart_get_one_sentence(enough, monkeypatch):
    """Nobody of the study by hand has hips."""
    monkeypatch.setattr(tilt, "tilt_of", TILT_OF)
    untold = replace(enough, comparisons=comparisons(enough.study, enough.scores))
    row = primary(untold.comparisons).set_index("metric").loc["pckh/tilted - upright"]
    assert row[["p", "p_equivalent", "low", "difference"]].isna().all()
    assert answers(untold)[3] == f"**{QUESTION} Not ruled on: too few tilted people.**"
    assert answer_figure(untold).axes
    # The other three are ruled on as if it had not been asked.
    before = enough.comparisons.query("question != ''")["p"].tolist()
    assert primary(untold.comparisons)["p"].dropna().tolist() == before
    where = measure_where_it_helps(untold.study, untold.scores)
    assert where.few() == ["upright", "tilted"]
    assert said.on_tilt(untold.study, where) == (
        "- Of 30 rendered test people 0 are upright (within 60 degrees), 0 between and 0 tilted (by more than 120); of "
        "30 it is not known. With 0 upright and 0 tilted people, where an interval takes 10, nothing can be said of "
        "tilt."
    )
    assert said.on_swaps(untold.study, where).endswith("points. It was not asked beforehand.")
    assert set(said.tilt_table(untold.study, where)["tilted"]) == {"too few tilted people"}


def test_scores_by_tilt(where):
    assert where.people.set_index("tilt")["people"].to_dict() == {"all": 30, "upright": 15, "between": 0, "tilted": 15}
    found = where.scores.query("metric == 'pckh' and tried_on == 'target'").set_index(["arm", "tilt"])["value"]
    assert found["transfer"].to_dict() == pytest.approx(
        {"all": 62.5, "upright": 62.5, "between": np.nan, "tilted": 62.5}, nan_ok=True
    )
    assert found["scratch_control", "tilted"] == pytest.approx(100 * 30 / 40)
    assert found["scratch_control", "upright"] == 0


def test_differences_by_tilt(where, tilted):
    own = where.differences.query("difference == @PAIR and tried_on == 'target'").set_index(["metric", "tilt"])
    assert own.loc["pckh", "value"].to_dict() == pytest.approx(
        {"all": 25, "upright": 62.5, "between": np.nan, "tilted": -12.5, "tilted - upright": -75}, nan_ok=True
    )
    # Wrists: one more of each Ann's, one fewer of each Bob's, one more of each Cid's.
    assert own.loc[("pckh/wrist", "tilted - upright"), "value"] == pytest.approx(100 * (-5 / 30 - 15 / 30))
    ruled = primary(tilted.comparisons).set_index("metric").loc["pckh/tilted - upright"]
    ours = own.loc[("pckh", "tilted - upright")]
    assert ours[["low", "high"]].tolist() == ruled[["low", "high"]].tolist()
    assert list(where.differences["difference"].unique()) == [
        PAIR,
        "benchmark - scratch_control",
        "scratch_longer - scratch_control",
    ]


def test_what_is_said_of_tilt(tilted, where):
    found, study = by_other_means(), tilted.study
    [sentence] = said.on_tilt(study, where).splitlines()
    assert sentence.startswith(
        "- Of 30 rendered test people 15 are upright (within 60 degrees), 0 between and 15 tilted (by more than 120). "
        "`transfer` finds 62.5 ["
    )
    assert sentence.endswith(
        f"tilted minus upright -75.0 [{found['low']:+.1f}, {found['high']:+.1f}]. Asked before the runs: the ruling is "
        "on the answer page."
    )
    unasked = replace(tilted, study=by_hand.with_data(study, profile=by_hand.profile(by_hand.ENOUGH_ARMS)))
    assert said.on_tilt(unasked.study, where).endswith("]. It was not asked beforehand.")
    assert said.on_turning(study, where).startswith("What turning pictures by any angle gives by itself is not known")
    assert said.on_finished(study, where) == "The profile tries no finished network."
    assert said.on_swaps(study, where).startswith(
        "**At the same joint of the other side** are 0.0 [the same on all resamples] % of what `transfer` predicts and "
    )
    assert said.on_joints(study, where).startswith("**Of 2 groups of joints** monkeys add most at the head, +50.0 [")


def test_tables_of_tilt(tilted, where):
    study = tilted.study
    scores = said.tilt_table(study, where).set_index("arm")
    assert list(scores) == ["tried on", "pictures", "all", "upright", "between", "tilted"]
    assert scores.loc["scratch_control", "upright"] == "0.0 [the same on all resamples]"
    assert scores.loc["transfer", "between"] == "too few between people"
    pairs = said.tilt_differences(study, where).set_index("difference")
    assert pairs.loc[PAIR, "tilted - upright"].startswith("-75.0 [")
    assert set(said.swap_differences(study, where)["all"]) == {"+0.0 [the same on all resamples]"}
    assert said.differences_by_joint(study, where)["joint"].tolist() == ["all joints", "head", "wrist"]
    assert len(said.swap_table(study, where)) == 6


def test_a_finished_network_and_people_elsewhere(tmp_path):
    profile = by_hand.profile(by_hand.FINISHED_BENCHMARK)
    predicted = {("benchmark", 0) if arm == "benchmark" else (arm, n): v for (arm, n), v in by_hand.PREDICTED.items()}
    with by_hand.resampled(10), by_hand.opened(tmp_path, profile, predicted) as study:
        from monkey_transfer.measure.scores import read_scores

        where = measure_where_it_helps(study, read_scores(study))
        assert where.people["tried_on"].unique().tolist() == ["target", "elsewhere"]
        assert said.on_finished(study, where).splitlines() == [
            "- `benchmark` finds, of 3 rendered test people, 62.5 [too few groups] % of the joints of all; that less "
            "what `transfer` finds is -12.5 [too few groups] points. Better for all: not shown.",
            "- `benchmark` finds, of 2 rendered people of others by hand, 100.0 [too few groups] % of the joints of "
            "all; that less what `transfer` finds is +40.0 [too few groups] points. Better for all: not shown.",
        ]
        assert said.on_tilt(study, where).count("nothing can be said of tilt") == 2


def test_what_labels_hide_from_a_finished_network(tmp_path):
    """It finds 62.5 % here and all elsewhere; two labellings agree on 80 %, and no network finds more than 95."""
    own = by_hand.profile(by_hand.FINISHED_BENCHMARK)
    others = own.elsewhere.model_copy(update={"yardstick": own.yardstick})
    predicted = {("benchmark", 0) if arm == "benchmark" else (arm, n): v for (arm, n), v in by_hand.PREDICTED.items()}
    with by_hand.resampled(10), by_hand.opened(tmp_path, own, predicted) as study:
        results = measure(study)
        section = without_labels(results)
        assert section[0] == "## What one has today without labelling anybody"
        assert section[1].startswith("Finished networks beside `transfer`, which took 4 labelled people; ")
        assert section[2:] == [said.on_finished(study, results.where_it_helps)]
        table = pd.DataFrame(
            {"reading": [AGREE, MOST], "value": [80.0, 95.0], "low": [50.0, 90.0], "high": [90.0, 100.0]}
        )
        twice = {"ceiling": Ceiling(pd.DataFrame(), None, table.assign(joint="all joints", note=""))}
        results.__dict__.update(twice)
        assert without_labels(results) == section  # measured by another yardstick
        alike = replace(results, study=by_hand.with_data(study, profile=own.model_copy(update={"elsewhere": others})))
        found = results.elsewhere.assign(metric=results.elsewhere["metric"].replace("pck_by_torso", "pckh"))
        alike.__dict__.update(twice, elsewhere=found)
        assert _what_labels_hide(alike) == [
            "`benchmark` finds +37.5 points on others by hand beside people by hand. By right labels it would find 3.3 "
            "[0.0, 6.9] to 15.6 [6.9, 62.5] points more on people by hand (chapter 1); the rest is in the people and "
            "the pictures."
        ]


def test_a_finished_network_of_monkeys_is_none_for_people():
    profile = load_profile("paper")
    assert profile.arm("baseline").learns == "nothing"
    assert "baseline" not in profile.finished_networks
    assert "benchmark" in profile.finished_networks
    assert "baseline - transfer" not in contrasts(profile)


@pytest.mark.parametrize(
    "upright, among_tilted, better",
    [
        ((1, 9), (-9, -1), "for the upright: the finished network; for the tilted: labelled people"),
        ((-9, -1), (1, 9), "for the upright: labelled people; for the tilted: the finished network"),
        ((0, 9), (-9, 0), "for the upright: not shown; for the tilted: not shown"),
    ],
)
def test_the_choice_rests_on_the_interval_of_each_group(tilted, where, upright, among_tilted, better):
    study = by_hand.with_data(tilted.study, profile=by_hand.profile(by_hand.FINISHED_BENCHMARK))
    gains = where.differences[where.differences["difference"] == "benchmark - scratch_control"].copy()
    for group, ends in (("upright", upright), ("tilted", among_tilted)):
        gains.loc[gains["tilt"] == group, ["low", "high"]] = ends
    changed = replace(where, differences=gains.assign(difference="benchmark - transfer"))
    assert said.on_finished(study, changed).endswith(f"Better {better}.")


def test_what_turning_gives_is_asked_of_four_arms():
    found = contrasts(load_profile("lsp"))
    a, b, c, d = (Point(name, 100) for name in ("transfer", "imagenet_control", "transfer_upright", "control_upright"))
    assert list(found)[0] == "transfer - imagenet_control"
    assert found["imagenet_control - control_upright"] == {b: 1, d: -1}
    assert found["transfer_upright - control_upright"] == {c: 1, d: -1}
    assert found["(transfer - imagenet_control) - (transfer_upright - control_upright)"] == {a: 1, b: -1, c: -1, d: 1}
    assert found["dogs - imagenet_control"] == {Point("dogs", 100): 1, b: -1}
    assert found["benchmark - imagenet_control"] == {Point("benchmark", 4650): 1, b: -1}
    assert not any("baseline" in name for name in found)
    assert [name for name in found if "blazepose" in name] == ["blazepose - transfer"]
    assert found["blazepose - transfer"] == {Point("blazepose", 0): 1, a: -1}
    assert all(sum(weights.values()) == 0 for weights in found.values())
