"""What chapter 7 says of tilted people, of swapped sides and of joints: its tables and its sentences."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from monkey_transfer.measure.tilt import ALL, TILTS
from monkey_transfer.measure.where_it_helps import NOT_TURNED, SWAPPED, WhereItHelps
from monkey_transfer.metrics.estimate import FEWEST_GROUPS
from monkey_transfer.metrics.pckh import JOINT_GROUPS, SCORE_NAME
from monkey_transfer.metrics.written import bracketed, in_points, rows_of
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT
from monkey_transfer.study.opening import Study
from monkey_transfer.tell.words import listed, tested

_PARTS = (ALL, "upright", "tilted", TILTED_LESS_UPRIGHT)


def tilt_table(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """The PCK score of every arm by tilt, in percent, on every set of people that they are tried on."""
    return _arms_by_tilt(study, of_score(study, where.scores))


def swap_table(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """The share of joints that every arm finds at the same joint of the other side, by tilt, in percent."""
    return _arms_by_tilt(study, where.scores[where.scores["metric"] == SWAPPED])


def tilt_differences(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """Differences of the PCK score by tilt, and how much more they are among the tilted, in points."""
    return _differences_by_tilt(study, of_score(study, where.differences), ["tried_on", "difference"])


def swap_differences(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """Differences of the share of swaps by tilt, in points: below zero the first arm swaps less."""
    rows = where.differences[where.differences["metric"] == SWAPPED]
    return _differences_by_tilt(study, rows, ["tried_on", "difference"])


def joint_differences(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """What monkeys add at every joint of the test people by tilt, in points."""
    return _differences_by_tilt(study, what_monkeys_add(study, where), ["joint"])


def what_monkeys_add(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """The rows of ``transfer`` minus its control on the test people, by ``joint``: each joint group and 'all joints'."""
    score = SCORE_NAME[study.profile.yardstick]
    joint_of = {f"{score}/{group}": group for group in JOINT_GROUPS} | {score: "all joints"}
    pair = f"transfer - {study.profile.control}"
    own = where.differences.query("tried_on == 'target' and difference == @pair")
    return own.assign(joint=own["metric"].map(joint_of)).dropna(subset="joint")


def of_score(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the PCK score: on every set of people by the yardstick that they have."""
    return table[table["metric"] == table["tried_on"].map(_scores(study))]


def on_tilt(study: Study, where: WhereItHelps) -> str:
    """How many are tilted, what ``transfer`` finds of them, and what monkeys add: one item for each set of people."""
    return "\n".join(f"- {_on_tilt(study, where, tried_on)}" for tried_on in where.people["tried_on"].unique())


def on_turning(study: Study, where: WhereItHelps) -> str:
    """What turning pictures by any angle in training gives by itself, beside what monkeys add."""
    plain, bare = NOT_TURNED
    control = study.profile.control
    both = f"(transfer - {control}) - ({plain} - {bare})"
    if both not in set(where.differences["difference"]):
        return (
            f"What turning pictures by any angle gives by itself is not known: the profile has no `{plain}` and `{bare}`."
        )
    if few := _too_few(where, "target"):
        return few
    turning, without, more = (
        _of_pair(study, where, name) for name in (f"{control} - {bare}", f"{plain} - {bare}", both)
    )
    return (
        f"**Turning pictures by any angle in training gives by itself** (`{control}` minus `{bare}`) "
        f"{in_points(turning['upright'])} points among the upright and {in_points(turning['tilted'])} among the tilted. "
        f"Monkeys without it (`{plain}` minus `{bare}`) add {in_points(without['upright'])} and "
        f"{in_points(without['tilted'])}; with it they add {in_points(more['upright'])} and "
        f"{in_points(more['tilted'])} more than that. None of these was asked beforehand."
    )


def on_finished(study: Study, where: WhereItHelps) -> str:
    """What one has today without labelling anybody: finished networks among the upright and the tilted."""
    arms = [name for name, arm in study.profile.arms.items() if arm.learns == "nothing"]
    if not arms:
        return "The profile tries no finished network."
    said = []
    for tried_on in where.people["tried_on"].unique():
        table = of_score(study, where.scores).query("tried_on == @tried_on")
        for arm in arms:
            rows = _by_tilt(table[table["arm"] == arm])
            parts = [f"{_percent(rows[tilt])} of the {tilt}" for tilt in ("upright", "tilted")]
            said.append(f"`{arm}` finds {' and '.join(parts)} {_who(study, tried_on)}")
    return f"**Finished networks, used as they are:** of the joints {'; '.join(said)}."


def on_swaps(study: Study, where: WhereItHelps) -> str:
    """How often left and right are taken for each other, and whether monkeys change that."""
    control = study.profile.control
    table = where.scores.query("metric == @SWAPPED and tried_on == 'target'")
    shares = {arm: _by_tilt(table[table["arm"] == arm]) for arm in ("transfer", control)}
    pair = f"transfer - {control}"
    rows = where.differences.query("metric == @SWAPPED and tried_on == 'target' and difference == @pair")
    found = _by_tilt(rows)
    by_tilt = "" if _too_few(where, "target") else (
        f", {in_points(found['upright'])} among the upright and {in_points(found['tilted'])} among the tilted"
    )
    return (
        "**At the same joint of the other side** are "
        + " and ".join(f"{_percent(of[ALL])} of what `{arm}` predicts" for arm, of in shares.items())
        + f": `transfer` minus `{control}` {in_points(found[ALL])} points{by_tilt}. It was not asked beforehand."
    )


