"""The tables of the chapters as a reader sees them: of three people, cell by cell; and with intervals."""

from dataclasses import replace

import by_hand
import pandas as pd
import pytest
from test_comparisons import BEATS_MANY, HELPS, MORE_THAN_LONGER, p_different, p_equivalent

from monkey_transfer.measure.comparisons import of_metric
from monkey_transfer.measure.controls import equivalents, speed
from monkey_transfer.measure.matched import matched
from monkey_transfer.measure.rare_poses import RarePoses
from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import of_networks, people_of
from monkey_transfer.tell import reading

FEW = " [too few groups]"
ARMS = ["baseline", "benchmark", "transfer", "scratch_control", "mean_pose"]


@pytest.fixture
def three():
    with by_hand.measured() as results:
        yield results


@pytest.fixture(scope="module")
def enough():
    with by_hand.enough() as results:
        yield results


def bare(table: pd.DataFrame) -> dict[str, list[str]]:
    """Arm -> its cells without what is the same in all of them: the kind of pictures, and that groups are too few."""
    assert set(table["pictures"]) == {"rendered"}
    rows = table.drop(columns="pictures").set_index("arm")
    return {
        arm: [str(cell).removesuffix(FEW) for cell in row] for arm, row in zip(rows.index, rows.values, strict=True)
    }


def known_benchmark(results: Results) -> Results:
    leaks = results.leaks.assign(may_have_seen=[0, 3, 0, 0], note=["", "trained on these people", "", ""])
    return replace(results, leaks=leaks)


# Chapters 1 to 4


def test_who_is_left_out(three):
    assert reading.left_out_table(three.study).to_dict("records") == [
        {"data": "target", "what": "joints", "reason": "outside", "number": 2},
        {"data": "target", "what": "people", "reason": "no head", "number": 1},
    ]
    nobody = replace(three.study.target, left_out=three.study.target.left_out.head(0))
    whole = replace(three.study, target=nobody)
    assert reading.left_out_table(whole).to_dict("records") == [{"data": "source and target", "what": "nothing"}]
    assert "no list of single people" in reading.filter_table(three.study).iloc[0, 0]


def test_how_a_run_went(three):
    """Kept at iteration 20; at its end transfer's first seed had 55 % and 9 px, of its own curve."""
    run = three.study.finished_run("transfer", 0)
    assert reading.training_in_words(three.study, [run]) == (
        "`transfer` starts from `arm:baseline` and learnt 3 pictures of seed 0 in 50 iterations (adam); it ended by "
        "iterations. Its validation score was best at iteration 20, which was kept: 30.5 % correct and an error of 7.2 "
        "px in the framed picture; 55.0 % and 9.0 px at the end."
    )
    finished = by_hand.with_data(three.study, profile=by_hand.profile(by_hand.FINISHED_BENCHMARK))
    assert reading.training_in_words(finished, [three.study.finished_run("benchmark", 0)]) == (
        "`benchmark` is the finished network `full_human` of DeepLabCut's model zoo, a resnet_101, trained by its "
        "authors on people of MPII's training pictures (Insafutdinov et al. 2016). Nothing was trained here."
    )
    name = "efficientpose_rt_lite"
    of_others = {"learns": "nothing", "init": f"zoo:{name}", "training": {"engine": "tflite", "net_type": name}}
    finished = by_hand.with_data(three.study, profile=by_hand.profile({**by_hand.ARMS, "benchmark": of_others}))
    assert reading.training_in_words(finished, [three.study.finished_run("benchmark", 0)]) == (
        "`benchmark` is the finished network `efficientpose_rt_lite` of the repository EfficientPose, trained by its "
        "authors on people of MPII's training pictures (Groos et al. 2021). Nothing was trained here."
    )
    shuffled = {**by_hand.ARMS, "baseline": {**by_hand.ARMS["baseline"], "names": "shuffled"}}
    study = by_hand.with_data(three.study, profile=by_hand.profile(shuffled))
    assert (
        "Names are shuffled in validation too, so its score says little and the last iteration, 20, was kept: 30.5 %"
    ) in reading.training_in_words(study, [three.study.finished_run("baseline", 0)])


