"""Chapter 6 on runs that look finished: pairs, people, verdicts and negative controls follow what was put in."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from fabricated import fabricate

from monkey_transfer import controls_summary, profiles, results, study
from monkey_transfer.controls import QUESTIONS, measure_controls, swapped_names
from monkey_transfer.rare_poses import measure_rare_poses
from monkey_transfer.study import matched

PEOPLE = {"format": "synthetic", "species": "human", "images": 170, "seed": 2, "size": 64}
PROFILE = {
    "title": "Controls",
    "source": {"data": {**PEOPLE, "species": "macaque", "images": 30}, "test": 4},
    "target": {"data": PEOPLE, "test": 80},
    "picture": {"framing": "whole", "size": 64},
    "yardstick": "head_size",
    "seeds": [0, 1, 2],
    "smallest_validation": 10,
    "training": {"net_type": "mobilenet_v2_0.35", "global_scale": 1.0, "augmentation": {"scale_jitter_lo": 1.0}},
    "arms": {
        "baseline": {"learns": "source", "images": 10, "init": "scratch"},
        "benchmark": {"learns": "target", "images": 70, "init": "scratch"},
        "transfer": {"learns": "target", "images": [10, 30], "init": "arm:baseline"},
        "scratch_control": {"learns": "target", "images": [10, 30, 60], "init": "scratch"},
        "transfer_frozen": {"learns": "target", "images": 30, "init": "arm:baseline", "frozen": "backbone"},
    },
}
SKILL = {"transfer": 1.3, "transfer_frozen": 1.3, "benchmark": 1.2, "baseline": 0.5}


BUDGETS = SimpleNamespace(
    budgets=pd.DataFrame(
        {
            "arm": ["baseline", "transfer", "transfer", "scratch_longer", "scratch_longer"],
            "training_pictures": [10, 10, 30, 60, 60],
            "iterations": [500, 900, 500, 1000, 800],
        }
    )
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controls")
    (folder / "controls.yaml").write_text(yaml.safe_dump(PROFILE, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setattr(study, "load_profile", lambda name: profiles.load_profile(name, folder))
        opened = study.open_study("controls")
        fabricate(opened, SKILL)
        yield opened


@pytest.fixture(scope="module")
def controls(opened):
    return measure_controls(opened)


def test_points_are_counted_in_labelled_people(controls):
    people = controls.points.set_index(["arm", "images"])["people"]
    assert people["transfer", 10] == 20
    assert people["scratch_control", 60] == 70
    assert people["benchmark", 70] == 80
    assert (controls.points["low"] < controls.points["score"]).all()
    assert (controls.points["least"] <= controls.points["score"]).all()
    assert (controls.points["seeds"] == 3).all()


def test_pairs_are_compared_at_the_sizes_that_both_have(controls):
    found = {(row.arm_a, row.arm_b, row.images) for row in controls.contrasts.itertuples()}
    assert found == {
        ("transfer", "scratch_control", 10),
        ("transfer", "scratch_control", 30),
        ("transfer_frozen", "transfer", 30),
    }
    assert set(zip(controls.contrasts["arm_a"], controls.contrasts["arm_b"], strict=True)) <= set(QUESTIONS)


def test_a_verdict_takes_an_interval_without_zero_and_more_than_two_seeds_differ_by(controls):
    table = controls.contrasts.set_index(["arm_a", "arm_b", "images"])
    assert table.loc[("transfer", "scratch_control", 30), "verdict"] == "higher"
    assert table.loc[("transfer_frozen", "transfer", 30), "verdict"] == "undecided"  # of equal skill
    for row in controls.contrasts.itertuples():
        shown = (row.low > 0 or row.high < 0) and abs(row.difference) > row.spread
        assert (row.verdict in ("higher", "lower")) == shown


def test_a_better_start_is_worth_the_people_that_were_put_in(controls):
    """Skill x log(people learnt) is what counts here, so 30 people at skill 1.3 are worth 30^1.3 = 83: not reached."""
    worth = controls.equivalents.set_index(["arm", "people"])
    of_ten = worth.loc[("transfer", 20)]
    assert of_ten["low"] <= 10**1.3 + 10 <= of_ten["high"]
    assert np.isinf(worth.loc[("transfer", 40), "high"])
    assert set(worth.index.get_level_values("arm")) == {"transfer", "transfer_frozen"}


def test_seed_pairs_are_of_one_arm_and_size(controls):
    assert len(controls.seed_pairs) == 3 * (1 + 2 + 3 + 1)
    assert (controls.seed_pairs["seed_a"] < controls.seed_pairs["seed_b"]).all()


def test_who_comes_down_to_the_controls_error(controls):
    speed = controls.speed.set_index(["arm", "images"])
    assert speed.loc[("scratch_control", 30), "reached"] == 3
    assert speed.loc[("scratch_control", 30), "iterations"] == 500  # its own least, at its end
    assert speed.loc[("transfer", 30), "iterations"] < 500
    assert ("benchmark", 70) not in speed.index


def test_swapped_names_differ_as_often_as_they_should(opened):
    a, b = (matched(opened, opened.finished(arm, 0, 30).predictions()) for arm in ("transfer", "scratch_control"))
    assert 0.03 <= swapped_names(a, b) <= 0.075
    # What is swapped is the person, so people of one group that are taken as single ones would be found out.
    pairs = a.people.assign(group=[f"group {place // 2}" for place in range(len(a.people))])
    assert 0.02 <= swapped_names(replace(a, people=pairs), replace(b, people=pairs)) <= 0.09


def test_sentences_say_what_the_tables_say(opened, controls):
    helps = controls_summary._do_monkeys_help(opened, BUDGETS, controls)
    assert helps.startswith(
        "**That learning monkeys first helps, against `scratch_control`, is** supported with 20 and 40"
    )
    assert "on 80 rendered test people, 3 seeds" in helps
    worth = controls_summary._worth(opened, controls)
    assert "`scratch_control` needs** so many labelled people" in worth
    assert "more than 70 (not reached)" in worth
    table = controls_summary.contrast_table(opened, controls)
    assert set(table["pictures"]) == {"rendered"}
    assert "of 1,000 trials, where 5 % are due" in controls_summary.negative_control(opened, controls)


def test_what_longer_training_does_instead_is_said_in_the_same_breath(opened, controls):
    assert "iterations" not in controls_summary._do_monkeys_help(opened, BUDGETS, controls)
    row = controls.contrasts.iloc[[0]].assign(
        arm_b="scratch_longer", verdict="undecided", difference=-0.9, low=-3.4, high=1.5
    )
    longer = replace(controls, contrasts=pd.concat([controls.contrasts, row]))
    arms = opened.profile.arms | {"scratch_longer": opened.profile.arm("scratch_control")}
    study_of_longer = replace(opened, profile=opened.profile.model_copy(update={"arms": arms}))
    told = (
        "Against `scratch_longer`, which takes 900 iterations on people where `transfer` takes 1,000 on monkeys and "
        "people, it is undecided with 20: -0.9"
    )
    assert told in controls_summary._do_monkeys_help(study_of_longer, BUDGETS, longer)


def test_one_seed_decides_nothing(opened):
    alone = study.Study(opened.profile.model_copy(update={"seeds": (0,)}), opened.source, opened.target)
    controls = measure_controls(alone)
    assert set(controls.contrasts["verdict"]) == {"one seed"}
    assert controls.seed_pairs.empty
    assert "undecided, since one seed" in controls_summary._do_monkeys_help(alone, BUDGETS, controls)
    assert controls_summary.seed_table(alone, controls).iloc[0, 0] == "the profile has one seed"


@pytest.mark.parametrize(
    "verdict, told",
    [
        ("uninformative", "is not shown to beat `mean_pose`, so the comparison is uninformative"),
        ("higher", "is** supported on the joints that all arms have: +2.0 [+1.0, +3.0]"),
        ("lower", "is** contradicted"),
        ("undecided", "is** undecided on"),
        ("one seed", "is** undecided, since one seed"),
        ("too few groups", "is** undecided, since the test people are of too few groups, on"),
    ],
)
def test_the_third_sentence_asks_whether_the_benchmark_is_one(opened, verdict, told):
    row = {"arm_a": "transfer", "arm_b": "benchmark", "verdict": verdict, "difference": 2.0, "low": 1.0, "high": 3.0}
    leaks = pd.DataFrame({"arm": ["benchmark"], "may_have_seen": [0], "note": [""]})
    found = SimpleNamespace(comparisons=pd.DataFrame([row]), leaks=leaks)
    assert told in controls_summary._against_the_benchmark(opened, found)
    if verdict != "uninformative":
        found.leaks = leaks.assign(may_have_seen=80, note="trained on these people")
        said = controls_summary._against_the_benchmark(opened, found)
        assert "`benchmark` may have seen the test people: trained on these people" in said


def compared(opened, **instead: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of all arms, some with those predictions in place of their own."""
    found = {
        seed: {
            arm: matched(opened, instead.get(arm, opened.finished(arm, seed).predictions()))
            for arm in opened.profile.arms
        }
        | {"mean_pose": matched(opened, study.mean_pose(opened))}
        for seed in opened.profile.seeds
    }
    return results._comparisons(opened, found)


