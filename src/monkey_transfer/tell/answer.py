"""The answer page of a study: what was asked, what came out, on one or two sheets of paper."""

from collections.abc import Collection
from typing import Any

import pandas as pd

from monkey_transfer.measure.ceiling import AGREE, SLIPS, VAGUE, overall
from monkey_transfer.measure.claims import LEVEL
from monkey_transfer.measure.comparisons import between, ends_of, of_metric, of_pair, primary
from monkey_transfer.measure.leaks import why_it_may_know
from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import FLOOR, Point, shown_points
from monkey_transfer.metrics.pckh import JOINT_GROUPS, SCORE_NAME, SCORE_TITLE, joint_rows
from monkey_transfer.metrics.written import bracketed, rows_of, signed
from monkey_transfer.profiles.arms import MEAN_POSE
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT, Question
from monkey_transfer.study.opening import Study
from monkey_transfer.tell.choice import which_network
from monkey_transfer.tell.finished import without_labels
from monkey_transfer.tell.forecast import how_many_more
from monkey_transfer.tell.reading import elsewhere_differences
from monkey_transfer.tell.words import chapters, counted, markdown, score_name, score_title, seeds_in_words, tested

FIGURE = "answer"
QUESTION = "Does a pose network that has learnt monkeys make a better human pose network when human labels are few?"
# The paper stopped its training after so many iterations (section 2.3).
_ITERATIONS_OF_THE_PAPER = 164_000


def answer_text(results: Results) -> str:
    """answer.md: the question, its answers, one figure, which network to take, every arm and joint, and the limits."""
    study, profile = results.study, results.study.profile
    tests = f"{'groups of ' if profile.own_data else ''}test {counted(study)}"
    over = f" over {tests}, seeds and the {counted(study)} that each seed drew to learn"
    if len(profile.seeds) == 1:
        over = f" over {tests} alone: one seed does not show what else is chance"
    ruled_from = f" A question is ruled on where p, corrected for all of them by Holm, is at most {LEVEL:g}."
    parts = [
        f"# {profile.title}",
        f"*{QUESTION}*",
        f"Measured in {score_title(profile)} on {tested(study)} with {seeds_in_words(study)} of training. In brackets "
        f"are 95 % intervals{over}.{ruled_from if profile.questions else ''}",
        *_joints(study),
        "## What came out",
        "\n".join(f"- {sentence}" for sentence in answers(results)),
        f"![Learning curves and paired differences](figures/{FIGURE}.png)",
        *which_network(results),
        *_by_people(results),
        *how_many_more(results),
        f"## Every arm{_at_one_number(study)}",
        markdown(summary_table(results)),
        f"Errors are in units of {profile.yardstick.replace('_', ' ')}; F1 is at the confidence that was best on the "
        f"validation {counted(study)}. Means over seeds."
        + "".join(f" \\* {sentence}" for sentence in footnotes(results)),
        "## Joint by joint",
        markdown(joint_table(results)),
        *_elsewhere(results),
        *without_labels(results),
        "## Limits",
        "\n".join(f"- {sentence}" for sentence in limits(results)),
        f"<small>{provenance(results)}</small>",
    ]
    return "\n\n".join(parts) + "\n"


def asked(study: Study) -> tuple[Question, ...]:
    """The primary questions; of a study that asks none, what it would ask, without a ruling."""
    texts = {
        study.profile.control: "Does learning monkeys first help?",
        "benchmark": f"Does it beat a network that learnt many {counted(study)}?",
    }
    return study.profile.questions or tuple(
        Question("transfer", other, *study.profile.compared_sizes("transfer", other)[-1], text)
        for other, text in texts.items()
    )


def answers(results: Results) -> list[str]:
    """One sentence or two for each question: the ruling, the difference, and the margin it was held against."""
    return [_answer(results, question) for question in asked(results.study)]


