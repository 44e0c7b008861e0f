"""Which network is taken, by whom it is chosen, and what is said of it."""

from dataclasses import replace
from types import SimpleNamespace

import by_hand
import numpy as np
import pandas as pd
import pytest

from monkey_transfer.measure import choice as module
from monkey_transfer.measure.ceiling import AGREE, Ceiling
from monkey_transfer.measure.choice import (
    CHECK,
    FINISHED,
    FIRST_GUESS,
    NO_VERDICT,
    NOT_USABLE,
    SECOND_PERSON,
    Choice,
    choice_of,
    held_out,
    on_what_all_have,
    tied,
)
from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import FLOOR, Point, Scores, validated
from monkey_transfer.metrics.estimate import Estimate
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import Matched, on_keypoints
from monkey_transfer.tell.choice import which_network

ONE, THREE = Point("transfer", 1), Point("transfer", 3)
CONTROL, MOST = Point("scratch_control", 3), Point("scratch_control", 7)
FINISHED_ONE = Point("benchmark", 0)
NAN = float("nan")
NOTHING_TWICE = Ceiling(pd.DataFrame(), None, pd.DataFrame())


@pytest.fixture(scope="module")
def enough():
    with by_hand.enough() as results:
        yield results


@pytest.fixture
def three():
    with by_hand.measured() as results:
        yield results


@pytest.fixture(scope="module")
def tried():
    """Ten like each of three people, each a group: percent of the joints found -> networks of three seeds.

    Seeds do the same. Which of the eighty joints that count are found is chance.
    """
    with by_hand.enough() as results:
        whole = results.scores.runs[Point("benchmark", 7)][0]

    def networks(percent: int) -> list[Matched]:
        counts = np.flatnonzero(whole.joints["keypoint"] != "pelvis")
        shuffled = np.random.default_rng(percent).permutation(counts)
        found = np.isin(np.arange(len(whole.joints)), shuffled[: round(len(counts) * percent / 100)])
        return [replace(whole, joints=whole.joints.assign(correct=found))] * 3

    return networks


def chosen_of(validations, tests, monkeypatch, twice=NOTHING_TWICE, **changed):
    """The choice of a study with a finished network, from what each network does on validation and on test people."""
    profile = by_hand.profile(by_hand.FINISHED_BENCHMARK, **changed)
    monkeypatch.setattr(module, "validated", lambda study, at, seed: [validations[at][profile.seeds.index(seed)]])
    return choice_of(SimpleNamespace(profile=profile), Scores(tests, pck_scores), twice)


def estimated(value: float, low: float = NAN, high: float = NAN) -> Estimate:
    return Estimate(value, low, high, NAN, NAN, 3, "people and seeds", "" if low == low else "too few groups")


# Whom the choice rests on


def of_whom(run: Matched, names: str) -> Matched:
    """What a network does on those of Ann, Bob and Cid whose first letters are named."""
    joints, people = (table[table["image_id"].str[0].isin(list(names))] for table in (run.joints, run.people))
    return replace(run, joints=joints.reset_index(drop=True), people=people.reset_index(drop=True))


def test_networks_are_compared_on_what_all_have(three):
    """Seeds hold out Ann and Bob, Bob and Cid, and Cid; the control none but Bob, Cid and Cid, and it has no head."""
    transfer, control = three.scores.runs[THREE], three.scores.runs[CONTROL]
    wrists = [on_keypoints(run, {"right_wrist", "left_wrist"}) for run in control]
    found = on_what_all_have(
        {
            THREE: [of_whom(run, names) for run, names in zip(transfer, ("ab", "bc", "c"), strict=True)],
            CONTROL: [of_whom(run, names) for run, names in zip(wrists, ("b", "c", "c"), strict=True)],
        }
    )
    assert found.keypoints(THREE) == {"right_wrist", "left_wrist"}
    # Wrists of Bob in '.t..', of Cid in 'n.' and in 's.'; those of the control in '..f.', 'nf' and 'sn'.
    assert found.of(THREE)["pckh"].value == pytest.approx((100 + 100 + 50) / 3)
    assert found.of(CONTROL)["pckh"].value == pytest.approx((50 + 50 + 50) / 3)
    # Everybody is resampled together, and who was held out by all of a seed's networks.
    assert [run.people["image_id"].tolist() for run in found.runs[THREE]] == [["bob", "cid"]] * 3
    # Not by hand: what a seed's network is not tried on has no part in its numbers.
    assert [run.joints["image_id"].unique().tolist() for run in found.runs[THREE]] == [["bob"], ["cid"], ["cid"]]


