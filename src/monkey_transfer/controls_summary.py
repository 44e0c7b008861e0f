"""The controls for reading: three sentences that open summary.md, and the tables of chapters 6 and 7.

Sentences are written from intervals and verdicts; what is not shown is called undecided.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from monkey_transfer.controls import TRIALS, Controls
from monkey_transfer.metrics.pckh import SCORE_TITLE
from monkey_transfer.rare_poses import MEASURES, RarePoses
from monkey_transfer.results import Results, footnotes, marked, oriented
from monkey_transfer.study import Study

_ANSWER = {
    "higher": "supported",
    "lower": "contradicted",
    "undecided": "undecided",
    "one seed": "undecided, since one seed of training does not show how much is chance,",
    "too few groups": "undecided, since the test people are of too few groups,",
}
SPREAD = "two seeds differ by up to"


def opening(study: Study, results: Results, controls: Controls) -> list[str]:
    """Three sentences: do the monkeys help, how many people are they worth, and is the paper's comparison won?"""
    return [_do_monkeys_help(study, results, controls), _worth(study, controls), _against_the_benchmark(study, results)]


def _do_monkeys_help(study: Study, results: Results, controls: Controls) -> str:
    control = study.profile.control
    rows = _pair(controls, "transfer", control)
    answers = "; ".join(
        f"{_ANSWER[str(verdict)]} with {_listed(f'{people:,}' for people in found['people'])}"
        for verdict, found in rows.groupby("verdict", sort=False)
    )
    numbers = _listed(f"{signed(row)} with {row.people:,}" for row in rows.itertuples())
    spread = rows["spread"].max()
    chance = "" if np.isnan(spread) else f" Two seeds of one of them differ by up to {spread:.1f}."
    return (
        f"**That learning monkeys first helps, against `{control}`, is** {answers} labelled people: in points of "
        f"{_score(study)} the difference is {numbers}, on {_tested(study)}, {_seeds(study)}.{chance}"
        f"{_against_longer_training(study, results, controls)}"
    )


def _against_longer_training(study: Study, results: Results, controls: Controls) -> str:
    """What is left of the lead where the control trains on people for longer instead of on monkeys before."""
    iterations = results.budgets.groupby(["arm", "training_pictures"])["iterations"].mean()

    def took(arm: str) -> float:
        return iterations[arm, study.profile.arm(arm).largest]

    # Of another beginning than the control's it would differ in more than its iterations.
    longer = study.profile.control.replace("_control", "_longer")
    of_transfer = sum(took(arm) for arm in study.profile.lineage("transfer"))
    return "".join(
        f" Against `{longer}`, which takes {took(longer):,.0f} iterations on people where `transfer` takes "
        f"{of_transfer:,.0f} on monkeys and people, it is {_ANSWER[str(row.verdict)]} with {row.people:,}: "
        f"{signed(row)}."
        for row in _pair(controls, "transfer", longer).itertuples()
    )


def _worth(study: Study, controls: Controls) -> str:
    rows = controls.equivalents[controls.equivalents["arm"] == "transfer"]
    if rows.empty:
        return (
            f"**What monkeys are worth in people is** undecided: `{study.profile.control}` was trained with one number "
            "of people, so it has no learning curve."
        )
    needed = _needed(study, controls, rows)
    worth = _listed(f"{size} with {row.people:,}" for size, row in zip(needed, rows.itertuples(), strict=True))
    return (
        f"**To reach what `transfer` does, `{study.profile.control}` needs** so many labelled people: {worth}, "
        f"on {_tested(study)}, {_seeds(study)}."
    )


def _against_the_benchmark(study: Study, results: Results) -> str:
    row = oriented(results.comparisons, "transfer", "benchmark")
    if row.verdict == "uninformative":
        return (
            "**That transfer beats the human benchmark** cannot be asked here: `benchmark` is not shown to beat "
            "`mean_pose`, so the comparison is uninformative."
        )
    people, of_benchmark = (study.profile.arm(arm).largest for arm in ("transfer", "benchmark"))
    learnt = f", which learnt {of_benchmark:,} people to its {people:,}," if of_benchmark else ""
    known = f" {' '.join(footnotes(results))}" if marked(results, "benchmark") != "benchmark" else ""
    return (
        f"**That transfer beats the human benchmark{learnt} is** {_ANSWER[row.verdict]} on the joints that all arms "
        f"have: {row.difference:+.1f} [{row.low:+.1f}, {row.high:+.1f}] points of {_score(study)}, on "
        f"{_tested(study)}, {_seeds(study)}.{known}"
    )


def contrast_table(study: Study, controls: Controls) -> pd.DataFrame:
    """:attr:`Controls.contrasts` for reading: one row per pair and number of people."""
    rows = controls.contrasts
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "question": rows["question"],
            "pair": [f"{a} - {b}" for a, b in zip(rows["arm_a"], rows["arm_b"], strict=True)],
            "labelled people": rows["people"],
            "difference": [signed(row) for row in rows.itertuples()],
            SPREAD: spreads(rows),
            "the first is": rows["verdict"],
        }
    )