def test_no_arm_is_better_in_one_table_and_undecided_in_another(opened, controls):
    table = compared(opened)
    largest = {arm: opened.profile.arm(arm).largest for arm in opened.profile.arms}
    pairs = [row for row in controls.contrasts.itertuples() if largest[row.arm_a] == largest[row.arm_b] == row.images]
    for row in pairs:
        assert results.oriented(table, row.arm_a, row.arm_b).verdict == row.verdict
    assert {(row.arm_a, row.arm_b) for row in pairs} == {("transfer_frozen", "transfer")}
    assert "uninformative" not in set(table["verdict"])


def test_a_benchmark_that_is_no_better_than_the_mean_pose_says_nothing(opened):
    table = compared(opened, benchmark=study.mean_pose(opened))
    pairs = table[["arm_a", "arm_b"]]
    with_benchmark, with_floor = (pairs.isin([name]).any(axis=1) for name in ("benchmark", "mean_pose"))
    assert set(table.loc[with_benchmark & ~with_floor, "verdict"]) == {"uninformative"}
    assert "uninformative" not in set(table.loc[~with_benchmark, "verdict"])


def test_test_people_of_few_videos_decide_nothing(opened):
    videos = opened.target.images.assign(group=[f"video {place % 9}" for place in range(len(opened.target))])
    people = study.Study(opened.profile, opened.source, replace(opened.target, images=videos))
    few = opened.test_people
    few = replace(few, images=few.images.assign(group=[f"video {place % 9}" for place in range(len(few))]))
    people.__dict__["splits"], people.__dict__["test_people"] = opened.splits, few
    controls = measure_controls(people)
    assert set(controls.contrasts["verdict"]) == {"too few groups"}
    assert "undecided, since the test people are of too few groups" in controls_summary._do_monkeys_help(
        people, BUDGETS, controls
    )


def test_rare_poses_are_compared_at_the_size_that_both_arms_learn(opened):
    rare = measure_rare_poses(opened)
    assert set(rare.accuracy["arm"]) == set(opened.profile.arms)
    assert len(rare.people) + rare.left_out == 80
    assert set(rare.lines["measure"]) == {"distance", "surprise"}
    assert (rare.advantage["seeds"] == 3).all()
    answer = controls_summary.rarity_answer(opened, rare)
    assert "over `scratch_control` changes by" in answer
    assert f"on {len(rare.people)} rendered test people" in answer
    assert len(controls_summary.rarity_table(opened, rare)) == 2


def test_one_number_of_people_is_no_curve(opened):
    arms = opened.profile.arms | {
        name: opened.profile.arm(name).model_copy(update={"images": 30}) for name in ("transfer", "scratch_control")
    }
    one_size = study.Study(opened.profile.model_copy(update={"arms": arms}), opened.source, opened.target)
    controls = measure_controls(one_size)
    assert controls.equivalents.empty
    assert "has no learning curve" in controls_summary._worth(one_size, controls)
    assert controls_summary.equivalent_table(one_size, controls).empty
