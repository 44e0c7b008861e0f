"""What is said of joint angles: every number with its interval, and what nobody has."""

from types import SimpleNamespace

import pandas as pd

from monkey_transfer.measure.angles import Angles
from monkey_transfer.tell.angles import angle_differences, angle_table, on_angles

LACKING = "Not measured, since no test person has their joints labelled: trunk (both hips and shoulders)."
KNEE = {"mae": (6.04, 5.0, 7.1), "bias": (-1.0, -2.0, 0.0), "rms": (8.0, 7.0, 9.0), "icc": (0.812, 0.7, 0.9)}
INTERVAL = ("value", "low", "high")


def rows(arm: str, **more: float) -> list[dict[str, object]]:
    """Of a knee; limits are not known where an arm finds one knee."""
    of = {"arm": arm, "images": 9, "people": 9, "angle": "knee", "tested": 1200, "groups": 12, "angles": 20, "note": ""}
    return [
        {**of, "metric": metric, **dict(zip(INTERVAL, found, strict=True))} for metric, found in (KNEE | more).items()
    ]


def results(table: list, differences: list, missing: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        study=SimpleNamespace(pictures="photographs"),
        pose_networks=["transfer", "imagenet_control"],
        angles=Angles(pd.DataFrame(table), pd.DataFrame(differences), missing),
    )


MORE = {"angle": "knee", "arm_a": "transfer", "arm_b": "imagenet_control", "people": 1009, "metric": "mae"}
MORE |= {"difference": -1.26, "low": -2.0, "high": -0.5, "note": ""}
SOME = results([*rows("baseline"), *rows("transfer"), *rows("mean_pose")], [MORE], LACKING)
NOTHING = results([], [], LACKING)


def test_angles_of_arms_that_one_would_use_and_of_the_floor():
    table = angle_table(SOME)
    assert table["arm"].tolist() == ["transfer", "mean_pose"]
    assert table.iloc[0].to_dict() == {
        "arm": "transfer",
        "pictures": "photographs",
        "angle": "knee",
        "people": "1,200",
        "mean error, degrees": "6.0 [5.0, 7.1]",
        "bias, degrees": "-1.0 [-2.0, 0.0]",
        "ICC": "0.81 [0.70, 0.90]",
    }


def test_differences_have_their_sign():
    assert angle_differences(SOME).iloc[0].to_dict() == {
        "a - b": "transfer - imagenet_control",
        "pictures": "photographs",
        "labelled people": "1,009",
        "angle": "knee",
        "mean error, degrees": "-1.3 [-2.0, -0.5]",
    }


def test_in_a_sentence():
    assert on_angles(SOME) == (
        "The angles of `transfer` are off by 6.0 [5.0, 7.1] at the knee, in degrees, on average, as the picture shows "
        f"them. {LACKING}"
    )
    assert on_angles(results(rows("baseline"), [], "")) == "`transfer` has no angle that test people have."


def test_where_nobody_has_an_angle_that_is_said():
    for said in (angle_table(NOTHING).iloc[0, 0], angle_differences(NOTHING).iloc[0, 0], on_angles(NOTHING)):
        assert said == LACKING
