"""Which network to take and whether it is usable, in words: the answer page's section."""

from types import SimpleNamespace
from typing import Any

import pandas as pd

from monkey_transfer.measure.ceiling import AGREE, overall
from monkey_transfer.measure.choice import CHECK, FINISHED, FIRST_GUESS, HALF, NO_VERDICT, NOT_USABLE, SECOND_PERSON
from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import FLOOR, Point
from monkey_transfer.metrics.estimate import FEWEST_EFFECTIVE, FEWEST_GROUPS, FEWEST_SEEDS
from monkey_transfer.metrics.pckh import JOINT_GROUPS, scored
from monkey_transfer.metrics.written import bracketed, in_points, rows_of
from monkey_transfer.skeletons import without_side
from monkey_transfer.tell.words import counted, listed, score_name, score_title, seeds_in_words, tested

_LEADS = {
    NO_VERDICT: "Take {chosen}; whether it is usable cannot be said.",
    NOT_USABLE: "None is shown to be usable: {chosen}, chosen by validation, is not shown to beat the mean pose, which "
    "never looks at a picture.",
    FINISHED: "Take {finished}, a finished network: {chosen}, chosen by validation, leads it in the test by less "
    "than matters, maybe by chance, if at all.",
    SECOND_PERSON: "Take {chosen}; its score is within what a second person who labels the same pictures would have.",
    CHECK: "Take {chosen}; usable where somebody checks what it finds.",
    FIRST_GUESS: "Take {chosen}, as a first guess that somebody corrects: it is not shown to find more than half of "
    "the joints.",
}
# Networks that are named where many are alike.
_MOST_NAMED = 3


def which_network(results: Results) -> list[str]:
    """The section's paragraphs: what to take, why, how it does on the test people, what to check, how sure it is."""
    choice = results.choice
    names = {"chosen": _named(results, choice.point)}
    if choice.finished:
        names["finished"] = _named(results, choice.finished)
    sentences = [
        f"**{_LEADS[choice.verdict].format(**names)}** {_why(results)}",
        _on_test_people(results),
        _to_check(results),
        _how_sure(results),
    ]
    return ["## Which network to take", "\n".join(f"- {sentence}" for sentence in sentences)]


def _named(results: Results, point: Point) -> str:
    """Such as '`transfer` (150 labelled people)'."""
    people = results.people(point)
    return f"`{point.arm}` ({f'{people:,}' if people else 'no'} labelled {counted(results.study)})"


def _why(results: Results) -> str:
    """What validation says: the best, those that tie with it, and those that it cannot tell from it."""
    choice, margin = results.choice, results.study.profile.margin
    first, *others = rows_of(choice.table[choice.table["arm"] != FLOOR.arm])
    who = f"the validation {counted(results.study)}"
    most = f"most joints of {who}, {first.validation:.1f} % ({_validated_on(results)})"
    said = [f"Of {len(others) + 1} networks it finds {most}."]
    if choice.point != choice.best:
        said = [
            f"{_named(results, choice.best)} finds {most}; `{choice.arm}` is less than {margin:g} points behind, maybe "
            "by chance, and needs fewer labels."
        ]
    alike = [row for row in others if row.validation_behind_low <= 0 and Point(row.arm, row.images) != choice.point]
    if alike:
        names = [_named(results, Point(row.arm, row.images)) for row in alike]
        more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
        said.append(f"Validation does not tell `{choice.best.arm}` from {listed(names[:_MOST_NAMED] + more)}.")
    if noted := [row.validation_behind_note for row in others if row.validation_behind_note]:
        said.append(f"How much of that is chance is not known: {noted[0]}.")
    return " ".join(said)


def _validated_on(results: Results) -> str:
    """Such as '50 of each seed, on the 12 joints that all have'."""
    choice = results.choice
    networks = choice.validation.runs[choice.point]
    people = min(run.joints["image_id"].nunique() for run in networks)
    own, shared = results.scores.keypoints(choice.point), choice.validation.keypoints(choice.point)
    joints = f", on the {len(shared)} joints that all have" if len(shared) < len(own) else ""
    folds = " in all folds" if results.study.profile.folds else ""
    return f"{people:,} {'of each seed' if len(networks) > 1 else counted(results.study)}{folds}{joints}"


def _on_test_people(results: Results) -> str:
    """The score beside those of the mean pose, of the best finished network, and of a second labelling."""
    choice = results.choice
    row_of = {Point(row.arm, row.images): row for row in rows_of(choice.table)}
    own = row_of[choice.point]
    beside = [f"{_ahead(row_of[FLOOR])} points more than the mean pose"]
    if choice.finished not in (None, choice.point):
        beside.append(
            f"{_ahead(row_of[choice.finished])} more than `{choice.finished.arm}`, the best finished network in "
            "validation, which needs no labels"
        )
    known = [arm for arm in dict.fromkeys([choice.arm, choice.taken.arm]) if arm in results.may_have_seen]
    return (
        f"On the test {counted(results.study)} `{choice.arm}` finds {bracketed(own, own.metric)} % of the joints "
        f"({score_title(results.study.profile)}): {', and '.join(beside)}.{_second_person(results)}"
        + "".join(f" `{arm}` may have seen these people, which flatters it." for arm in known)
    )


