"""What a report's numbers rest on, kept beside them so that anybody can compute them again: coordinates, no picture.

``predictions/<arm>-n<images>.parquet`` has seed, of ('test', or 'threshold' for the validation people on whom the
detection threshold is chosen), image_id, keypoint, x, y, likelihood; files of that name in ``predictions/elsewhere``
the same of people of another data set, without likelihoods, which no number there needs. With folds everybody tests
once, and holds out a threshold for the networks of some other folds. ``labels.parquet`` are the
labels of these people and ``people.parquet`` their group, box and reference lengths. Pixels of the original image,
0-based, pixel centres. Labels of photographs that may not be shown are not ours to publish and are left out.
"""

from pathlib import Path

import pandas as pd

from monkey_transfer import tables
from monkey_transfer.measure.matched import mean_pose
from monkey_transfer.measure.scores import FLOOR, Point, all_points, as_committed
from monkey_transfer.study.opening import Study

_NAMES = ["of", "image_id", "keypoint"]
_NUMBERS = ["x", "y", "likelihood"]


def write_evidence(study: Study, folder: Path) -> None:
    """Write what the scores of a study's finished runs are made of."""
    for point in all_points(study):
        of_seeds = [_predictions(study, point, seed) for seed in study.profile.seeds]
        _write(pd.concat(of_seeds), folder / _name(point))
        if study.elsewhere:
            others = [_elsewhere(study, point, seed) for seed in study.profile.seeds]
            _write(pd.concat(others), folder / "elsewhere" / _name(point))
    floor = [mean_pose(study, seed).assign(seed=seed, of="test") for seed in study.profile.seeds]
    _write(pd.concat(floor), folder / _name(FLOOR))
    if study.profile.pictures_in_reports:
        _write_people(study, folder)


def _name(point: Point) -> str:
    return f"{point.arm}-n{point.images}.parquet"


def _predictions(study: Study, point: Point, seed: int) -> pd.DataFrame:
    test = study.predictions(point.arm, seed, point.images)
    runs = ((part, part.finished_run(point.arm, seed, point.images)) for part in study.parts)
    held_out = pd.concat([part.held_out_predictions(run) for part, run in runs])
    return pd.concat([test.assign(of="test"), held_out.assign(of="threshold")]).assign(seed=seed)


def _elsewhere(study: Study, point: Point, seed: int) -> pd.DataFrame:
    run = study.finished_run(point.arm, seed, point.images)
    return run.predictions("elsewhere").drop(columns="likelihood").assign(seed=seed, of="elsewhere")


def _write(predictions: pd.DataFrame, file: Path) -> None:
    """The table as finely as it is measured: names once, and numbers byte by byte, most of which are then zero."""
    file.parent.mkdir(parents=True, exist_ok=True)
    numbers = [name for name in _NUMBERS if name in predictions]
    table = as_committed(predictions).reset_index(drop=True)
    table = table.astype(dict.fromkeys(_NAMES, "category") | dict.fromkeys(numbers, "float32"))
    table = table[["seed", *_NAMES, *numbers]]
    tables.write(table, file, compression="zstd", use_dictionary=["seed", *_NAMES], use_byte_stream_split=numbers)


def _write_people(study: Study, folder: Path) -> None:
    """The labels, boxes and lengths of the test people, and of those of every seed on whom a threshold is chosen."""
    others = (image_id for run in study.runs() for image_id in study.part(run).threshold_people(run))
    shown = study.target.subset(list(dict.fromkeys([*study.splits["target"].test, *others])))
    labels = shown.labels.astype({"image_id": "category", "keypoint": "category"}).reset_index(drop=True)
    lengths = shown.reference_lengths.pivot(index="image_id", columns="name", values="length").reset_index()
    boxes = shown.images[["image_id", "group", "bbox_w", "bbox_h"]]
    tables.write(labels, folder / "labels.parquet")
    tables.write(boxes.merge(lengths, on="image_id", how="left"), folder / "people.parquet")
