"""The tidy tables that modules hand to each other, and the checks at the door.

All coordinates are pixels of the original image, 0-based, the centre of the top left pixel at
(0, 0), x to the right and y down. A table is checked once, where it enters or leaves a module.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrorReason

from monkey_transfer.errors import StudyError
from monkey_transfer.files import written

SIZE = ["width", "height"]
BOX = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]


def _columns(kind: type, *names: str, **options: Any) -> dict[str, pa.Column]:
    return {name: pa.Column(kind, **options) for name in names}


IMAGES = pa.DataFrameSchema(
    _columns(str, "image_id", unique=True)
    | _columns(str, "path")
    | _columns(int, *SIZE, checks=pa.Check.gt(0))
    # What must not be split across train and test: video, person, source photograph.
    | _columns(str, "group")
    | _columns(float, *BOX, nullable=True)
    | _columns(str, "split"),
    name="images",
)
LABELS = pa.DataFrameSchema(
    _columns(str, "image_id", "keypoint")
    | _columns(float, "x", "y", nullable=True)
    | _columns(bool, "labelled", "visible"),
    checks=pa.Check(
        lambda t: t.labelled == (t.x.notna() & t.y.notna()),
        error="a labelled joint needs x and y, an unlabelled one has neither",
    ),
    unique=["image_id", "keypoint"],
    name="labels",
)
PREDICTIONS = pa.DataFrameSchema(
    _columns(str, "image_id", "keypoint") | _columns(float, "x", "y") | _columns(float, "likelihood", nullable=True),
    unique=["image_id", "keypoint"],
    name="predictions",
)
# By name head_size, head_segment, mpii_200scale, bbox_length or torso: what errors are divided by.
REFERENCE_LENGTHS = pa.DataFrameSchema(
    _columns(str, "image_id", "name") | _columns(float, "length", checks=pa.Check.gt(0)),
    unique=["image_id", "name"],
    name="reference_lengths",
)
# The keypoint is empty where the whole person is left out, else the joint that counts as unlabelled.
LEFT_OUT = ["image_id", "keypoint", "reason"]


def check(table: pd.DataFrame, schema: pa.DataFrameSchema, origin: object) -> pd.DataFrame:
    """Return ``table`` (columns of the schema only, in its order) or raise StudyError naming ``origin`` and the row.

    Rows are numbered from 0, since the pieces of a table that was put together have numbers of their own.
    """
    counts = {column: list(table.columns).count(column) for column in schema.columns}
    if missing := [column for column, count in counts.items() if not count]:
        raise StudyError(f"{origin}: the {schema.name} table lacks the column(s) {', '.join(missing)}")
    if double := [column for column, count in counts.items() if count > 1]:
        raise StudyError(f"{origin}: the {schema.name} table has more than one column {double[0]}: keep one of them")
    table = table[list(schema.columns)].reset_index(drop=True)
    try:
        return schema.validate(table)
    except pa.errors.SchemaError as error:
        raise StudyError(f"{origin}: the {schema.name} table is not valid: {_first_failure(table, error)}") from None


def refuse_repeated(table: pd.DataFrame, keys: list[str], what: str) -> None:
    """StudyError that begins with ``what`` if two rows have the same ``keys``."""
    double = table[table.duplicated(keys)]
    if len(double):
        found = ", ".join(f"{key} {double.iloc[0][key]!r}" for key in keys)
        raise StudyError(f"{what}: there are two rows with {found}: keep one of them")


def content_of(table: pd.DataFrame) -> bytes:
    """What digests of a table are made of: a hash of each row, in their order; the index does not count."""
    return pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()


def write(table: pd.DataFrame, file: Path, **options: Any) -> None:
    """Write ``table`` as Parquet, whole or not at all; ``options`` are those of :meth:`pandas.DataFrame.to_parquet`."""
    with written(file) as unfinished:
        table.to_parquet(unfinished, **options)


def _first_failure(table: pd.DataFrame, error: pa.errors.SchemaError) -> str:
    column = getattr(error.schema, "name", None)
    reason = (
        {
            SchemaErrorReason.WRONG_DATATYPE: f"{column} must be of type {getattr(error.schema, 'dtype', None)}",
            SchemaErrorReason.SERIES_CONTAINS_NULLS: f"{column} is missing",
            SchemaErrorReason.SERIES_CONTAINS_DUPLICATES: f"there is another row with this {column}: keep one of them",
            SchemaErrorReason.DUPLICATES: "there is another row for the same: keep one of them",
        }.get(error.reason_code)
        or getattr(error.check, "error", None)
        or str(error.check)
    )
    if column in table.columns and column not in reason:
        reason = f"{column} must be {reason}"
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame) or "index" not in cases or cases["index"].isna().all():
        return reason
    row = cases["index"].dropna().iloc[0]
    key = ", ".join(f"{c} {table.at[row, c]!r}" for c in ("image_id", "keypoint", "name") if c in table.columns)
    return f"row {row} ({key}): {reason}"
