"""The sentence on which each chapter ends, written from its numbers."""

from collections.abc import Sequence

import pandas as pd

from monkey_transfer.measure.rare_poses import RarePoses
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.written import bracketed, in_points, rows_of
from monkey_transfer.profiles.arms import MEAN_POSE
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.tell.answer import answers
from monkey_transfer.tell.reading import equivalent_table, monkey_table
from monkey_transfer.tell.words import counted, listed, score_name, score_title, seeds_in_words, tested

_ONE_OF = {"frames": "frame", "people": "person"}


def on_the_data(study: Study) -> str:
    """Chapter 1: who is tested, who may be learnt, who was left out."""
    split = study.splits["target"]
    people = study.left_out.query("keypoint == '' and data == 'target'")["image_id"].nunique()
    groups = study.test_people.images["group"].nunique()
    of = "" if study.profile.own_data else f" of {groups:,} groups"  # which of own data it says by itself
    what = counted(study)
    left_out = f"1 {_ONE_OF[what]} of the files is" if people == 1 else f"{people:,} {what} of the files are"
    unscored = (
        f"{what.capitalize()} without a {study.profile.yardstick.replace('_', ' ')}, {len(study.unscored):,}, may be "
        "learnt, after all others, and are never tested. "
        if study.unscored
        else ""
    )
    how = f"Every arm is tested on the same **{tested(study)}**{of}; "
    if study.profile.folds:
        how += f"each group is tested once, in {len(study.parts)} folds, by networks that learnt of the others; there "
    else:
        how += f"of the {split.scored:,} others "
    one = " What these chapters call a person is one frame." if what == "frames" else ""
    return (
        f"{how}each seed ({seeds_in_words(study)}) draws its own to learn, the same for all arms. {unscored}{left_out} "
        f"left out.{one}"
    )


def on_what_can_be_decided(study: Study, lacking: Sequence[str]) -> str:
    """Chapter 0: whether a study of these data can decide anything, by what it lacks."""
    people = f"{len(study.target):,} labelled people of {study.target.images['group'].nunique():,} groups"
    if lacking:
        return f"With {people} and {seeds_in_words(study)} **no question can be decided** as the profile is now."
    return f"With {people} and {seeds_in_words(study)} **its questions can be decided**: the study says how."


def on_a_network(study: Study, run: Run, scores: pd.DataFrame) -> str:
    """Chapters 2 to 4: how good one network is, beside the floor."""
    rows = {row.arm: row for row in rows_of(scores[scores["metric"] == score_name(study.profile)])}
    floor = rows[MEAN_POSE]
    return (
        f"**{run.arm}** of seed {run.seed} finds {bracketed(rows[run.arm], floor.metric)} % of the joints "
        f"({score_title(study.profile)}) of {tested(study)}, where the mean pose finds "
        f"{bracketed(floor, floor.metric)} %: intervals over people alone, since this is one network."
    )


def on_monkeys(study: Study, run: Run) -> str:
    """Chapter 2: how good the source network is on what it has learnt."""
    table = monkey_table(study, run)
    if table.empty:
        return "No monkey is held out, so how good it is on monkeys is not known."
    last = table.iloc[-1].to_dict()
    within = next(str(column) for column in table if str(column).startswith("within"))
    return f"On {last['monkeys']} monkeys {last[within]} % of the joints are {within.removesuffix(', %')}."


def on_the_comparison(results: Results) -> str:
    """Chapter 5: the answers to the questions."""
    return "\n".join(f"- {sentence}" for sentence in answers(results))


def on_worth(results: Results, equivalents: pd.DataFrame) -> str:
    """Chapter 6: what ``transfer`` is worth in labelled people."""
    study = results.study
    control = study.profile.control
    rows = equivalents[equivalents["arm"] == "transfer"]
    if rows.empty:
        return f"What monkeys are worth in people is not known: `{control}` learnt one number of people."
    table = equivalent_table(results, rows)
    worth = listed(
        f"{needs} where `transfer` had {people}"
        for people, needs in zip(table["labelled people"], table[f"{control} needs"], strict=True)
    )
    return (
        f"**For the score of `transfer`, `{control}` needs** so many labelled people: {worth}, on {tested(study)}, "
        f"{seeds_in_words(study)}."
    )


def on_rarity(study: Study, rare: RarePoses) -> str:
    """Chapter 7: whether the advantage of monkeys grows with rarity."""
    [slope] = rows_of(rare.lines[rare.lines["quantity"] == "slope"])
    have = "has" if rare.left_out == 1 else "have"
    return (
        f"**From the most ordinary person to the rarest** the advantage of `transfer` over `{study.profile.control}` "
        f"changes by {in_points(slope)} points of {score_title(study.profile)} ({study.profile.compared_size} images), "
        f"on {len(rare.people):,} {'rendered ' if study.rendered else ''}test people with all limbs labelled "
        f"({rare.left_out:,} {have} not), {seeds_in_words(study)}. It was not asked beforehand, so it is not ruled on."
    )