def test_seeds_that_share_nobody_differ_by_their_people_too(tried):
    """Where each seed has people of its own, the interval is that of three numbers, by Student."""
    runs = [of_whom(run, name) for run, name in zip(tried(60), "abc", strict=True)]
    found = on_what_all_have({THREE: runs}).of(THREE)["pckh"]
    alone = [100 * run.joints.loc[run.joints["keypoint"] != "pelvis", "correct"].mean() for run in runs]
    assert found.value == pytest.approx(np.mean(alone))
    error = np.std(alone, ddof=1) / np.sqrt(3)
    assert found.high - found.value == pytest.approx(4.303 * error, rel=0.1)  # t of two degrees of freedom


def test_validated_are_the_people_whom_a_seed_held_out(three):
    """Of seed 2 Hal, of whom transfer finds a wrist of three joints that count: 'onon'."""
    [network] = validated(three.study, THREE, 2)
    assert network.joints["image_id"].unique().tolist() == ["hal"]
    assert network.joints.set_index("keypoint")["correct"].to_dict() == {
        "head_top": False,
        "left_wrist": False,
        "pelvis": True,
        "right_wrist": True,
    }


def test_who_is_held_out_in_two_folds_counts_in_each(three, monkeypatch):
    """Ann and Bob by one network, Bob and Cid by another."""
    one, other, _ = three.scores.runs[THREE]
    folds = [of_whom(one, "ab"), of_whom(other, "bc")]
    monkeypatch.setattr(module, "validated", lambda study, at, seed: folds)
    pooled = held_out(three.study, THREE, 0)
    assert pooled.people["group"].tolist() == ["ann", "bob", "bob", "cid"]
    assert pooled.people["image_id"].nunique() == 4
    own = pd.concat([run.joints for run in folds], ignore_index=True)
    assert pooled.joints["correct"].tolist() == own["correct"].tolist()
    assert (
        pooled.joints["image_id"].map(pooled.people.set_index("image_id")["group"]).tolist() == own["image_id"].tolist()
    )


# Which is chosen


@pytest.mark.parametrize(
    "value, low, is_tie",
    [
        (1.9, -0.1, True),
        (1.9, 0.0, True),
        (1.9, 0.1, False),  # shown, though it matters little
        (2.0, -0.1, False),  # it may matter
        (1.9, NAN, True),
        (2.0, NAN, False),
        (-5.0, -9.0, True),
    ],
)
def test_what_a_tie_is(value, low, is_tie):
    assert tied(estimated(value, low, 9.0), 2.0) == is_tie


ALL_POINTS = (FINISHED_ONE, ONE, THREE, Point("scratch_control", 1), CONTROL, MOST)


def test_the_test_does_not_choose(tried, monkeypatch):
    """The best of the test is the worst in validation."""
    held = {at: tried(percent) for at, percent in zip(ALL_POINTS, (20, 80, 60, 40, 70, 30), strict=True)}
    tests = {at: tried(percent) for at, percent in zip(ALL_POINTS, (80, 20, 40, 60, 30, 70), strict=True)}
    choice = chosen_of(held, tests | {FLOOR: tried(20)}, monkeypatch)
    assert (choice.best, choice.point, choice.finished) == (ONE, ONE, FINISHED_ONE)
    table = choice.table
    assert table["validation"].tolist() == pytest.approx([80, 70, 60, 40, 30, 20, NAN], nan_ok=True)
    assert table["validation_behind"].tolist() == pytest.approx([NAN, 10, 20, 40, 50, 60, NAN], nan_ok=True)
    assert table["value"].tolist() == pytest.approx([20, 30, 40, 60, 70, 80, 20])
    assert table["behind"].tolist() == pytest.approx([NAN, -10, -20, -40, -50, -60, 0], nan_ok=True)
    assert table["people"].tolist() == [2, 4, 4, 2, 8, 0, 3]


