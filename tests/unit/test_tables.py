"""A table that breaks its contract is refused, with the row named."""

import numpy as np
import pandas as pd
import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.tables import IMAGES, LABELS, PREDICTIONS, REFERENCE_LENGTHS, check


def images() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": ["a", "b"],
            "path": ["a.png", "b.png"],
            "width": [10, 20],
            "height": [10, 20],
            "group": ["a", "b"],
            "bbox_x": [0.0, np.nan],
            "bbox_y": [0.0, np.nan],
            "bbox_w": [5.0, np.nan],
            "bbox_h": [5.0, np.nan],
            "split": ["all", "all"],
        }
    )


def labels() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": ["a", "a"],
            "keypoint": ["nose", "tail"],
            "x": [1.5, np.nan],
            "y": [2.5, np.nan],
            "labelled": [True, False],
            "visible": [True, False],
        }
    )


def predictions() -> pd.DataFrame:
    return pd.DataFrame({"image_id": ["a"], "keypoint": ["nose"], "x": [1.0], "y": [2.0], "likelihood": [0.5]})


def reference_lengths() -> pd.DataFrame:
    return pd.DataFrame({"image_id": ["a", "a"], "name": ["torso", "head_size"], "length": [10.0, 3.0]})


def twice(table: pd.DataFrame) -> pd.DataFrame:
    """The table twice, as concat leaves it: its rows' numbers too."""
    return pd.concat([table, table])


def test_two_rows_for_one_thing():
    for table, schema in (
        (images(), IMAGES),
        (labels(), LABELS),
        (predictions(), PREDICTIONS),
        (reference_lengths(), REFERENCE_LENGTHS),
    ):
        with pytest.raises(StudyError, match=r"labels.csv: .*row 0 \(image_id 'a'.*another row .*: keep one of them"):
            check(twice(table), schema, "labels.csv")


def test_pieces_that_were_put_together_are_numbered_anew():
    both = pd.concat([images().head(1), images().tail(1).reset_index(drop=True)])
    pd.testing.assert_frame_equal(check(both, IMAGES, "here"), images())
    with pytest.raises(StudyError, match=r"row 1 \(image_id 'b'\): width must be"):
        check(both.assign(width=[10, 0]), IMAGES, "here")


def test_two_columns_of_one_name():
    beside = pd.concat([labels(), labels()[["x"]]], axis=1)
    with pytest.raises(StudyError, match="labels.csv: .*more than one column x: keep one"):
        check(beside, LABELS, "labels.csv")


def test_missing_columns_are_named():
    with pytest.raises(StudyError, match=r"labels.csv: the labels table lacks the column\(s\) x, visible"):
        check(labels().drop(columns=["x", "visible"]), LABELS, "labels.csv")


def test_columns_of_a_wrong_type_are_named():
    with pytest.raises(
        StudyError,
        match="labels.csv: the labels table is not valid: .*row 0 .image_id 'a', keypoint 'nose'.: .*float64",
    ):
        check(labels().assign(x=["left", "right"]), LABELS, "labels.csv")