def _answer(results: Results, question: Question) -> str:
    row = row_of(results, question)
    unasked = "one seed" if len(results.study.profile.seeds) == 1 else "it was not asked before the runs"
    margin = f"; the smallest difference of interest is {row.margin:g}" if row.question else ""
    lead = f"**{question.text} {_lead(row.ruling or unasked, question)}{_what_fits(row, question)}**"
    if question.part and pd.isna(row.difference):  # nobody to ask it of
        return lead
    return (
        f"{lead} {_more_among_the_tilted(question)}`{question.a}` minus `{question.b}`: {signed(row)} "
        f"points of {score_title(results.study.profile)} with {_people(results, question)}{_p(row)}{margin}."
        f"{_if_the_benchmark_is_none(results, question)}"
    )


def _more_among_the_tilted(question: Question) -> str:
    return "Among the tilted less among the upright, " if question.part == TILTED_LESS_UPRIGHT else ""


_LEADS = {
    "higher": "Yes.",
    "lower": "No, it does worse.",
    "undecided": "Undecided.",
    "one seed": "Not ruled on: one seed does not show how much is chance.",
}


def _what_fits(row: Any, question: Question) -> str:
    """What an undecided question leaves open: the interval in words, which is not corrected for the other questions."""
    if row.ruling != "undecided" or pd.isna(row.low):
        return ""
    if row.low > 0 or row.high < 0:
        return " Alone its interval would exclude zero; corrected for all questions it is not shown."
    less, more = ("smaller", "larger") if question.part == TILTED_LESS_UPRIGHT else ("worse", "better")
    low, high = (f"{abs(end):.1f} points {less if end < 0 else more}" for end in (row.low, row.high))
    return f" What was seen fits anything from {low} to {high}."


def _p(row: Any) -> str:
    """The p-value that the ruling rests on."""
    if pd.isna(row.p):
        return ""
    if row.ruling.startswith("no more than"):
        return f"; p = {row.p_equivalent:.2g} after Holm against {row.margin:g} points or more"
    return f"; p = {row.p:.2g} after Holm"


def _lead(ruled: str, question: Question) -> str:
    leads = _LEADS | ({"lower": "No, it is smaller."} if question.part == TILTED_LESS_UPRIGHT else {})
    if ruled in leads:
        return leads[ruled]
    way, _, within = ruled.partition(", ")
    if within:  # such as 'higher, but by less than 2 points'
        return f"{leads[way].removesuffix('.')}, {within}."
    if ruled.startswith("no more than"):
        return f"Nothing that matters: {ruled}."
    return f"Not ruled on: {ruled}."


def _people(results: Results, question: Question) -> str:
    ends = ends_of(question)
    labelled = dict.fromkeys(f"{results.people(point):,}" for point in ends)
    trained = dict.fromkeys(f"{results.iterations_in_all(point):,.0f}" for point in ends)
    what = counted(results.study)
    return f"{' against '.join(labelled)} labelled {what} and {' against '.join(trained)} iterations in all"


def _if_the_benchmark_is_none(results: Results, question: Question) -> str:
    if "benchmark" not in (question.a, question.b):
        return ""
    [row] = rows_of(of_pair(results.comparisons, "benchmark", MEAN_POSE, score_name(results.study.profile)))
    if row.low > 0:
        return ""
    return f" This says little: `benchmark` itself is not shown to beat the mean pose ({signed(row)})."


def row_of(results: Results, question: Question) -> Any:
    """The row of the comparisons that answers a question."""
    rows = between(results.comparisons, *ends_of(question))
    [row] = rows_of(of_metric(rows, question.metric(score_name(results.study.profile))))
    return row


def summary_table(results: Results) -> pd.DataFrame:
    """One row per arm as it is shown: what it was given and what came of it, means over seeds."""
    score = score_name(results.study.profile)
    columns = {
        score: f"{score_title(results.study.profile)}, %",
        f"{score}/area": "area under PCK, %",
        "normalised_median": "median error",
        "normalised_mean": "mean error",
        "oks_ap": "OKS-AP",
        "auc": "AUC",
        "kept": "F1",
    }
    rows = []
    for point in [*shown_points(results.study), FLOOR]:
        found, is_floor = results.scores.of(point), point.arm == MEAN_POSE
        start = "labels alone" if is_floor else results.study.profile.arm(point.arm).init
        given = {
            "arm": f"{point.arm}\\*" if point.arm in results.may_have_seen else point.arm,
            "starts from": start.removeprefix("arm:").replace("scratch", "random weights"),
            "labelled": results.labelled(point),
            "iterations": "0" if is_floor else f"{results.iterations_in_all(point):,.0f}",
        }
        came_of_it = {
            name: _on_two_lines(bracketed(found[metric], metric)) if metric in found else "none"
            for metric, name in columns.items()
        }
        rows.append(given | came_of_it)
    return pd.DataFrame(rows)