def test_a_network_that_knows_no_people_is_none_to_take(three):
    found = three.choice.table
    assert set(found["arm"]) == {"benchmark", "transfer", "scratch_control", "mean_pose"}
    assert found["arm"].iloc[-1] == "mean_pose"
    assert np.isnan(found["validation"].iloc[-1])


def test_of_equal_ones_the_fewest_labels_are_taken(three):
    """Of three persons three networks find all; transfer and its control with two labelled people each, in this
    order. With three people transfer finds 100, 100 and 33.3 %, its control 100, 33.3 and 0."""
    choice = three.choice
    assert choice.best == choice.point == ONE
    found = choice.table.set_index(["arm", "images"])["validation"]
    assert found[THREE] == pytest.approx(700 / 9)
    assert found[CONTROL] == pytest.approx(400 / 9)
    assert (choice.verdict, choice.finished) == (NO_VERDICT, None)


def test_the_cheaper_of_two_is_taken_only_where_it_is_a_tie(tried, monkeypatch):
    tests = dict.fromkeys([*ALL_POINTS, FLOOR], tried(40))
    held = dict.fromkeys(ALL_POINTS, tried(20)) | {MOST: tried(80), THREE: tried(79)}
    near = chosen_of(held, tests, monkeypatch, margin=5)
    assert (near.best, near.point) == (MOST, THREE)
    far = chosen_of(held, tests, monkeypatch, margin=0.5)
    assert (far.best, far.point) == (MOST, MOST)
    shown = chosen_of(held | {THREE: [worse(run) for run in tried(80)]}, tests, monkeypatch, margin=20)
    assert (shown.best, shown.point) == (MOST, MOST)


def worse(run: Matched) -> Matched:
    """As that network, but that it misses the heads of all like Bob."""
    missed = run.joints["keypoint"].eq("head_top") & run.joints["image_id"].str.startswith("bob")
    return replace(run, joints=run.joints.assign(correct=run.joints["correct"] & ~missed))


# What the test says of it


def labelled_twice(low: float) -> Ceiling:
    row = {"reading": AGREE, "metric": "pckh", "joint": "all joints", "value": 80.0, "low": low, "high": 90.0}
    return Ceiling(pd.DataFrame(), None, pd.DataFrame([{**row, "note": ""}]))


@pytest.mark.parametrize(
    "own, floor, finished, changed, verdict",
    [
        (80, 20, 20, {}, CHECK),
        (80, 20, 20, {"ceiling": 85}, CHECK),
        (80, 20, 20, {"ceiling": 80}, SECOND_PERSON),
        (40, 20, 20, {}, FIRST_GUESS),
        (53, 20, 20, {}, FIRST_GUESS),  # more than half, but that is not shown
        (40, 38, 20, {}, NOT_USABLE),
        (80, 79, 20, {"ceiling": 80}, NOT_USABLE),
        (80, 20, 79, {}, FINISHED),
        (80, 20, 79, {"margin": 0.5}, CHECK),
        (40, 20, 80, {}, FINISHED),
        (80, 20, 20, {"seeds": (0,)}, NO_VERDICT),
        (80, 20, 20, {"seeds": (0, 1)}, NO_VERDICT),
    ],
)
def test_verdicts(tried, monkeypatch, own, floor, finished, changed, verdict):
    """Of ``transfer`` with one image, the best in validation, by what is found on the test people."""
    seeds = len(changed.get("seeds", (0, 1, 2)))
    held = {at: tried(80 if at == ONE else 40)[:seeds] for at in ALL_POINTS}
    tests = dict.fromkeys(ALL_POINTS, tried(20)) | {ONE: tried(own), FINISHED_ONE: tried(finished), FLOOR: tried(floor)}
    if seeds < 3:
        arms = by_hand.FINISHED_BENCHMARK
        arms = arms | {"transfer": {k: v for k, v in arms["transfer"].items() if k != "against"}}
        monkeypatch.setattr(by_hand, "FINISHED_BENCHMARK", arms)
    choice = chosen_of(held, {at: runs[:seeds] for at, runs in tests.items()}, monkeypatch, **changed)
    assert (choice.arm, choice.images, choice.verdict) == ("transfer", 1, verdict)
    assert choice.taken == (FINISHED_ONE if verdict == FINISHED else ONE)