def test_the_held_out_monkey(three):
    """Off by 5, 20 and 50 of its 100 pixels, of which 20 are correct; of confidence 0.75, 0.25 and 0.125."""
    table = reading.monkey_table(three.study, three.study.finished_run("baseline", 0))
    assert [list(row.values()) for row in table.to_dict("records")] == [
        ["left wrist", "rendered", "held out", 1, "100.0", "0.200", 0, "none"],
        ["right wrist", "rendered", "held out", 1, "100.0", "0.050", 1, "0.050"],
        ["tail", "rendered", "held out", 1, "0.0", "0.500", 0, "none"],
        ["all joints", "rendered", "held out", 3, "66.7", "0.250", 1, "0.050"],
    ]
    assert table.columns[4] == "within 0.2 box lengths, %"


def test_single_networks(three):
    """Of the last seed, whose floor finds nobody."""
    study = three.study
    networks = of_networks(study, [study.finished_run(arm, 2, 3) for arm in ("transfer", "scratch_control")])
    table = reading.score_table(study, networks.table(lambda point: people_of(study, point)))
    assert list(table) == ["arm", "pictures", "PCKh@0.5, %", "at 0.1, %", "at 0.2, %"]
    assert bare(table) == {
        "transfer": ["62.5", "50.0", "50.0"],
        "scratch_control": ["37.5", "12.5", "12.5"],
        "mean_pose": ["0.0", "0.0", "0.0"],
    }


def test_errors_over_the_size_of_the_person(three):
    """Boxes of 80 (Ann), 100 and 160: 20/80 twice, 20/100 and 50/160, of ten joints; those of 0.4 are all right."""
    run = three.study.finished_run("scratch_control", 0, 3)
    joints = matched(three.study, run.predictions(), three.study.body_yardstick).joints
    assert reading.distance_table(three.study, joints).to_dict("records") == [
        {"predictions": "all", "pictures": "rendered", "joints": 10, "mean distance / bbox_length": "0.101"},
        {
            "predictions": "confidence of at least 0.4",
            "pictures": "rendered",
            "joints": 6,
            "mean distance / bbox_length": "0.000",
        },
    ]


# Chapter 5; numbers as in test_by_hand


def test_every_arm(three):
    table = reading.arm_table(three)
    assert list(table)[2:] == [
        *("PCKh@0.5, %", "AUC", "F1", "precision", "recall (own correct)", "recall (all labelled)"),
        "F1, the paper's way",
    ]
    assert bare(table) == {
        "baseline": ["33.3", "0.62", *["undefined"] * 4, "0.57"],
        "benchmark": ["62.5", "1.00", "1.00", "1.00", "1.00", "0.70", "1.00"],
        "transfer": ["75.0", "0.87", "0.94", "0.93", "0.96", "0.77", "0.96"],
        "scratch_control": ["75.0", "1.00", "1.00", "1.00", "1.00", "0.80", "1.00"],
        "mean_pose": ["25.0", "undefined", "0.38", "0.27", "undefined", "0.27", "0.38"],
    }


def test_smaller_thresholds(three):
    table = reading.threshold_table(three)
    assert list(table)[2:] == ["at 0.1, %", "at 0.2, %", "PCKh@0.5, %", "area, %"]
    assert bare(table)["transfer"] == ["58.3", "62.5", "75.0", "65.8"]
    assert list(bare(table)) == ARMS