def equivalent_table(study: Study, controls: Controls) -> pd.DataFrame:
    """:attr:`Controls.equivalents` for reading: labelled people, intervals in brackets."""
    rows = controls.equivalents
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "arm": rows["arm"],
            "labelled people": rows["people"],
            f"{study.profile.control} needs": _needed(study, controls, rows),
        }
    )


def speed_table(study: Study, controls: Controls) -> pd.DataFrame:
    """:attr:`Controls.speed` for reading."""
    rows = controls.speed
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "arm": rows["arm"],
            "images": rows["images"],
            "seeds that reach it": [f"{row.reached} of {row.seeds}" for row in rows.itertuples()],
            "iterations": [_or_never(value, "{:.0f}") for value in rows["iterations"]],
            "minutes": [_or_never(value, "{:.1f}") for value in rows["minutes"]],
        }
    )


def seed_table(study: Study, controls: Controls) -> pd.DataFrame:
    """:attr:`Controls.seed_pairs` for reading: one arm, two seeds."""
    rows = controls.seed_pairs
    if rows.empty:
        return pd.DataFrame({"two seeds of one arm": ["the profile has one seed"]})
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "arm": rows["arm"],
            "images": rows["images"],
            "seeds": [f"{a} - {b}" for a, b in zip(rows["seed_a"], rows["seed_b"], strict=True)],
            "difference": [signed(row) for row in rows.itertuples()],
        }
    )


def negative_control(study: Study, controls: Controls) -> str:
    """What came of swapping names, in a sentence."""
    return (
        f"With the names of `transfer` and `{study.profile.control}` swapped at random for each person, the interval "
        f"of their difference over people excludes zero in {100 * controls.swapped:.1f} % of {TRIALS:,} trials, where "
        "5 % are due."
    )


def rarity_answer(study: Study, rare: RarePoses) -> str:
    """Does the advantage of monkeys grow with rarity? In a sentence."""
    slope = _slopes(rare).set_index("measure").loc["distance"]
    return (
        f"**That monkeys help more the rarer a pose is** is {_ANSWER[str(slope['verdict'])].removesuffix(',')}: from "
        f"the most ordinary person to the rarest the advantage of `transfer` over `{study.profile.control}` changes by "
        f"{slope['mean']:+.1f} [{slope['low']:+.1f}, {slope['high']:+.1f}] points of {_score(study)}, on "
        f"{len(rare.people):,} {'rendered ' if study.rendered else ''}test people with all limbs labelled "
        f"({rare.left_out:,} have not), {_seeds(study)}."
    )


def rarity_table(study: Study, rare: RarePoses) -> pd.DataFrame:
    """The slopes of :attr:`RarePoses.lines` for reading, by both measures of rarity."""
    rows = _slopes(rare)
    numbers = zip(rows["mean"], rows["low"], rows["high"], strict=True)
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "rarity by": rows["measure"].map(MEASURES),
            "advantage grows by": [f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]" for mean, low, high in numbers],
            SPREAD: spreads(rows),
            "this is": rows["verdict"],
        }
    )


def _slopes(rare: RarePoses) -> pd.DataFrame:
    return rare.lines[rare.lines["quantity"] == "slope"].reset_index(drop=True)


def _pair(controls: Controls, a: str, b: str) -> pd.DataFrame:
    rows = controls.contrasts
    return rows[(rows["arm_a"] == a) & (rows["arm_b"] == b)]


def _needed(study: Study, controls: Controls, rows: pd.DataFrame) -> list[str]:
    """How many people the control needs, in words, since its learning curve has a beginning and an end."""
    learnt = controls.points.loc[controls.points["arm"] == study.profile.control, "people"]

    def bound(people: float) -> str:
        if people == 0:
            return f"fewer than {learnt.min():,}"
        return f"more than {learnt.max():,}" if np.isinf(people) else f"{people:,.0f}"

    row: Any
    sentences = []
    for row in rows.itertuples():
        found = bound(row.equivalent) + (" (not reached)" if np.isinf(row.equivalent) else "")
        sentences.append(found if row.low == row.high else f"{found} [{bound(row.low)} to {bound(row.high)}]")
    return sentences


def _or_never(value: float, form: str) -> str:
    return "never" if np.isnan(value) else form.format(value)


def signed(row: Any) -> str:
    """A difference with its interval, such as +1.2 [+0.4, +2.0]."""
    if pd.isna(row.low):
        return f"{row.difference:+.1f} (no interval)"
    # As many digits as show on which side of zero a bound lies, where it is not zero itself.
    low, high = (0.0 if abs(bound) < 1e-6 else bound for bound in (row.low, row.high))
    digits = next(d for d in range(1, 8) if all(round(bound, d) for bound in (low, high) if bound))
    return f"{row.difference:+z.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def spreads(rows: pd.DataFrame) -> list[str]:
    """How far two seeds are apart, see :func:`monkey_transfer.claims.spread`, for a column named :data:`SPREAD`."""
    return ["one seed" if np.isnan(spread) else f"{spread:.1f}" for spread in rows["spread"]]


def _score(study: Study) -> str:
    return SCORE_TITLE[study.profile.yardstick]


def _tested(study: Study) -> str:
    return f"{len(study.test_people):,} {'rendered ' if study.rendered else ''}test people"


def _seeds(study: Study) -> str:
    count = len(study.profile.seeds)
    return f"{count} seeds" if count > 1 else "one seed"


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