@pytest.mark.parametrize("low, verdict", [(79.0, SECOND_PERSON), (81.0, CHECK), (NAN, CHECK)])
def test_a_second_person_as_sure_as_two_labellings_are(tried, monkeypatch, low, verdict):
    held = dict.fromkeys(ALL_POINTS, tried(40)) | {ONE: tried(80)}
    tests = dict.fromkeys([*ALL_POINTS, FLOOR], tried(20)) | {ONE: tried(80)}
    assert chosen_of(held, tests, monkeypatch, labelled_twice(low)).verdict == verdict


def test_a_finished_network_that_is_chosen_is_judged_itself(tried, monkeypatch):
    held = dict.fromkeys(ALL_POINTS, tried(80))
    tests = dict.fromkeys([*ALL_POINTS, FLOOR], tried(20)) | {FINISHED_ONE: tried(80)}
    choice = chosen_of(held, tests, monkeypatch)
    assert (choice.point, choice.finished, choice.verdict) == (FINISHED_ONE, FINISHED_ONE, CHECK)


def test_a_finished_network_not_shown_to_beat_the_mean_pose_is_no_alternative(tried, monkeypatch):
    held = dict.fromkeys(ALL_POINTS, tried(20)) | {ONE: tried(80)}
    tests = dict.fromkeys(ALL_POINTS, tried(20)) | {ONE: tried(40), FINISHED_ONE: tried(30), FLOOR: tried(20)}
    assert chosen_of(held, tests, monkeypatch, margin=50).verdict == FIRST_GUESS


def test_differences_of_the_test_are_those_of_the_study(enough):
    choice, table = enough.choice, enough.choice.table.set_index(["arm", "images"])
    for at in enough.scores.runs:
        if at not in (choice.point, Point("baseline", 2)):
            told = table.loc[at, ["behind", "behind_low", "behind_high"]].tolist()
            found = enough.scores.compare(choice.point, at)["pckh"]
            assert told == pytest.approx([found.value, found.low, found.high], nan_ok=True)


# In words


def said(
    results: Results, ceiling: Ceiling = NOTHING_TWICE, choice: Choice | None = None, **changed: object
) -> list[str]:
    """The section's sentences where something else is chosen or found."""
    told = replace(results)
    told.__dict__.update(ceiling=ceiling, choice=replace(choice or results.choice, **changed))
    heading, sentences = which_network(told)
    assert heading == "## Which network to take"
    return [line.removeprefix("- ") for line in sentences.splitlines()]


# Of the study of three people.
WHICH_NETWORK = [
    "**Take `transfer` (2 labelled people); whether it is usable cannot be said.** Of 6 networks it finds most "
    "joints of the validation people, 100.0 % (1 of each seed). How much of that is chance is not known: too few "
    "groups.",
    "On the test people `transfer` finds 50.0 [too few groups] % of the joints (PCKh@0.5): +25.0 [too few groups] "
    "points more than the mean pose.",
    "What to check of `transfer`: of 3 joints 1.5 are wrong in an average picture, half of all joints are off by "
    "0.00 [too few groups] times the head size or more and 0.0 [too few groups] % are taken for the same joint of "
    "the other side. Fewer than half are found of these: wrist.",
    "Measured on 3 rendered test people with 3 seeds, in pictures framed as here: that says nothing of other "
    "pictures, nor of what may be concluded from a pose. A verdict needs 10 groups of test people, such as videos "
    "or patients, where there are 3 (of unequal size as many equal ones): label more of them, keep more for the test "
    "(`target.test`), or test all (`folds`).",
]


def test_the_section_word_for_word(three):
    assert said(three) == WHICH_NETWORK


@pytest.mark.parametrize(
    "verdict, lead",
    [
        (CHECK, "**Take `transfer` (4 labelled people); usable where somebody checks what it finds.** "),
        (
            FIRST_GUESS,
            "**Take `transfer` (4 labelled people), as a first guess that somebody corrects: it is not shown to find "
            "more than half of the joints.** ",
        ),
        (
            SECOND_PERSON,
            "**Take `transfer` (4 labelled people); its score is within what a second person who labels the same "
            "pictures would have.** ",
        ),
        (
            FINISHED,
            "**Take `benchmark` (8 labelled people), a finished network: `transfer` (4 labelled people), chosen by "
            "validation, leads it in the test by less than matters, maybe by chance, if at all.** ",
        ),
    ],
)
def test_verdicts_in_words(three, verdict, lead):
    found = said(three, images=3, finished=Point("benchmark", 7), verdict=verdict)
    assert found[0].startswith(lead)
    assert found[2].startswith(f"What to check of `{'benchmark' if verdict == FINISHED else 'transfer'}`: ")
    assert "A verdict needs" not in found[3]
    assert " more than `benchmark`, the best finished network in validation, which needs no labels." in found[1]