def test_errors_in_both_frames(three):
    table = reading.error_table(three)
    assert list(table) == [
        *("frame", "arm", "pictures", "RMSE x", "RMSE y", "RMSE distance", "mean distance"),
        *("RMSE of those kept", "the same, the paper's way"),
    ]
    assert table["frame"].tolist() == ["original px"] * 5 + ["network px"] * 5
    frames = {frame: bare(rows.drop(columns="frame")) for frame, rows in table.groupby("frame")}
    assert frames["original px"]["transfer"] == ["7.0", "11.7", "13.7", "7.4", "11.1", "11.4"]
    assert frames["original px"]["scratch_control"] == ["5.4", "7.2", "8.9", "4.0", "0.0", "0.0"]
    # Cid alone is missed, in a picture that is a quarter as large for the network; the benchmark misses Bob alone.
    assert frames["network px"]["scratch_control"] == ["1.3", "1.8", "2.2", "1.0", "0.0", "0.0"]
    assert frames["network px"]["benchmark"] == frames["original px"]["benchmark"]


def test_types_of_errors(three):
    table = reading.error_type_table(three)
    assert list(table)[2:] == ["correct, %", "swap, %", "inversion, %", "jitter, %", "miss, %"]
    assert bare(table) == {
        "baseline": ["33.3", "50.0", "0.0", "0.0", "16.7"],
        "benchmark": ["70.0", "0.0", "0.0", "30.0", "0.0"],
        "transfer": ["80.0", "6.7", "0.0", "10.0", "3.3"],
        "scratch_control": ["80.0", "0.0", "0.0", "20.0", "0.0"],
        "mean_pose": ["26.7", "3.3", "0.0", "10.0", "60.0"],
    }


def test_numbers_of_coco(three):
    table = reading.coco_table(three)
    assert list(table)[2:] == ["mean OKS", "AP", "AP at OKS 0.5", "AP at OKS 0.75"]
    assert bare(table)["transfer"] == ["0.76", "0.59", "1.00", "0.55"]
    bare_table = three.table[~three.table["metric"].str.startswith("oks")]
    assert "none of its landmarks is labelled" in reading.coco_table(replace(three, table=bare_table)).iloc[0, 0]


def test_both_yardsticks(three):
    table = reading.reading_table(three)
    assert list(table)[2:] == ["PCKh@0.5, %", "PCKh@0.5 by head segment, %"]
    assert bare(table) == {
        "baseline": ["33.3", "25.0"],
        "benchmark": ["62.5", "50.0"],
        "transfer": ["75.0", "88.9"],
        "scratch_control": ["75.0", "100.0"],
    }
    # By the profile's own yardstick it is the number of every other table.
    assert [cells[0] for cells in bare(table).values()] == [bare(reading.arm_table(three))[arm][0] for arm in ARMS[:4]]


def test_beside_the_paper(three):
    table = reading.paper_table(three)
    assert list(table) == ["metric", "arm", "paper", "ours", "ours - paper"]
    of_transfer = table[table["arm"] == "transfer"].drop(columns="arm")
    assert [[cell.removesuffix(FEW) for cell in row] for row in of_transfer.to_numpy()] == [
        ["AUC", "0.77", "0.87", "+0.10"],
        ["F1", "0.82", "0.96", "+0.14"],
        ["precision", "0.72", "0.93", "+0.21"],
        ["recall (over own correct, as in the paper)", "0.94", "1.00", "+0.06"],
        ["RMSE at the best F1, px", "27.83", "11.4", "-16.4"],
    ]
    assert table[table["arm"] == "baseline"].iloc[-1].tolist() == [
        *("RMSE at the best F1, px", "baseline", "83.44", f"36.3{FEW}", "-47.1"),
    ]


def test_people_of_another_data_set(three):
    table = reading.here_and_elsewhere(three)
    here, there = list(table)[3:5]
    assert (here, there) == ("PCKh@0.5 on people by hand, %", "PCK@0.2 by torso on others by hand, %")
    rows = table[["arm", "labelled", there, "near duplicates in what it learnt"]].itertuples(index=False)
    assert {(arm, labelled): (score.removesuffix(FEW), near) for arm, labelled, score, near in rows} == {
        ("baseline", "3 monkeys"): ("75.0", 1),
        ("benchmark", "8"): ("100.0", 1),
        **{("transfer", labelled): ("60.0", 2) for labelled in ("2", "4")},
        **{("scratch_control", labelled): ("40.0", 1) for labelled in ("2", "4", "8")},
    }
    of_people = table[table["arm"].isin(["transfer", "scratch_control"])]
    sizes = reading.size_scores(three)
    sizes = sizes[sizes["arm"].isin(["transfer", "scratch_control"])]
    assert of_people[here].tolist() == sizes["PCKh@0.5, %"].tolist()


