"""The answer page of the study of three people, word for word, and what it says where more is known."""

from dataclasses import replace

import by_hand
import numpy as np
import pandas as pd
import pytest
from test_choice import WHICH_NETWORK
from test_comparisons import BEATS_MANY, HELPS, MORE_THAN_LONGER, SCORES, by_other_means, p_different, p_equivalent

from monkey_transfer.measure.ceiling import AGREE, MOST, SLIPS, UNDONE, VAGUE, Ceiling
from monkey_transfer.measure.claims import LEVEL
from monkey_transfer.measure.results import Results
from monkey_transfer.study.opening import Study
from monkey_transfer.tell.answer import (
    answer_text,
    answers,
    asked,
    footnotes,
    joint_table,
    limits,
    provenance,
    row_of,
    summary_table,
)

FEW = "[too few groups]"
BELOW = f"<br>{FEW}"


@pytest.fixture
def three():
    with by_hand.measured() as results:
        yield results


@pytest.fixture(scope="module")
def enough():
    with by_hand.enough() as results:
        yield results


def with_profile(results: Results, **changed: object) -> Results:
    profile = results.study.profile.model_copy(update=changed)
    return replace(results, study=by_hand.with_data(results.study, profile=profile))


def with_row(results: Results, a: str, b: str, **values: object) -> Results:
    """The results with other values in the rows of a pair's PCKh."""
    table = results.comparisons.copy()
    own = (table["arm_a"] == a) & (table["arm_b"] == b) & (table["metric"] == "pckh")
    for column, value in values.items():
        table.loc[own, column] = value
    return replace(results, comparisons=table)