def test_ties_and_whom_validation_does_not_tell(three):
    table = three.choice.table.assign(validation_behind_low=-1.0, validation_behind_high=3.0, validation_behind_note="")
    best, *others = said(three, images=3, best=Point("benchmark", 7), table=table)[0].split("** ")[1].split(". ")
    assert best.startswith("`benchmark` (8 labelled people) finds most joints of the validation people, 100.0 % (")
    assert best.endswith("`transfer` is less than 2 points behind, maybe by chance, and needs fewer labels")
    assert others == [
        "Validation does not tell `benchmark` from `scratch_control` (2 labelled people), `benchmark` (8 labelled "
        "people), `scratch_control` (8 labelled people) and 1 more."
    ]


def test_what_a_network_lacks_and_where_it_is_far_off(three):
    wrists = {
        at: [on_keypoints(run, {"right_wrist", "left_wrist"}) for run in runs] if at == ONE else runs
        for at, runs in three.scores.runs.items()
    }
    lacking = said(replace(three, scores=Scores(wrists)), choice=three.choice)
    assert "It does not have these: head top, pelvis." in lacking[2]
    far = three.table.copy()
    far.loc[(far["arm"] == "transfer") & (far["metric"] == "normalised_mean"), "value"] = 1.75
    assert said(replace(three, table=far), choice=three.choice)[2].endswith(
        "Where it is wrong it is far off: its mean error is 1.75 [too few groups], that of the mean pose 1.74 [too few "
        "groups]."
    )


def test_a_network_that_may_know_the_test_people_is_said_to(three):
    leaks = three.leaks.assign(may_have_seen=[0, 0, 3, 0], note=["", "", "trained on these people", ""])
    known = said(replace(three, leaks=leaks), choice=three.choice)
    assert known[1].endswith("`transfer` may have seen these people, which flatters it.")


def test_how_well_people_agree_stands_beside_it(three):
    twice = said(three, labelled_twice(70.0))
    assert twice[1].endswith(" Two people who labelled one photograph agree on 80.0 [70.0, 90.0] %.")
    stated = by_hand.with_data(three.study, profile=three.study.profile.model_copy(update={"ceiling": 91.5}))
    known = said(replace(three, study=stated), choice=three.choice)
    assert known[1].endswith(" The profile says that nobody can be expected to beat 91.5 %.")


def test_folds_are_said_to_flatter(three):
    folds = three.study.profile.model_copy(update={"folds": 2})
    found = said(replace(three, study=by_hand.with_data(three.study, profile=folds)), choice=three.choice)
    assert "(1 of each seed in all folds)" in found[0]
    assert "With folds what validates one network tests another, which flatters the chosen one a little." in found[3]
    assert found[3].endswith(" (of unequal size as many equal ones): label more of them.")


def test_frames_of_own_data_are_counted_as_such(three):
    own = by_hand.with_data(three.study, profile=three.study.profile.model_copy(update={"own_data": True}))
    apart = own.target.images.assign(path=[f"{place}.png" for place in range(len(own.target))])
    own = by_hand.with_data(own, target=apart)
    text = " ".join(said(replace(three, study=own), choice=three.choice))
    assert "Take `transfer` (2 labelled frames)" in text
    assert "On the test frames" in text
    assert "people" not in text


def test_one_seed_is_told_what_is_lacking(enough):
    alone = by_hand.with_data(enough.study, profile=enough.study.profile.model_copy(update={"seeds": (0,)}))
    one = Scores({at: runs[:1] for at, runs in enough.scores.runs.items()}, pck_scores)
    found = said(replace(enough, study=alone, scores=one), choice=choice_of(alone, one, NOTHING_TWICE))
    assert found[0].startswith("**Take `transfer` (2 labelled people); whether it is usable cannot be said.**")
    assert found[3].endswith(
        "A verdict needs 3 seeds (`seeds: [0, 1, 2]`), since fewer do not show what is chance in training."
    )