def _ahead(row: Any) -> str:
    """By how many points the chosen network is ahead."""
    return in_points(SimpleNamespace(value=row.behind, low=row.behind_low, high=row.behind_high, note=row.behind_note))


def _second_person(results: Results) -> str:
    """How often two labellings agree, as far as that is known."""
    if results.study.profile.ceiling is not None:
        return f" The profile says that nobody can be expected to beat {results.study.profile.ceiling:g} %."
    if results.ceiling.table.empty:
        return ""
    agree = overall(results.ceiling.table, AGREE)
    return f" Two people who labelled one photograph agree on {bracketed(agree, agree.metric)} %."


def _to_check(results: Results) -> str:
    """What is wrong with the network to take: how many joints, how far, which, and taken for which."""
    point, yardstick = results.choice.taken, results.study.profile.yardstick.replace("_", " ")
    own = results.table[(results.table["arm"] == point.arm) & (results.table["images"] == point.images)]
    found = {row.metric: row for row in rows_of(own)}
    score = score_name(results.study.profile)
    joints = scored(results.scores.runs[point][0].joints)["keypoint"].nunique()
    said = [f"of {joints} joints {joints * (100 - found[score].value) / 100:.1f} are wrong in an average picture"]
    if (metric := "normalised_median") in found:
        said.append(f"half of all joints are off by {bracketed(found[metric], metric)} times the {yardstick} or more")
    if (metric := "errors/swap") in found:
        said.append(f"{bracketed(found[metric], metric)} % are taken for the same joint of the other side")
    few = [name for name in JOINT_GROUPS if (row := found.get(f"{score}/{name}")) and row.value < HALF]
    parts = [f"What to check of `{point.arm}`: {listed(said)}."]
    if few:
        parts.append(f"Fewer than half are found of these: {', '.join(few)}.")
    return " ".join([*parts, *_missing(results, point), *_far_off(results, point, found)])


def _missing(results: Results, point: Point) -> list[str]:
    """Labelled joints that a network does not have."""
    lacking = results.scores.keypoints(FLOOR) - results.scores.keypoints(point)
    names = sorted({without_side(name).replace("_", " ") for name in lacking})
    return [f"It does not have these: {', '.join(names)}."] if names else []


def _far_off(results: Results, point: Point, found: dict[str, Any]) -> list[str]:
    """Where a network errs more than the mean pose on average, although it finds more joints."""
    floor = results.scores.of(FLOOR)
    metric = "normalised_mean"
    if metric not in found or found[metric].value < floor[metric].value:
        return []
    errors = bracketed(found[metric], metric), bracketed(floor[metric], metric)
    return ["Where it is wrong it is far off: its mean error is {}, that of the mean pose {}.".format(*errors)]


def _how_sure(results: Results) -> str:
    """On whom it was measured and what that leaves open; without a verdict, what would make one possible."""
    study, choice = results.study, results.choice
    groups = study.test_people.images["group"].nunique()
    told = study.profile.own_data or groups == len(study.test_people)
    of_groups = "" if told else f" of {groups:,} groups"
    said = (
        f"Measured on {tested(study)}{of_groups} with {seeds_in_words(study)}, in pictures framed as here: that says "
        "nothing of other pictures, nor of what may be concluded from a pose."
    )
    if study.profile.folds:
        said += " With folds what validates one network tests another, which flatters the chosen one a little."
    if choice.verdict != NO_VERDICT:
        return said
    return f"{said} A verdict needs {listed(_what_is_lacking(results))}."


def _what_is_lacking(results: Results) -> list[str]:
    """What would make a verdict possible."""
    study, choice = results.study, results.choice
    lacking = []
    if len(study.profile.seeds) < FEWEST_SEEDS:
        lacking.append(f"{FEWEST_SEEDS} seeds (`seeds: [0, 1, 2]`), since fewer do not show what is chance in training")
    groups = results.scores.groups(choice.point, results.scores.shared_keypoints(choice.point, FLOOR))
    if groups < FEWEST_EFFECTIVE:
        tests_all = "" if study.profile.folds else ", keep more for the test (`target.test`), or test all (`folds`)"
        lacking.append(
            f"{FEWEST_GROUPS} groups of test {counted(study)}, such as videos or patients, where there are "
            f"{groups:.0f} (of unequal size as many equal ones): label more of them{tests_all}"
        )
    notes = choice.table.loc[choice.table["arm"].isin([choice.arm, FLOOR.arm]), ["note", "behind_note"]]
    other = sorted(set(pd.unique(notes.to_numpy().ravel())) - {"", "too few groups", "too few seeds"})
    return lacking or [f"numbers where there are none ({', '.join(other)})"]