def test_differences_on_people_of_two_data_sets(three):
    table = reading.elsewhere_differences(three).set_index(["a - b", "labelled"])
    here, there = list(table)[1:]
    row = table.loc[("transfer - scratch_control", "4")]
    assert (row[here].removesuffix(FEW), row[there].removesuffix(FEW)) == ("+25.0", "+20.0")


def test_no_other_data_set_is_said(three):
    nowhere = three.study.profile.model_copy(update={"elsewhere": None})
    without = replace(three, study=by_hand.with_data(three.study, profile=nowhere))
    for table in (reading.here_and_elsewhere(without), reading.elsewhere_differences(without)):
        assert table.iloc[0, 0] == "the profile names no other data set"


def test_why_an_arm_may_know_people_of_another_data_set(three):
    assert "may have seen them" not in reading.here_and_elsewhere(three)
    finished = by_hand.with_data(three.study, profile=by_hand.profile(by_hand.FINISHED_BENCHMARK))
    known = replace(three, study=finished)
    known.__dict__["elsewhere"] = three.elsewhere
    table = reading.here_and_elsewhere(known).set_index("arm")["may have seen them"]
    assert "people of MPII's training pictures" in table.pop("benchmark")
    assert set(table) == {""}


def test_arms_that_may_know_the_test_people_are_marked(three):
    known = known_benchmark(three)
    for table in (
        reading.arm_table(known),
        reading.threshold_table(known),
        reading.error_table(known),
        reading.error_type_table(known),
        reading.coco_table(known),
        reading.reading_table(known),
        reading.paper_table(known),
        reading.size_scores(known),
    ):
        assert {arm for arm in table["arm"] if arm.endswith("*")} == {"benchmark*"}
        assert "benchmark" not in set(table["arm"])


# Chapter 6


def test_learning_curves_are_of_people(three):
    table = reading.size_scores(three)
    assert [[arm, people, score.removesuffix(FEW)] for _, arm, people, score in table.to_numpy()] == [
        ["benchmark", "8", "62.5"],
        ["transfer", "2", "50.0"],
        ["transfer", "4", "75.0"],
        ["scratch_control", "2", "12.5"],
        ["scratch_control", "4", "50.0"],
        ["scratch_control", "8", "75.0"],
        ["mean_pose", "3", "25.0"],
    ]


def test_pairs(three):
    table = reading.comparison_table(three, of_metric(three.comparisons, "pckh"))
    assert list(table) == ["pictures", "pair", "labelled people", "difference, points", "ruling"]
    rows = [[cell.removesuffix(FEW) for cell in row[1:]] for row in table.to_numpy()]
    assert rows == [
        ["transfer - baseline", "4 and 3 monkeys", "+33.3", "exploratory"],
        ["transfer - benchmark", "4 and 8", "+12.5", "too few groups"],
        ["transfer - scratch_control", "2", "+37.5", "exploratory"],
        ["transfer - scratch_control", "4", "+25.0", "too few groups"],
        ["benchmark - scratch_control", "8", "-12.5", "exploratory"],
        ["baseline - mean_pose", "3 monkeys and 3", "+11.1", "exploratory"],
        ["benchmark - mean_pose", "8 and 3", "+37.5", "exploratory"],
        ["transfer - mean_pose", "4 and 3", "+50.0", "exploratory"],
        ["scratch_control - mean_pose", "8 and 3", "+50.0", "exploratory"],
    ]


