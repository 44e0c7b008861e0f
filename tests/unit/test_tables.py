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


@pytest.mark.parametrize(
    "table, schema",
    [(images(), IMAGES), (labels(), LABELS), (predictions(), PREDICTIONS), (reference_lengths(), REFERENCE_LENGTHS)],
)
def test_good_tables_pass_with_the_schemas_columns_only(table, schema):
    checked = check(table.assign(note="x")[[*reversed(table.columns), "note"]], schema, "here")
    pd.testing.assert_frame_equal(checked, table)


def changed(table: pd.DataFrame, row: int, **values) -> pd.DataFrame:
    for column, value in values.items():
        table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    "table, schema, sentence",
    [
        (changed(images(), 1, width=0), IMAGES, r"images table .* row 1 \(image_id 'b'\)"),
        (changed(images(), 1, image_id="a"), IMAGES, r"images table .* row \d \(image_id 'a'\)"),
        (
            changed(labels(), 0, y=np.nan),
            LABELS,
            r"row 0 \(image_id 'a', keypoint 'nose'\): a labelled joint needs x and y",
        ),
        (
            changed(labels(), 1, x=0.0, y=0.0),
            LABELS,
            r"row 1 \(image_id 'a', keypoint 'tail'\): a labelled joint needs",
        ),
        (changed(predictions(), 0, x=np.nan), PREDICTIONS, r"row 0 \(image_id 'a', keypoint 'nose'\)"),
        (changed(reference_lengths(), 1, length=0.0), REFERENCE_LENGTHS, r"row 1 \(image_id 'a', name 'head_size'\)"),
    ],
)
def test_the_first_bad_row_is_named(table, schema, sentence):
    with pytest.raises(StudyError, match=sentence) as caught:
        check(table, schema, "labels.csv")
    assert str(caught.value).startswith("labels.csv: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "table, schema",
    [
        (pd.concat([labels(), labels().tail(1)], ignore_index=True), LABELS),
        (pd.concat([predictions(), predictions()], ignore_index=True), PREDICTIONS),
        (changed(reference_lengths(), 1, name="torso"), REFERENCE_LENGTHS),
    ],
)
def test_two_rows_for_one_thing(table, schema):
    with pytest.raises(StudyError, match="labels.csv: .*(image_id|row)"):
        check(table, schema, "labels.csv")


def test_missing_columns_are_named():
    with pytest.raises(StudyError, match=r"labels.csv: the labels table lacks the column\(s\) x, visible"):
        check(labels().drop(columns=["x", "visible"]), LABELS, "labels.csv")


def test_columns_of_a_wrong_type_are_named():
    with pytest.raises(
        StudyError,
        match="labels.csv: the labels table is not valid: .*row 0 .image_id 'a', keypoint 'nose'.: .*float64",
    ):
        check(labels().assign(x=["left", "right"]), LABELS, "labels.csv")
