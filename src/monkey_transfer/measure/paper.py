"""What the paper reports (arXiv 2412.15966), and what can be checked of it with a pencil.

The numbers are quoted from its Table 1 and section 3. :func:`arithmetic` computes in the open what follows
from them: some of it is arithmetic, some an inference that rests on an assumption, and each row says which.
"""

from collections.abc import Iterator

import pandas as pd

Row = tuple[str, str, str, str, str, str]
Bounds = tuple[float, float, float]

# The rows of Table 1, under the names that metrics have here (docs/metrics.md).
TABLE_ONE_ROWS = {
    "auc": "AUC",
    "best_f1": "F1",
    "best_f1/precision": "precision",
    "best_f1/recall_over_own_correct": "recall (over own correct, as in the paper)",
    "best_f1/rmse_distance": "RMSE at the best F1, px",
}
# Table 1: baseline (B), benchmark (BM), transfer (TL).
TABLE_ONE: dict[str, dict[str, float]] = {
    arm: dict(zip(TABLE_ONE_ROWS, numbers, strict=True))
    for arm, numbers in {
        "baseline": (0.63, 0.33, 0.21, 0.74, 83.44),
        "benchmark": (0.84, 0.75, 0.69, 0.83, 40.25),
        "transfer": (0.77, 0.82, 0.72, 0.94, 27.83),
    }.items()
}
# Section 3.2 gives another recall of the benchmark than Table 1.
BENCHMARK_RECALL_IN_THE_TEXT = 0.82
# Section 3.1: correct predictions "overall".
CORRECT_PREDICTIONS = {"benchmark": 5146, "transfer": 7207}
# Joints that the benchmark's and the transfer network's skeletons have (full_human; MPII), and test people.
JOINTS = {"benchmark": 14, "transfer": 16}
TEST_PEOPLE = 1000
# Section 2.1: the width to which pictures were resized for the baseline; and the width of MPII's commonest pictures.
RESIZED_WIDTH, COMMON_WIDTH = 640, 1280

_ROUNDING = 0.005


def arithmetic() -> pd.DataFrame:
    """The checks that the paper's own numbers allow, and what came of each.

    Returns columns ``check, arm, computed`` (with the range that the paper's rounding leaves), ``reported, kind``
    ('arithmetic' or 'inference') and ``what it says``.
    """
    rows = [*_f1_from_precision_and_recall(), *_denominators(), _rmse_in_one_frame()]
    return pd.DataFrame(rows, columns=["check", "arm", "computed", "reported", "kind", "what it says"])


def _f1_from_precision_and_recall() -> Iterator[Row]:
    for arm, column in TABLE_ONE.items():
        found = _range(_f1(column["best_f1/precision"], column["best_f1/recall_over_own_correct"]), 3)
        yield "F1 = 2PR / (P + R)", arm, found, f"{column['best_f1']}", "arithmetic", "the three numbers agree"
    column, recall = TABLE_ONE["benchmark"], BENCHMARK_RECALL_IN_THE_TEXT
    check, found = f"F1 with the recall of section 3.2, {recall}", _range(_f1(column["best_f1/precision"], recall), 3)
    says = (
        f"Table 1 says {column['best_f1/recall_over_own_correct']}, section 3.2 says {recall}: F1 fits both, so it "
        "does not tell which is right"
    )
    yield check, "benchmark", found, f"{column['best_f1']}", "arithmetic", says


def _denominators() -> Iterator[Row]:
    bounds = {}
    for arm, correct in CORRECT_PREDICTIONS.items():
        recall = TABLE_ONE[arm]["best_f1/recall_over_own_correct"]
        bounds[arm] = correct / recall, correct / (recall + _ROUNDING), correct / (recall - _ROUNDING)
        says = "what recall was divided by, if the count is that of the correct predictions kept at the best F1"
        yield f"{correct:,} / {recall}", arm, _range(bounds[arm], 0), "not reported", "inference", says
    (one, one_low, one_high), (two, two_low, two_high) = bounds["benchmark"], bounds["transfer"]
    says = (
        f"16 joints instead of 14 would give {JOINTS['transfer'] / JOINTS['benchmark']:.3f} on the same people; the "
        "denominators differ by more: recall is then not over all labelled joints but over each network's own correct "
        "predictions"
    )
    ratio = _range((two / one, two_low / one_high, two_high / one_low), 3)
    yield "ratio of the two denominators", "transfer / benchmark", ratio, "not reported", "inference", says
    for arm, correct in CORRECT_PREDICTIONS.items():
        most = TEST_PEOPLE * JOINTS[arm]
        says = f"recall over all labelled joints, which can be compared: at least this, as no more than {most:,} exist"
        yield f"{correct:,} / {most:,}", arm, f"{correct / most:.3f}", "not reported", "inference", says


def _rmse_in_one_frame() -> Row:
    benchmark, transfer = (TABLE_ONE[arm]["best_f1/rmse_distance"] for arm in ("benchmark", "transfer"))
    scaled = f"{transfer * COMMON_WIDTH / RESIZED_WIDTH:.2f}"
    says = (
        f"if transfer's errors are in {RESIZED_WIDTH} px wide pictures and the benchmark's in original ones of "
        f"{COMMON_WIDTH} px (the paper leaves the frame of transfer open), transfer's is the larger of the two "
        f"(benchmark: {benchmark})"
    )
    check = f"{transfer} x {COMMON_WIDTH} / {RESIZED_WIDTH} px"
    return check, "transfer", scaled, f"{transfer}", "inference", says


def _f1(precision: float, recall: float) -> Bounds:
    """F1, and the least and the largest that numbers rounded to these can have."""
    f1, low, high = (
        2 * (precision + change) * (recall + change) / (precision + recall + 2 * change)
        for change in (0, -_ROUNDING, _ROUNDING)
    )
    return f1, low, high


def _range(found: Bounds, digits: int) -> str:
    value, low, high = (f"{number:,.{digits}f}" for number in found)
    return f"{value} ({low} to {high})"