def joint_table(results: Results) -> pd.DataFrame:
    """The difference of each question's arms in every joint group, in points."""
    rows = []
    for question in asked(results.study):
        if question.part:
            continue
        found, _ = joint_rows(between(results.comparisons, *ends_of(question)), "the answer's table of joints")
        cells = {row.joint: _on_two_lines(signed(row)) for row in rows_of(found)}
        named = {joint: cells.get(joint, "none") for joint in JOINT_GROUPS}
        rows.append({"difference in points": f"{question.a} - {question.b}", **named})
    return pd.DataFrame(rows)


def _joints(study: Study) -> list[str]:
    """The joints of own data by their own names: nobody who is sent the page knows which were labelled."""
    names = study.target.own_skeleton.keypoints
    return [f"Its {len(names)} joints: {', '.join(names)}."] if study.profile.own_data else []


def _at_one_number(study: Study) -> str:
    """At how many labelled people arms are shown that are shown at one number."""
    profile = study.profile
    if profile.asked_at is None:
        return f", at its largest number of labelled {counted(study)}"
    people = profile.asked_at + profile.validation_size("transfer", profile.asked_at)
    return f", with {people:,} labelled {counted(study)} where it has several numbers of them"


def _by_people(results: Results) -> list[str]:
    """The section of every score against labelled people; none where every arm learns one number."""
    if all(len(results.study.profile.arm(arm).sizes) == 1 for arm in results.pose_networks):
        return []
    title, score = score_title(results.study.profile), score_name(results.study.profile)
    return [
        f"## {title}, %, by labelled {counted(results.study)}",
        markdown(_size_table(results, of_metric(results.table, score), results.may_have_seen)),
    ]


def _size_table(results: Results, rows: pd.DataFrame, may_know: Collection[str]) -> pd.DataFrame:
    """Rows of one score: one row per arm that people can be tried with, one column per number of labelled people.

    Arms that may know the people who were tried are marked with *.
    """
    rows = rows[rows["arm"].isin(results.pose_networks)]
    cells = {(row.arm, row.people): _on_two_lines(bracketed(row, row.metric)) for row in rows_of(rows)}
    return pd.DataFrame(
        {
            "arm": f"{arm}\\*" if arm in may_know else arm,
            **{
                f"{people:,}" if people else "nobody": cells.get((arm, people), "")
                for people in sorted(rows["people"].unique())
            },
        }
        for arm in results.pose_networks
    )


def _elsewhere(results: Results) -> list[str]:
    """The section of the people of another data set; none where the profile names none."""
    if results.study.profile.elsewhere is None:
        return []
    people = results.study.dataset("elsewhere")
    profile = results.study.profile
    said = f"{len(people):,} {'rendered people' if people.rendered else 'people'} of {people.name}"
    alike = int(results.elsewhere["near_duplicates"].max())
    learnt = "none of them learnt by an arm that was trained here"
    if alike:
        learnt = f"of whom up to {alike:,} are in pictures like some that one arm learnt"
    may_know = {arm: why_it_may_know(results.study, arm, "elsewhere") for arm in results.pose_networks}
    noted = {arm: "; ".join(notes) for arm, notes in may_know.items() if notes}
    return [
        "## On people of another data set",
        f"{SCORE_TITLE[profile.elsewhere_yardstick]} on {said}, {learnt}, by labelled {counted(results.study)}:",
        markdown(_size_table(results, of_metric(results.elsewhere, SCORE_NAME[profile.elsewhere_yardstick]), noted)),
        *(f"\\* `{arm}` may have seen them: {note}." for arm, note in noted.items()),
        "The same differences on the people of both:",
        markdown(elsewhere_differences(results)),
    ]


def _on_two_lines(number: str) -> str:
    """The interval under its value, so that wide tables fit on a sheet; the interval itself is not broken."""
    return number.replace(" ", "<br>", 1).replace(", ", ",\N{NO-BREAK SPACE}")


