"""What a report's numbers rest on, kept beside them so that anybody can compute them again: coordinates, no picture.

``predictions/<arm>.parquet`` has images, seed, of ('test', or 'threshold' for the validation people on whom the
detection threshold is chosen), image_id, keypoint, x, y, likelihood; ``labels.parquet`` the labels of these people and
``people.parquet`` their group, box and reference lengths. Pixels of the original image, 0-based, pixel centres.
Labels of photographs that may not be shown are not ours to publish and are left out.
"""

from pathlib import Path

import pandas as pd

from monkey_transfer import tables
from monkey_transfer.measure.matched import mean_pose
from monkey_transfer.measure.scores import as_committed
from monkey_transfer.profiles.arms import MEAN_POSE
from monkey_transfer.study.opening import Study

_NAMES = ["of", "image_id", "keypoint"]
_NUMBERS = ["x", "y", "likelihood"]


def write_evidence(study: Study, folder: Path) -> None:
    """Write what the scores of a study's finished runs are made of."""
    folder.mkdir(parents=True, exist_ok=True)
    for arm in study.profile.arms:
        _write(_predictions(study, arm), folder / f"{arm}.parquet")
    floor = [mean_pose(study, seed).assign(images=0, seed=seed, of="test") for seed in study.profile.seeds]
    _write(pd.concat(floor), folder / f"{MEAN_POSE}.parquet")
    if study.profile.pictures_in_reports:
        _write_people(study, folder)


def _predictions(study: Study, arm: str) -> pd.DataFrame:
    parts = []
    for images in study.profile.arm(arm).sizes:
        for seed in study.profile.seeds:
            run = study.finished(arm, seed, images)
            parts += [run.predictions(of).assign(images=images, seed=seed, of=of) for of in ("test", "threshold")]
    return pd.concat(parts)


def _write(predictions: pd.DataFrame, file: Path) -> None:
    """The table as finely as it is measured: names once, and numbers byte by byte, most of which are then zero."""
    table = as_committed(predictions).reset_index(drop=True)
    table = table.astype(dict.fromkeys(_NAMES, "category") | dict.fromkeys(_NUMBERS, "float32"))
    keys, table = ["images", "seed", *_NAMES], table[["images", "seed", *_NAMES, *_NUMBERS]]
    tables.write(table, file, compression="zstd", use_dictionary=keys, use_byte_stream_split=_NUMBERS)


def _write_people(study: Study, folder: Path) -> None:
    """The labels, boxes and lengths of the test people, and of those of every seed on whom a threshold is chosen."""
    others = (image_id for run in study.runs() for image_id in study.threshold_people(run))
    shown = study.target.subset(list(dict.fromkeys([*study.splits["target"].test, *others])))
    labels = shown.labels.astype({"image_id": "category", "keypoint": "category"}).reset_index(drop=True)
    lengths = shown.reference_lengths.pivot(index="image_id", columns="name", values="length").reset_index()
    boxes = shown.images[["image_id", "group", "bbox_w", "bbox_h"]]
    tables.write(labels, folder / "labels.parquet")
    tables.write(boxes.merge(lengths, on="image_id", how="left"), folder / "people.parquet")
