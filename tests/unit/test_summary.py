"""Sentences and tables of summary.md follow the numbers."""

from types import SimpleNamespace

import pandas as pd
import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.summary import comparison_table, findings


def row(a, b, low, high, verdict="undecided", seeds=1, spread=float("nan")):
    return {
        "arm_a": a,
        "arm_b": b,
        "seeds": seeds,
        "difference": (low + high) / 2,
        "low": low,
        "high": high,
        "spread": spread,
        "verdict": verdict,
    }


def study_of(rows, rendered=True, known=False):
    """A study of two arms and what was measured in it, as far as sentences need it."""
    leaks = pd.DataFrame(
        {"arm": ["transfer", "control"], "may_have_seen": [0, 200 * known], "note": ["", "trained on MPII"]}
    )
    results = SimpleNamespace(comparisons=pd.DataFrame(rows), leaks=leaks)
    study = SimpleNamespace(
        profile=SimpleNamespace(arms={"transfer": None, "control": None}, yardstick="head_size"),
        rendered=rendered,
        pictures="rendered" if rendered else "photographs",
        test_people=range(200),
    )
    return study, results


FLOOR = [row(arm, "mean_pose", 4.0, 6.0, "higher", 3, 0.5) for arm in ("transfer", "control")]
CASES = [
    (
        {"low": 1.0, "high": 3.0, "verdict": "one seed"},
        "cannot be judged (one seed of training) against `control`: +2.0",
    ),
    ({"low": -1e-16, "high": 1.9}, "cannot be told from `control`: +0.9 [+0.0, +1.9] points"),
    ({"low": -0.0002, "high": 1.9}, "cannot be told from `control`: +0.9499 [-0.0002, +1.9000] points"),
    ({"low": -0.04, "high": 1.9}, "cannot be told from `control`: +0.93 [-0.04, +1.90] points"),
    ({"low": -1.0, "high": 1.0}, "cannot be told from `control`: +0.0"),
    ({"low": -3.0, "high": -1.0, "verdict": "lower"}, "is worse than `control`: -2.0 [-3.0, -1.0] points"),
    (
        {"low": 1.0, "high": 3.0, "verdict": "higher", "seeds": 3, "spread": 0.5},
        "is better than `control`: +2.0 [+1.0, +3.0] points of PCKh@0.5 (3 seeds, two of which differ by up to 0.5)",
    ),
    (
        {"low": 1.0, "high": 3.0, "verdict": "too few groups"},
        "cannot be judged (test people of too few groups) against `control`: +2.0 [+1.0, +3.0]",
    ),
    (
        {"low": 1.0, "high": 3.0, "verdict": "uninformative"},
        "cannot be judged (`benchmark` is not shown to beat `mean_pose`) against `control`: +2.0",
    ),
]


@pytest.mark.parametrize("numbers, words", CASES)
@pytest.mark.parametrize("turned", [False, True])
def test_sentences_follow_the_verdicts_and_not_the_order_of_arms(numbers, words, turned):
    pair = row("transfer", "control", **numbers)
    if turned:
        opposite = {"higher": "lower", "lower": "higher"}
        pair |= {
            "arm_a": "control",
            "arm_b": "transfer",
            "difference": -pair["difference"],
            "low": -pair["high"],
            "high": -pair["low"],
            "verdict": opposite.get(pair["verdict"], pair["verdict"]),
        }
    first, *others = findings(*study_of([pair, *FLOOR]))
    assert first.startswith(f"`transfer` {words}")
    assert all(sentence.endswith("on 200 rendered test people.") for sentence in (first, *others))
    assert "`control` is better than `mean_pose`" in others[-1]


def test_an_interval_that_is_not_known_is_not_made_up():
    alone = [row("transfer", "control", float("nan"), float("nan"), "too few groups"), *FLOOR]
    assert "(no interval) points" in findings(*study_of(alone))[0]


def test_an_arm_that_may_know_the_test_people_is_marked_wherever_it_stands():
    rows = [row("transfer", "control", 1.0, 3.0, "higher"), *FLOOR]
    study, results = study_of(rows, known=True)
    first, *_, footnote = findings(study, results)
    assert first.startswith("`transfer` is better than `control*`")
    assert footnote == "\\* `control` may have seen the test people: trained on MPII."
    assert comparison_table(study, results)["pair"].tolist()[0] == "transfer - control*"


def test_photographs_are_not_called_rendered():
    sentences = findings(*study_of([row("transfer", "control", 1.0, 3.0), *FLOOR], rendered=False))
    assert not any("rendered" in sentence for sentence in sentences)


def test_a_missing_pair_is_an_error():
    with pytest.raises(StudyError, match="no pair of 'transfer' and 'control'"):
        findings(*study_of(FLOOR))


def test_the_table_says_what_it_was_measured_on_and_with_how_many_seeds():
    rows = [
        row("transfer", "control", 1.0, 3.0, "one seed"),
        row("control", "mean_pose", 1.0, 3.0, "higher", 3, 0.54),
    ]
    table = comparison_table(*study_of(rows))
    assert set(table["pictures"]) == {"rendered"}
    assert table["two seeds differ by up to"].tolist() == ["one seed", "0.5"]
    assert table["the first is"].tolist() == ["one seed", "higher"]