def footnotes(results: Results) -> list[str]:
    """Why the arms that are marked with * may know the test people."""
    return [f"`{arm}` may have seen the test people: {note}." for arm, note in results.may_have_seen.items()]


def limits(results: Results) -> list[str]:
    """What the numbers rest on, a sentence or two of each thing."""
    profile = results.study.profile
    training = profile.arm("transfer").at(profile.asked_size("transfer")).training
    pictures = (
        "**Rendered** pictures: a demonstration of the method, not evidence about photographs"
        if results.study.rendered
        else "Photographs"
    )
    drawn_of = f"{results.study.splits['target'].scored:,} {'that' if profile.own_data else 'who'} are not in the test"
    if profile.folds:
        drawn_of = "the other folds than the one that is tested"
    exploratory = results.comparisons[["arm_a", "arm_b", "images_a", "images_b"]].drop_duplicates()
    number = len(exploratory) - len(of_metric(primary(results.comparisons), score_name(profile)))
    paper = f", where the paper had a ResNet-50 on TensorFlow and {_ITERATIONS_OF_THE_PAPER:,} iterations of 8"
    return [
        f"{pictures}; {training.net_type}, {training.iterations:,} iterations of {training.batch_size} pictures"
        f"{'' if profile.own_data else paper}.",
        *_training_done(results),
        *_labels(results),
        f"Each seed drew its {counted(results.study)} from {drawn_of}. {number} other pairs are compared"
        f"{chapters(profile, 'chapters 5 and 6')}: exploratory, without a ruling, and at 95 % one in twenty excludes "
        "zero by chance.",
    ]


def _training_done(results: Results) -> list[str]:
    """How far the control's training is from its end: what longer training of the same network gives."""
    profile = results.study.profile
    longer = f"{profile.control.removesuffix('_control')}_longer"
    if longer not in profile.arms:
        return []
    ends = [Point(arm, profile.asked_size(arm)) for arm in (profile.control, longer)]
    rows = list(rows_of(of_metric(between(results.comparisons, *ends), score_name(profile))))
    iterations = " against ".join(f"{results.iterations_in_all(point):,.0f}" for point in ends)
    return [
        f"How far trainings are from done: `{row.arm_a}` minus `{row.arm_b}`, the same network after {iterations} "
        f"iterations: {signed(row)} points.{_length_counts(profile.control, longer) if row.high < 0 else ''}"
        for row in rows
    ]


def _labels(results: Results) -> list[str]:
    """How often two labellings agree; nothing where no photograph is labelled twice."""
    if results.ceiling.table.empty:
        return []
    perfect = sorted((overall(results.ceiling.table, reading) for reading in (SLIPS, VAGUE)), key=lambda row: row.value)
    agree, least, most = (bracketed(row, row.metric) for row in (overall(results.ceiling.table, AGREE), *perfect))
    return [
        f"Labels are off too: two of one photograph agree on {agree} % of the joints, and by such labels a network "
        f"that finds every joint would score {least} to {most}{chapters(results.study.profile, 'chapter 1')}."
    ]


def _length_counts(control: str, longer: str) -> str:
    return (
        f" So a difference to `{control}` is in part one of how long was trained; `{longer}` was trained as long as "
        "`transfer` and its monkeys together."
    )


def provenance(results: Results) -> str:
    """Where the numbers come from, and what would have to be the same to get them again."""
    study, commits = results.study, sorted(set(results.budgets["git_commit"]) - {""})
    profile = "" if study.profile.own_data else f"Profile `{study.profile.name}`, "  # may be somebody's name
    made = (
        f"{profile}{len(results.budgets)} runs, test {counted(study)} "
        f"`{study.splits['target'].digest[:12]}`, code {', '.join(commits) or 'not recorded'}."
    )
    if study.profile.own_data:  # what the rest speaks of is not sent
        return made
    labels = "" if study.profile.pictures_in_reports else " and the labels, which are not ours to publish"
    return (
        f"{made} Every number can be recomputed from `predictions/`{labels}; its definition is in docs/metrics.md. "
        "Trained again on the same machine the networks are the same to the bit; on another they differ "
        "(docs/reproducibility.md)."
    )
