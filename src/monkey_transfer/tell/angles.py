"""What chapter 5 says of joint angles: its tables and its sentence."""

import pandas as pd

from monkey_transfer.measure.angles import COMPARED
from monkey_transfer.measure.results import Results
from monkey_transfer.metrics.written import bracketed, rows_of, signed
from monkey_transfer.profiles.arms import MEAN_POSE
from monkey_transfer.tell.words import listed

_TITLES = {
    "mae": "mean error, degrees",
    "bias": "bias, degrees",
    "lower_limit": "lower limit of agreement",
    "upper_limit": "upper limit",
    "icc": "ICC",
}


def angle_table(results: Results) -> pd.DataFrame:
    """How the angles of every arm that one would use on people, and of the floor, agree with those of labels."""
    table = results.angles.table
    if table.empty:
        return pd.DataFrame({"angles": [results.angles.missing]})
    arms = table[table["arm"].isin([*results.pose_networks, MEAN_POSE])]
    return pd.DataFrame(
        {
            "arm": arm,
            "pictures": results.study.pictures,
            "angle": angle,
            "people": f"{rows['tested'].iloc[0]:,}",
            **{_TITLES[row.metric]: bracketed(row, row.metric) for row in rows_of(rows) if row.metric in _TITLES},
        }
        for (arm, angle), rows in arms.groupby(["arm", "angle"], sort=False)
    )


def angle_differences(results: Results) -> pd.DataFrame:
    """By how much ``transfer`` errs more in each angle than its control, in degrees; exploratory."""
    found = results.angles.differences
    if found.empty:
        return pd.DataFrame({"angles": [results.angles.missing]})
    return pd.DataFrame(
        {
            "a - b": f"{row.arm_a} - {row.arm_b}",
            "pictures": results.study.pictures,
            "labelled people": f"{row.people:,}",
            "angle": row.angle,
            "mean error, degrees": signed(row),
        }
        for row in rows_of(found)
    )


def on_angles(results: Results) -> str:
    """How far the angles of ``transfer`` are off, and which angles nobody has."""
    table, missing = results.angles.table, results.angles.missing
    errors = table[(table["arm"] == "transfer") & (table["metric"] == COMPARED)] if len(table) else table
    if errors.empty:
        return missing or "`transfer` has no angle that test people have."
    said = listed(f"{bracketed(row, row.metric)} at the {row.angle}" for row in rows_of(errors))
    few = f" {missing}" if missing else ""
    return f"The angles of `transfer` are off by {said}, in degrees, on average, as the picture shows them.{few}"