def table_of(text: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without the line between head and body."""
    lines = [line for line in text.partition(f"## {heading}")[2].split("\n\n")[1].splitlines() if line[:2] != "|:"]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def said(found: dict[str, float]) -> str:
    return f"{found['value']:+z.1f} [{found['low']:+.1f}, {found['high']:+.1f}]"


def on_two_lines(found: dict[str, float]) -> str:
    return said(found).replace(" ", "<br>", 1).replace(" ", "\N{NO-BREAK SPACE}")


SENTENCES = [
    "- **Do monkeys help? Not ruled on: too few groups.** `transfer` minus `scratch_control`: +25.0 [too few groups] "
    "points of PCKh@0.5 with 4 labelled people and 260 against 60 iterations in all; the smallest difference of "
    "interest is 2.",
    "- **Do they beat many people? Not ruled on: too few groups.** `transfer` minus `benchmark`: +12.5 [too few "
    "groups] points of PCKh@0.5 with 4 against 8 labelled people and 260 against 90 iterations in all; the smallest "
    "difference of interest is 2. This says little: `benchmark` itself is not shown to beat the mean pose (+37.5 [too "
    "few groups]).",
]
PAGE = [
    "# Worked out by hand",
    "*Does a pose network that has learnt monkeys make a better human pose network when human labels are few?*",
    "Measured in PCKh@0.5 on 3 rendered test people with 3 seeds of training. In brackets are 95 % intervals over test "
    "people, seeds and the people that each seed drew to learn. A question is ruled on where p, corrected for all of "
    f"them by Holm, is at most {LEVEL:g}.",
    "## What came out",
    *SENTENCES,
    "![Learning curves and paired differences](figures/answer.png)",
    "## Which network to take",
    *(f"- {sentence}" for sentence in WHICH_NETWORK),
    "## PCKh@0.5, %, by labelled people",
    "## How many more people?",
    "With twice as many people expect +21.6 [too few groups] points of PCKh@0.5 (`scratch_control`, the best arm that "
    "has a curve: 75.0 % with 8 labelled people). How far that may be off is not known: too few groups.",
    "## Every arm, at its largest number of labelled people",
    "Errors are in units of head size; F1 is at the confidence that was best on the validation people. Means over "
    "seeds.",
    "## Joint by joint",
    "## On people of another data set",
    "PCK@0.2 by torso on 2 rendered people of others by hand, of whom up to 2 are in pictures like some that one arm "
    "learnt, by labelled people:",
    "The same differences on the people of both:",
    "## Limits",
    "- **Rendered** pictures: a demonstration of the method, not evidence about photographs; mobilenet_v2_0.35, 90 "
    "iterations of 4 pictures, where the paper had a ResNet-50 on TensorFlow and 164,000 iterations of 8.",
    "- Each seed drew its people from 11 who are not in the test. 7 other pairs are compared (chapters 5 and 6): "
    "exploratory, without a ruling, and at 95 % one in twenty excludes zero by chance.",
    "<small>Profile `by_hand`, 21 runs, test people `60cd9fa7628c`, code abcdefabcdef. Every number can be recomputed "
    "from `predictions/`; its definition is in docs/metrics.md. Trained again on the same machine the networks are the "
    "same to the bit; on another they differ (docs/reproducibility.md).</small>",
]


def test_the_page_word_for_word(three):
    text = answer_text(three)
    assert [line for line in text.splitlines() if line and not line.startswith("|")] == PAGE


def test_scores_by_labelled_people(three):
    found = table_of(answer_text(three), "PCKh@0.5, %, by labelled people")
    assert found[0] == ["arm", "2", "4", "8"]
    assert {row[0]: [cell.removesuffix(BELOW) for cell in row[1:]] for row in found[1:]} == {
        "benchmark": ["", "", "62.5"],
        "transfer": ["50.0", "75.0", ""],
        "scratch_control": ["12.5", "50.0", "75.0"],
    }


def test_the_number_of_people_that_arms_are_shown_at(three):
    table = summary_table(with_profile(three, asked_at=1)).set_index("arm")
    assert table["labelled"].to_dict() == {
        "baseline": "3 monkeys",
        "benchmark": "8",
        "transfer": "2",
        "scratch_control": "2",
        "mean_pose": "1",
    }
    assert table.loc["transfer", "PCKh@0.5, %"].startswith("50.0<br>")


def test_a_study_of_one_data_set_has_no_section_of_another(enough):
    assert "another data set" not in answer_text(enough)


def test_every_arm(three):
    """At its largest number: PCKh, area, median and mean error in heads, average precision, AUC, F1, as in
    test_by_hand."""
    text = answer_text(three)
    found = table_of(text, "Every arm, at its largest number of labelled people")
    assert found[0] == [
        *("arm", "starts from", "labelled", "iterations", "PCKh@0.5, %", "area under PCK, %"),
        *("median error", "mean error", "OKS-AP", "AUC", "F1"),
    ]
    given = {row[0]: row[1:4] for row in found[1:]}
    assert given == {
        "baseline": ["random weights", "3 monkeys", "200"],
        "benchmark": ["random weights", "8", "90"],
        "transfer": ["baseline", "4", "260"],
        "scratch_control": ["random weights", "8", "70"],
        "mean_pose": ["labels alone", "3", "0"],
    }
    came_of_it = {row[0]: [cell.removesuffix(BELOW) for cell in row[4:]] for row in found[1:]}
    assert came_of_it == {
        "baseline": ["33.3", "33.3", "2.50", "1.92", "0.06", "0.62", "undefined"],
        "benchmark": ["62.5", "62.5", "0.00", "0.30", "0.66", "1.00", "1.00"],
        "transfer": ["75.0", "65.8", "0.00", "0.50", "0.59", "0.87", "0.94"],
        "scratch_control": ["75.0", "75.0", "0.00", "0.20", "0.76", "1.00", "1.00"],
        "mean_pose": ["25.0", "25.0", "1.33", "1.74", "0.13", "undefined", "0.38"],
    }


def test_joint_by_joint(three):
    nothing = ["none", "none"]
    assert table_of(answer_text(three), "Joint by joint") == [
        ["difference in points", "head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"],
        ["transfer - scratch_control", f"+33.3{BELOW}", *nothing, f"+22.2{BELOW}", *nothing, "none"],
        ["transfer - benchmark", f"+50.0{BELOW}", *nothing, f"+0.0{BELOW}", *nothing, "none"],
    ]


def test_intervals_of_enough_people(enough):
    """Numbers as in test_comparisons; the benchmark is shown to beat the mean pose, so nothing is taken back."""
    helps, many = 2 * p_different(HELPS), 3 * p_different(BEATS_MANY)
    small = 3 * p_equivalent(MORE_THAN_LONGER, 20)
    assert answers(enough) == [
        "**Do monkeys help? Undecided. Alone its interval would exclude zero; corrected for all questions it is not "
        "shown.** "
        f"`transfer` minus `scratch_control`: {said(HELPS)} points of PCKh@0.5 with 4 labelled people and 260 against "
        f"60 iterations in all; p = {helps:.2g} after Holm; the smallest difference of interest is 20.",
        "**More than longer training? Nothing that matters: no more than 20 points either way.** `transfer` minus "
        f"`scratch_longer`: {said(MORE_THAN_LONGER)} points of PCKh@0.5 with 4 labelled people and 260 against 130 "
        f"iterations in all; p = {small:.2g} after Holm against 20 points or more; the smallest difference of interest "
        "is 20.",
        f"**Do they beat many people? No, it does worse.** `transfer` minus `benchmark`: {said(BEATS_MANY)} points of "
        f"PCKh@0.5 with 4 against 8 labelled people and 260 against 90 iterations in all; p = {many:.2g} after Holm; "
        "the smallest difference of interest is 20.",
    ]
    assert said(HELPS) == "+25.0 [+6.7, +43.3]"
    row = summary_table(enough).set_index("arm").loc["transfer"]
    assert row["PCKh@0.5, %"] == on_two_lines(SCORES["transfer", 3]).replace("+", "")
    assert row["OKS-AP"] == "none"
    joints = joint_table(enough).set_index("difference in points").loc["transfer - scratch_control"]
    # Of heads alone, one of each Ann's more.
    assert joints["head"] == on_two_lines(by_other_means([(1, 0, 0)] * 3, (1, 1, 0)))


@pytest.mark.parametrize(
    "ruling, lead",
    [
        ("higher", "Yes."),
        ("lower", "No, it does worse."),
        ("higher, but by less than 2 points", "Yes, but by less than 2 points."),
        ("lower, but by less than 2 points", "No, it does worse, but by less than 2 points."),
        ("no more than 2 points either way", "Nothing that matters: no more than 2 points either way."),
        ("undecided", "Undecided. What was seen fits anything from 0.3 points worse to 2.1 points better."),
        ("one seed", "Not ruled on: one seed does not show how much is chance."),
        ("too few groups", "Not ruled on: too few groups."),
        ("too few seeds", "Not ruled on: too few seeds."),
    ],
)
def test_every_ruling_in_words(three, ruling, lead):
    values = {"ruling": ruling, "difference": 1.25, "low": -0.35, "high": 2.15, "margin": 2.0}
    values |= {"p": 0.0123, "p_equivalent": 0.0321}
    p = "0.032 after Holm against 2 points or more" if ruling.startswith("no more") else "0.012 after Holm"
    first, second = answers(with_row(three, "transfer", "scratch_control", **values))
    assert first == (
        f"**Do monkeys help? {lead}** `transfer` minus `scratch_control`: +1.2 [-0.3, +2.1] points of PCKh@0.5 with 4 "
        f"labelled people and 260 against 60 iterations in all; p = {p}; the smallest difference of interest is 2."
    )
    assert f"- {second}" == SENTENCES[1]  # each question has its own ruling


@pytest.mark.parametrize("low, taken_back", [(0.1, False), (0.0, True), (-0.1, True), (np.nan, True)])
def test_a_benchmark_that_is_none_says_little(enough, low, taken_back):
    changed = with_row(enough, "benchmark", "mean_pose", low=low, high=9.0, difference=4.0, note="too few groups")
    *others, benchmark = answers(changed)
    interval = "[too few groups]" if np.isnan(low) else f"[{low:+.1f}, +9.0]"
    said = f" This says little: `benchmark` itself is not shown to beat the mean pose (+4.0 {interval})."
    assert benchmark.endswith(said) == taken_back
    assert not any("This says little" in sentence for sentence in others)


def without_questions(results: Results) -> Results:
    arms = results.study.profile.arms
    unasked = arms | {"transfer": arms["transfer"].model_copy(update={"against": {}})}
    ruled = ["question", "ruling"]
    nothing = results.comparisons.assign(**dict.fromkeys(ruled, ""), p=np.nan, p_equivalent=np.nan, margin=np.nan)
    return replace(with_profile(results, arms=unasked), comparisons=nothing)


def test_what_a_study_without_questions_would_ask(enough):
    unasked = without_questions(enough)
    assert [(question.a, question.b, question.images_a, question.images_b) for question in asked(unasked.study)] == [
        ("transfer", "scratch_control", 3, 3),
        ("transfer", "benchmark", 3, 7),
    ]
    assert answers(unasked) == [
        "**Does learning monkeys first help? Not ruled on: it was not asked before the runs.** `transfer` minus "
        f"`scratch_control`: {said(HELPS)} points of PCKh@0.5 with 4 labelled people and 260 against 60 iterations in "
        "all.",
        "**Does it beat a network that learnt many people? Not ruled on: it was not asked before the runs.** "
        f"`transfer` minus `benchmark`: {said(BEATS_MANY)} points of PCKh@0.5 with 4 against 8 labelled people and 260 "
        "against 90 iterations in all.",
    ]
    assert limits(unasked)[1].startswith(
        "How far trainings are from done: `scratch_control` minus `scratch_longer`, the same network after 60 against "
        "130 iterations: -25.0 ["
    )
    assert "11 other pairs are compared" in limits(unasked)[2]


@pytest.mark.parametrize("high, counts", [(-0.1, True), (0.0, False), (np.nan, False)])
def test_a_control_that_is_not_done_is_said_to_be_so(enough, high, counts):
    found = limits(with_row(enough, "scratch_control", "scratch_longer", high=high))[1]
    assert found.endswith("`transfer` and its monkeys together.") == counts
    assert ("So a difference to `scratch_control` is in part one of how long was trained" in found) == counts


def test_one_seed_says_what_it_does_not_show(enough):
    alone = with_profile(without_questions(enough), seeds=(0,))
    text = answer_text(alone)
    assert (
        "30 rendered test people with one seed of training. In brackets are 95 % intervals over test people alone: one "
        "seed does not show what else is chance."
    ) in text
    assert "Holm" not in text
    assert "**Does learning monkeys first help? Not ruled on: one seed does not show how much is chance.**" in text


def test_the_row_that_answers_is_that_of_the_questions_images(three):
    row = row_of(three, three.study.profile.questions[0])
    assert (row.arm_a, row.images_a, row.arm_b, row.images_b) == ("transfer", 3, "scratch_control", 3)
    assert row.difference == 25


def test_arms_that_may_know_the_test_people_are_marked(three):
    leaks = three.leaks.assign(may_have_seen=[0, 3, 0, 0], note=["", "trained on these people", "", ""])
    known = replace(three, leaks=leaks)
    assert footnotes(known) == ["`benchmark` may have seen the test people: trained on these people."]
    assert footnotes(three) == []
    assert summary_table(known)["arm"].tolist() == [
        "baseline",
        "benchmark\\*",
        "transfer",
        "scratch_control",
        "mean_pose",
    ]
    ending = "Means over seeds. \\* `benchmark` may have seen the test people: trained on these people.\n"
    assert ending in answer_text(known)


def test_limits_of_photographs(three):
    study = three.study
    photographs = Study(study.profile, study.source, replace(study.target, rendered=False), study.elsewhere)
    photographs.__dict__.update({name: study.__dict__[name] for name in ("splits", "draws")})
    first, _ = limits(replace(three, study=photographs))
    assert first.startswith("Photographs; mobilenet_v2_0.35, 90 iterations of 4 pictures, where the paper had")
    assert "on 3 test people with 3 seeds of training" in answer_text(replace(three, study=photographs))


def test_with_folds_nobody_is_in_no_test(three):
    assert limits(with_profile(three, folds=3))[-1].startswith(
        "Each seed drew its people from the other folds than the one that is tested. 7 other pairs are compared"
    )


def test_what_labels_leave_of_a_score(three):
    said = limits(three)
    assert len(said) == 2  # of those by hand none is labelled twice
    shares = {AGREE: 80.0, SLIPS: 89.4, VAGUE: 85.0, MOST: 95.0, UNDONE: 82.0}
    table = pd.DataFrame(
        {"reading": reading, "value": value, "low": value - 5, "high": value + 5} for reading, value in shares.items()
    ).assign(metric="pckh", joint="all joints", note="")
    labelled_twice = replace(three)
    labelled_twice.__dict__["ceiling"] = Ceiling(pd.DataFrame(), None, table)
    assert limits(labelled_twice)[1] == (
        "Labels are off too: two of one photograph agree on 80.0 [75.0, 85.0] % of the joints, and by such labels a "
        "network that finds every joint would score 85.0 [80.0, 90.0] to 89.4 [84.4, 94.4] (chapter 1)."
    )


def test_provenance_names_every_state_of_the_code(three):
    commits = ["bbb", "aaa", *[""] * (len(three.budgets) - 2)]
    assert ", code aaa, bbb. Every" in provenance(replace(three, budgets=three.budgets.assign(git_commit=commits)))
    assert ", code not recorded. Every" in provenance(replace(three, budgets=three.budgets.assign(git_commit="")))
