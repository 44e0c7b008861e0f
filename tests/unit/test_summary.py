"""Sentences and tables of summary.md follow the numbers."""

from types import SimpleNamespace

import pandas as pd
import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.summary import comparison_table, findings


def row(a, b, low, high, seeds=1, least=None, largest=None):
    middle = (low + high) / 2
    return {
        "arm_a": a,
        "arm_b": b,
        "seeds": seeds,
        "mean": middle,
        "low": low,
        "high": high,
        "sd": float("nan"),
        "least": middle if least is None else least,
        "largest": middle if largest is None else largest,
    }


def study_of(rows, rendered=True, groups=200, known=False):
    """A study of two arms and what was measured in it, as far as sentences need it."""
    leaks = pd.DataFrame(
        {"arm": ["transfer", "control"], "may_have_seen": [0, 200 * known], "note": ["", "trained on MPII"]}
    )
    results = SimpleNamespace(verdicts=pd.DataFrame(rows), groups=groups, leaks=leaks)
    study = SimpleNamespace(
        profile=SimpleNamespace(arms={"transfer": None, "control": None}, yardstick="head_size"),
        rendered=rendered,
        pictures="rendered" if rendered else "photographs",
        test_people=range(200),
    )
    return study, results


FLOOR = [row(arm, "mean_pose", 4.0, 6.0) for arm in ("transfer", "control")]
CASES = [
    (
        {"low": 1.0, "high": 3.0},
        "`transfer`, with one seed of training, is better than `control`: +2.0 [+1.0, +3.0] points",
    ),
    (
        {"low": -3.0, "high": -1.0},
        "`transfer`, with one seed of training, is worse than `control`: -2.0 [-3.0, -1.0] points",
    ),
    (
        {"low": -1e-16, "high": 1.9},
        "`transfer`, with one seed of training, cannot be told from `control`: +0.9 [+0.0, +1.9] points",
    ),
    (
        {"low": -0.0002, "high": 1.9},
        "`transfer`, with one seed of training, cannot be told from `control`: +0.9499 [-0.0002, +1.9000] points",
    ),
    (
        {"low": -0.04, "high": 1.9},
        "`transfer`, with one seed of training, cannot be told from `control`: +0.93 [-0.04, +1.90] points",
    ),
    ({"low": -1.0, "high": 1.0}, "`transfer`, with one seed of training, cannot be told from `control`: +0.0"),
    (
        {"low": 1.0, "high": 3.0, "seeds": 3, "least": 0.5, "largest": 4.0},
        "`transfer` is better than `control`: +2.0 [+1.0, +3.0] points of PCKh@0.5 (+0.5 to +4.0 over 3 seeds)",
    ),
    # One seed on the other side of zero outweighs an interval that only knows people.
    (
        {"low": 1.0, "high": 3.0, "seeds": 3, "least": -0.5, "largest": 4.0},
        "`transfer` cannot be told from `control`: +2.0 [+1.0, +3.0] points of PCKh@0.5 (-0.5 to +4.0 over 3 seeds)",
    ),
]


@pytest.mark.parametrize("numbers, words", CASES)
@pytest.mark.parametrize("turned", [False, True])
def test_sentences_follow_the_intervals_and_not_the_order_of_arms(numbers, words, turned):
    pair = row("transfer", "control", **numbers)
    if turned:
        swapped = {"low": -pair["high"], "high": -pair["low"], "least": -pair["largest"], "largest": -pair["least"]}
        pair = row("control", "transfer", seeds=pair["seeds"], **swapped)
    first, *others = findings(*study_of([pair, *FLOOR]))
    assert first.startswith(words)
    assert all(sentence.endswith("on 200 rendered test people.") for sentence in (first, *others))
    assert "`control` is better than `mean_pose`" in others[-1]


def test_few_groups_of_people_allow_no_verdict():
    rows = [row("transfer", "control", 1.0, 3.0), *FLOOR]
    first, *_ = findings(*study_of(rows, groups=9))
    told = "cannot be judged (test people of too few groups) against `control`: +2.0 [+1.0"
    assert first.startswith(f"`transfer`, with one seed of training, {told}")
    alone = [row("transfer", "control", float("nan"), float("nan")), *FLOOR]
    assert "(no interval) points" in findings(*study_of(alone, groups=1))[0]


def test_an_arm_that_may_know_the_test_people_is_marked_wherever_it_stands():
    rows = [row("transfer", "control", 1.0, 3.0), *FLOOR]
    study, results = study_of(rows, known=True)
    first, *_, footnote = findings(study, results)
    assert first.startswith("`transfer`, with one seed of training, is better than `control*`")
    assert footnote == "\\* `control` may have seen the test people: trained on MPII."
    assert comparison_table(study, results)["pair"].tolist()[0] == "transfer - control*"


def test_photographs_are_not_called_rendered():
    sentences = findings(*study_of([row("transfer", "control", 1.0, 3.0), *FLOOR], rendered=False))
    assert not any("rendered" in sentence for sentence in sentences)


def test_a_missing_pair_is_an_error():
    with pytest.raises(StudyError, match="no pair of 'transfer' and 'control'"):
        findings(*study_of(FLOOR))


def test_the_table_says_what_it_was_measured_on_and_with_how_many_seeds():
    rows = [row("transfer", "control", 1.0, 3.0), row("control", "mean_pose", 1.0, 3.0, 3, 0.5, 4.0)]
    table = comparison_table(*study_of(rows))
    assert set(table["pictures"]) == {"rendered"}
    assert table["from seed to seed"].tolist() == ["one seed", "+0.5 to +4.0"]
    assert table["the first is"].tolist() == ["higher", "higher"]