def on_joints(study: Study, where: WhereItHelps) -> str:
    """At which joint monkeys add most and least."""
    table = what_monkeys_add(study, where).query("tilt == @ALL and joint != 'all joints'").dropna(subset="value")
    if table.empty:
        return "No joint group is labelled and predicted by both arms."
    most, *_, least = rows_of(table.sort_values("value", ascending=False)) if len(table) > 1 else [*rows_of(table)] * 2
    return (
        f"**Of {len(table)} joint groups** monkeys add most at the {most.joint}, {in_points(most)} points, and least at "
        f"the {least.joint}, {in_points(least)}. Intervals are not corrected for having been looked at together."
    )


def _on_tilt(study: Study, where: WhereItHelps, tried_on: str) -> str:
    number = {tilt: where.number(tilt, tried_on) for tilt in (ALL, *TILTS)}
    unknown = number[ALL] - sum(number[tilt] for tilt in TILTS)
    who = (
        f"Of {_who(study, tried_on, of='')} {number['upright']:,} are upright (within 60 degrees), {number['between']:,} "
        f"between and {number['tilted']:,} tilted (by more than 120)"
    )
    who += f"; of {unknown:,} neck or hips are not labelled. " if unknown else ". "
    if few := _too_few(where, tried_on):
        return who + few
    control = study.profile.control
    scores = of_score(study, where.scores).query("tried_on == @tried_on and arm == 'transfer'")
    found, monkeys = _by_tilt(scores), _of_pair(study, where, f"transfer - {control}", tried_on)
    asked = {(question.a, question.b) for question in study.profile.questions if question.part}
    ruled = (
        "It was asked before the runs: the answer page has the ruling."
        if tried_on == "target" and ("transfer", control) in asked
        else "It was not asked beforehand, so it is not ruled on."
    )
    return (
        f"{who}`transfer` finds {_percent(found['upright'])} of the joints of the upright and {_percent(found['tilted'])} "
        f"of those of the tilted. **Monkeys add** (`transfer` minus `{control}`) {in_points(monkeys['upright'])} points "
        f"among the upright and {in_points(monkeys['tilted'])} among the tilted: tilted minus upright "
        f"{in_points(monkeys[TILTED_LESS_UPRIGHT])}. {ruled}"
    )


def _too_few(where: WhereItHelps, tried_on: str) -> str:
    """The sentence that says so where there are no numbers of the upright or of the tilted; else nothing."""
    few = [tilt for tilt in ("upright", "tilted") if where.number(tilt, tried_on) < FEWEST_GROUPS]
    if not few:
        return ""
    found = listed(f"{where.number(tilt, tried_on):,} {tilt}" for tilt in few)
    return f"With {found} people, where an interval takes {FEWEST_GROUPS}, nothing can be said of tilt."


def _arms_by_tilt(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    cells = table.assign(cell=[bracketed(row, row.metric) for row in rows_of(table)])
    return _wide(study, cells, ["tried_on", "arm"], (ALL, *TILTS))


def _differences_by_tilt(study: Study, table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    cells = table.assign(cell=[in_points(row) for row in rows_of(table)])
    return _wide(study, cells, keys, _PARTS)


def _wide(study: Study, cells: pd.DataFrame, keys: Sequence[str], parts: Sequence[str]) -> pd.DataFrame:
    """One row for each of the keys in their order, one column for each group of people."""
    rows = [
        dict(zip(keys, key, strict=True))
        | {"pictures": study.pictures}
        | dict(own.set_index("tilt")["cell"].reindex(parts))
        for key, own in cells.groupby(list(keys), sort=False)
    ]
    return pd.DataFrame(rows).rename(columns={"tried_on": "tried on"})


def _of_pair(study: Study, where: WhereItHelps, name: str, tried_on: str = "target") -> dict[str, Any]:
    """By tilt the rows of a difference of the PCK score."""
    rows = of_score(study, where.differences).query("tried_on == @tried_on and difference == @name")
    return _by_tilt(rows)


def _by_tilt(rows: pd.DataFrame) -> dict[str, Any]:
    return {row.tilt: row for row in rows_of(rows)}


def _percent(row: Any) -> str:
    return f"{bracketed(row, row.metric)} %"


def _scores(study: Study) -> dict[str, str]:
    elsewhere = {"elsewhere": SCORE_NAME[study.profile.elsewhere_yardstick]} if study.elsewhere else {}
    return {"target": SCORE_NAME[study.profile.yardstick], **elsewhere}


def _who(study: Study, tried_on: str, of: str = "of ") -> str:
    """Such as 'of 1,000 test people', or of the people of another data set."""
    if tried_on == "target" or study.elsewhere is None:
        return f"{of}{tested(study)}"
    others = study.elsewhere
    return f"{of}{len(others):,} {'rendered ' if others.rendered else ''}people of {others.name}"