def test_primary_questions(enough):
    """p-values after Holm, as in test_comparisons."""
    table = reading.ruling_table(enough)
    assert list(table) == [
        *("question", "pair", "difference, points", "p, difference", "p, smaller than the margin", "ruling"),
    ]
    found = {row[0]: list(row[1:]) for row in table.to_numpy()}
    intervals = [f"[{one['low']:+.1f}, {one['high']:+.1f}]" for one in (HELPS, MORE_THAN_LONGER, BEATS_MANY)]
    assert found == {
        "Do monkeys help?": [
            *("transfer - scratch_control", f"+25.0 {intervals[0]}"),
            *(f"{2 * p_different(HELPS):.3f}", "1.000", "undecided"),
        ],
        "More than longer training?": [
            *("transfer - scratch_longer", f"+0.0 {intervals[1]}"),
            *("1.000", f"{3 * p_equivalent(MORE_THAN_LONGER, 20):.3f}", "no more than 20 points either way"),
        ],
        "Do they beat many people?": [
            *("transfer - benchmark", f"-37.5 {intervals[2]}"),
            *("< 0.001", "1.000", "lower"),
        ],
    }
    nothing = enough.comparisons.assign(question="")
    assert reading.ruling_table(replace(enough, comparisons=nothing)).iloc[0, 0] == "the profile asks none"


def test_what_the_control_needs_instead(three):
    table = reading.equivalent_table(three, equivalents(three))
    assert table.drop(columns="pictures").to_numpy().tolist() == [
        ["transfer", "2", f"4{FEW}"],
        ["transfer", "4", f"8{FEW}"],
    ]


@pytest.mark.parametrize(
    "equivalent, low, high, needed",
    [
        (5.4, 2.6, 7.5, "5 [3 to 8]"),
        (0.0, 0.0, 7.0, "fewer than 2 [fewer than 2 to 7]"),
        (6.0, 3.0, float("inf"), "6 [3 to more than 8]"),
        (float("inf"), float("inf"), float("inf"), "more than 8"),
        (5.4, 5.1, 5.2, "5"),
    ],
)
def test_ends_of_the_controls_curve(three, equivalent, low, high, needed):
    """It has 2, 4 and 8 labelled people."""
    row = {"arm": "transfer", "images": 3, "people": 4, "equivalent": equivalent, "low": low, "high": high, "note": ""}
    table = reading.equivalent_table(three, pd.DataFrame([row]))
    assert table["scratch_control needs"].tolist() == [needed]


def test_one_number_of_people_is_no_curve(three):
    table = reading.equivalent_table(three, equivalents(three).head(0))
    assert table.iloc[0, 0] == "scratch_control learnt one number of people, so it has no learning curve"


def test_who_gets_there_first(three):
    table = reading.speed_table(three.study, speed(three.study))
    assert table.drop(columns="pictures").to_numpy().tolist() == [
        ["benchmark", "7", "0 of 3", "never"],
        ["transfer", "1", "2 of 3", "15"],
        ["transfer", "3", "2 of 3", "15"],
        *[["scratch_control", images, "3 of 3", "30"] for images in ("1", "3", "7")],
    ]


def test_the_negative_control_in_words(three):
    assert reading.negative_control(three.study, 0.0612) == (
        "With the names of `transfer` and `scratch_control` swapped at random for each person, the interval of their "
        "difference over people excludes zero in 6.1 % of 1,000 trials, where 5 % are due."
    )
    assert reading.negative_control(three.study, float("nan")) == (
        "The test people are of too few groups for an interval, so names of `transfer` and `scratch_control` were not "
        "swapped."
    )


# Chapter 7


def test_cover(three):
    cover = {"decile": 1, "people": 10, "monkey_nearer": 0.25, "to_training": 0.5, "to_monkey": 0.75, "drawn": 20}
    nothing = pd.DataFrame()
    rare = RarePoses(nothing, 0, nothing, nothing, nothing, pd.DataFrame([cover]))
    assert reading.cover_table(three.study, rare).to_numpy().tolist() == [
        ["rendered", 1, 10, "0.25", "0.50", "0.75", 20]
    ]
    bare_cover = replace(rare, cover=nothing)
    assert reading.cover_table(three.study, bare_cover).iloc[0, 0] == "too few other people or monkeys"
