"""What chapter 7 says of tilted people, of swapped sides and of joints: its tables and its sentences."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from monkey_transfer.measure.tilt import ALL, TILTS
from monkey_transfer.measure.where_it_helps import NOT_TURNED, SWAPPED, WhereItHelps
from monkey_transfer.metrics.estimate import FEWEST_GROUPS
from monkey_transfer.metrics.pckh import JOINT_GROUPS, SCORE_NAME
from monkey_transfer.metrics.written import bracketed, in_points, rows_of
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT
from monkey_transfer.study.opening import Study
from monkey_transfer.tell.words import listed, score_name, tested

_PARTS = (ALL, "upright", "tilted", TILTED_LESS_UPRIGHT)
_WHO = {ALL: "all", "upright": "the upright", "tilted": "the tilted"}


def tilt_table(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """The PCK score of every arm by tilt, in percent, on every set of people that it is tried on."""
    return _wide(study, of_score(study, where.scores), ["tried_on", "arm"], (ALL, *TILTS), _percent)


def swap_table(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """The share of joints that every arm finds at the same joint of the other side, by tilt, in percent."""
    return _wide(study, of_swaps(where.scores), ["tried_on", "arm"], (ALL, *TILTS), _percent)


def tilt_differences(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """Differences of our arms' PCK score by tilt, and how much more they are among the tilted, in points."""
    return _wide(
        study, of_score(study, of_trained(study, where.differences)), ["tried_on", "difference"], _PARTS, in_points
    )


