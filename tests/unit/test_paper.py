"""The paper's numbers are those of the paper, and the arithmetic on them is right."""

import pytest

from monkey_transfer.measure import paper


def row(check: str, arm: str):
    table = paper.arithmetic()
    (found,) = [entry for entry in table.itertuples() if entry.check == check and entry.arm == arm]
    return found


def test_table_one_is_quoted_as_printed():
    assert list(paper.TABLE_ONE) == ["baseline", "benchmark", "transfer"]
    assert list(paper.TABLE_ONE["transfer"].values()) == [0.77, 0.82, 0.72, 0.94, 27.83]
    assert paper.TABLE_ONE["baseline"]["best_f1/rmse_distance"] == 83.44


@pytest.mark.parametrize(
    "arm, computed",
    [
        ("baseline", "0.327 (0.321 to 0.334)"),
        ("benchmark", "0.754 (0.749 to 0.759)"),
        ("transfer", "0.815 (0.810 to 0.821)"),
    ],
)
def test_f1_by_hand(arm, computed):
    found = row("F1 = 2PR / (P + R)", arm)
    assert (found.computed, found.kind, found[-1]) == (computed, "arithmetic", "the three numbers agree")
    low, high = (float(bound.strip("()")) for bound in computed.split()[1::2])
    assert low < paper.TABLE_ONE[arm]["best_f1"] + 0.005
    assert high > paper.TABLE_ONE[arm]["best_f1"] - 0.005


def test_both_recalls_of_the_benchmark_fit_its_f1():
    found = row("F1 with the recall of section 3.2, 0.82", "benchmark")
    assert found.computed == "0.749 (0.744 to 0.754)"  # the table says 0.75
    assert "F1 fits both" in found[-1]


def test_denominators_differ_by_more_than_the_joints_do():
    assert row("5,146 / 0.83", "benchmark").computed == "6,200 (6,163 to 6,238)"
    assert row("7,207 / 0.94", "transfer").computed == "7,667 (7,626 to 7,708)"
    ratio = row("ratio of the two denominators", "transfer / benchmark")
    assert ratio.computed == "1.237 (1.223 to 1.251)"  # 16 / 14 is 1.143
    assert "over each network's own correct predictions" in ratio[-1]
    assert ratio.kind == "inference"


def test_rmse_in_one_frame():
    found = row("27.83 x 1280 / 640 px", "transfer")
    assert found.computed == "55.66"
    assert "transfer's is the larger of the two (benchmark: 40.25)" in found[-1]
    assert found.kind == "inference"