def swap_differences(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """Differences of the share of swaps by tilt, in points: below zero the first arm swaps less."""
    return _wide(study, of_swaps(where.differences), ["tried_on", "difference"], _PARTS, in_points)


def differences_by_joint(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """What monkeys add at every joint of the test people by tilt, in points."""
    return _wide(study, what_monkeys_add(study, where), ["joint"], _PARTS, in_points)


def of_score(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the PCK score: on every set of people by the yardstick that they have."""
    names = {"target": score_name(study.profile)}
    if study.elsewhere is not None:
        names["elsewhere"] = SCORE_NAME[study.profile.elsewhere_yardstick]
    return table[table["metric"] == table["tried_on"].map(names)]


def of_trained(study: Study, differences: pd.DataFrame) -> pd.DataFrame:
    """The differences of arms that were trained here, beside which those of finished networks are too large to draw."""
    finished = [f"{arm} - transfer" for arm in study.profile.finished_networks]
    return differences[~differences["difference"].isin(finished)]


def of_swaps(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the share of swaps."""
    return table[table["metric"] == SWAPPED]


def what_monkeys_add(study: Study, where: WhereItHelps) -> pd.DataFrame:
    """The rows of ``transfer`` minus its control on the test people, by ``joint``: joint groups, and all joints."""
    score = score_name(study.profile)
    joint_of = {f"{score}/{group}": group for group in JOINT_GROUPS} | {score: "all joints"}
    own = _of(where.differences, tried_on="target", difference=_monkeys(study))
    return own.assign(joint=own["metric"].map(joint_of)).dropna(subset="joint")


def on_tilt(study: Study, where: WhereItHelps) -> str:
    """How many are tilted, what ``transfer`` finds of them, and what monkeys add: one item for each set of people."""
    return "\n".join(f"- {_on_tilt(study, where, tried_on)}" for tried_on in where.people["tried_on"].unique())


def on_turning(study: Study, where: WhereItHelps) -> str:
    """What turning pictures by any angle in training gives by itself, beside what monkeys add."""
    (plain, bare), control = NOT_TURNED, study.profile.control
    both = f"({_monkeys(study)}) - ({plain} - {bare})"
    if both not in set(where.differences["difference"]):
        return (
            f"What turning pictures by any angle gives by itself is not known: the profile has no `{plain}` and "
            f"`{bare}`."
        )
    if few := _too_few(where, "target"):
        return few
    table = _of(of_score(study, where.differences), tried_on="target")
    turning, without, more = (
        _by_tilt(table, difference=name) for name in (f"{control} - {bare}", f"{plain} - {bare}", both)
    )
    return (
        f"**Turning pictures by any angle in training** gives by itself (`{control}` minus `{bare}`) "
        f"{_upright_and_tilted(turning)}. Monkeys without it (`{plain}` minus `{bare}`) add "
        f"{_upright_and_tilted(without)}; what they add with it is more than that by {_upright_and_tilted(more)}. None "
        "of this was asked beforehand."
    )


def on_finished(study: Study, where: WhereItHelps) -> str:
    """What one has today without labelling anybody: finished networks among the upright and the tilted, item by item.

    What they gain over ``transfer``, which had labelled people of the target, is on the joints that both have.
    """
    arms = study.profile.finished_networks
    if not arms:
        return "The profile tries no finished network."
    tried = where.people["tried_on"].unique()
    return "\n".join(f"- {_on_finished(study, where, arm, tried_on)}" for arm in arms for tried_on in tried)


def _on_finished(study: Study, where: WhereItHelps, arm: str, tried_on: str) -> str:
    groups = (ALL,) if where.few(tried_on) else ("upright", "tilted")
    found = _by_tilt(of_score(study, where.scores), tried_on=tried_on, arm=arm)
    more = _by_tilt(of_score(study, where.differences), tried_on=tried_on, difference=f"{arm} - transfer")
    shares = listed(f"{_percent(found[group])} % of the joints of {_WHO[group]}" for group in groups)
    gains = listed(in_points(more[group]) for group in groups)
    better = "; ".join(f"for {_WHO[group]}: {_choice(more[group])}" for group in groups)
    return (
        f"`{arm}` finds, of {_who(study, tried_on)}, {shares}; that less what `transfer` finds is {gains} points. "
        f"Better {better}."
    )


def _choice(gain: Any) -> str:
    """Whether to take a finished network or to label people, by the interval of what the network gains."""
    if gain.low > 0:
        return "the finished network"
    return "labelled people" if gain.high < 0 else "not shown"


def on_swaps(study: Study, where: WhereItHelps) -> str:
    """How often left and right are taken for each other, and whether monkeys change that."""
    control = study.profile.control
    shares = [
        f"{_percent(_by_tilt(of_swaps(where.scores), tried_on='target', arm=arm)[ALL])} % of what `{arm}` predicts"
        for arm in ("transfer", control)
    ]
    found = _by_tilt(of_swaps(where.differences), tried_on="target", difference=_monkeys(study))
    apart = "" if where.few() else f", {_upright_and_tilted(found)}"
    return (
        f"**At the same joint of the other side** are {' and '.join(shares)}: `transfer` minus `{control}` "
        f"{in_points(found[ALL])} points{apart}. It was not asked beforehand."
    )


def on_joints(study: Study, where: WhereItHelps) -> str:
    """At which joint monkeys add most and least."""
    table = _of(what_monkeys_add(study, where), tilt=ALL).dropna(subset="value")
    table = table[table["joint"] != "all joints"].sort_values("value", ascending=False)
    if len(table) < 2:
        return "Joints cannot be told apart: expected two groups of them that both arms have."
    most, *_, least = rows_of(table)
    return (
        f"**Of {len(table)} groups of joints** monkeys add most at the {most.joint}, {in_points(most)} points, and "
        f"least at the {least.joint}, {in_points(least)}: the extremes of several intervals, none of which was asked "
        "for beforehand."
    )


def _on_tilt(study: Study, where: WhereItHelps, tried_on: str) -> str:
    number = {tilt: where.number(tilt, tried_on) for tilt in (ALL, *TILTS)}
    unknown = number[ALL] - sum(number[tilt] for tilt in TILTS)
    who = (
        f"Of {_who(study, tried_on)} {number['upright']:,} are upright (within 60 degrees), {number['between']:,} "
        f"between and {number['tilted']:,} tilted (by more than 120)"
        f"{f'; of {unknown:,} it is not known' if unknown else ''}. "
    )
    if few := _too_few(where, tried_on):
        return who + few
    found = _by_tilt(of_score(study, where.scores), tried_on=tried_on, arm="transfer")
    monkeys = _by_tilt(of_score(study, where.differences), tried_on=tried_on, difference=_monkeys(study))
    control = study.profile.control
    asked = [(question.a, question.b) for question in study.profile.questions if question.part]
    is_asked = tried_on == "target" and ("transfer", control) in asked
    ruled = "Asked before the runs: the ruling is on the answer page" if is_asked else "It was not asked beforehand"
    return (
        f"{who}`transfer` finds {_percent(found['upright'])} % of the joints of the upright and "
        f"{_percent(found['tilted'])} % of those of the tilted. **Monkeys add** (`transfer` minus `{control}`) "
        f"{_upright_and_tilted(monkeys)}; tilted minus upright {in_points(monkeys[TILTED_LESS_UPRIGHT])}. {ruled}."
    )


def _too_few(where: WhereItHelps, tried_on: str) -> str:
    """The sentence that says so where there are no numbers of the upright or of the tilted; else nothing."""
    if not where.few(tried_on):
        return ""
    found = listed(f"{where.number(tilt, tried_on):,} {tilt}" for tilt in where.few(tried_on))
    return f"With {found} people, where an interval takes {FEWEST_GROUPS}, nothing can be said of tilt."


def _upright_and_tilted(found: dict[str, Any]) -> str:
    return f"{in_points(found['upright'])} points among the upright and {in_points(found['tilted'])} among the tilted"


def _monkeys(study: Study) -> str:
    """The difference that says what monkeys add."""
    return f"transfer - {study.profile.control}"


def _wide(
    study: Study, table: pd.DataFrame, keys: Sequence[str], parts: Sequence[str], cell: Callable[[Any], str]
) -> pd.DataFrame:
    """One row for each of the keys, in their order, and one column for each group of people."""
    rows = []
    for key, own in table.groupby(list(keys), sort=False):
        found = {row.tilt: row.note if pd.isna(row.value) else cell(row) for row in rows_of(own)}
        rows.append({**dict(zip(keys, key, strict=True)), "pictures": study.pictures, **{p: found[p] for p in parts}})
    return pd.DataFrame(rows).rename(columns={"tried_on": "tried on"})


def _by_tilt(table: pd.DataFrame, **values: str) -> dict[str, Any]:
    """Among whom -> the row of these values."""
    return {row.tilt: row for row in rows_of(_of(table, **values))}


def _of(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    """The rows with these values in the columns of these names."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def _percent(row: Any) -> str:
    return bracketed(row, row.metric)


def _who(study: Study, tried_on: str) -> str:
    """Such as '1,000 test people', or so many people of another data set."""
    if tried_on == "target":
        return tested(study)
    people = study.dataset(tried_on)
    return f"{len(people):,} {'rendered ' if people.rendered else ''}people of {people.name}"
