"""What a report's numbers rest on, kept beside them so that anybody can compute them again: coordinates, no picture.

``predictions/<arm>-n<images>.parquet`` has seed, of ('test', or 'threshold' for the validation people on whom the
detection threshold is chosen), image_id, keypoint, x, y, likelihood; files of that name in ``predictions/elsewhere``
the same of people of another data set, without likelihoods, which no number there needs, and in ``predictions/source``
of the held-out pictures of what an arm learnt that is not the target. With folds everybody tests once, and holds out a
threshold for the networks of some other folds. ``labels.parquet`` are the labels of these people and
``people.parquet`` their group, box and reference lengths. Pixels of the original image, 0-based, pixel centres. Labels
of photographs that may not be shown are not ours to publish and are left out. ``runs.json``, without folds, is what
each run says of itself, and its learning curve, so that a study goes on elsewhere
(:mod:`monkey_transfer.measure.recovery`).
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from monkey_transfer import tables
from monkey_transfer.files import write_text
from monkey_transfer.measure.matched import mean_pose
from monkey_transfer.measure.scores import FLOOR, Point, all_points, as_committed
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import PREDICTIONS, Run

# The folder of each role's predictions, below that of all, and the file of what runs say of themselves.
_FOLDERS = {"test": "", "threshold": "", "elsewhere": "elsewhere", "source_test": "source"}
RECORDS = "runs.json"
_NAMES = ["of", "image_id", "keypoint"]
_NUMBERS = ["x", "y", "likelihood"]


def write_evidence(study: Study, folder: Path) -> None:
    """Write what the scores of a study's finished runs are made of."""
    for point in all_points(study):
        of_seeds = [_predictions(study, point, seed) for seed in study.profile.seeds]
        _write(pd.concat(of_seeds), place_of(folder, point, "test"))
        if study.elsewhere:
            others = [_elsewhere(study, point, seed) for seed in study.profile.seeds]
            _write(pd.concat(others), place_of(folder, point, "elsewhere"))
        if held_out := [_source(run) for run in _runs(study, point) if _tried_source(run)]:
            _write(pd.concat(held_out), place_of(folder, point, "source_test"))
    floor = [mean_pose(study, seed).assign(seed=seed, of="test") for seed in study.profile.seeds]
    _write(pd.concat(floor), place_of(folder, FLOOR, "test"))
    if not study.profile.folds:  # of which it is not kept whose predictions are whose
        records = ",\n".join(json.dumps(_record(run)) for run in study.runs())
        write_text(folder / RECORDS, f"[\n{records}\n]\n")
    if study.profile.pictures_in_reports:
        _write_people(study, folder)


def place_of(folder: Path, of: Point | Run, role: str) -> Path:
    """The file, in the folder of all, that has what the runs of an arm and number of images predict of one role."""
    return folder / _FOLDERS[role] / f"{of.arm}-n{of.images}.parquet"


def _record(run: Run) -> dict[str, Any]:
    """What a finished run says of itself but for paths of this machine, and its learning curve, column by column."""
    manifest = run.manifest()
    restored = {name: value for name, value in manifest["outcome"]["restored"].items() if name != "checkpoint"}
    curve = run.learning_curve().drop(columns="chosen")
    return {
        **manifest,
        "run": asdict(run),
        "outcome": {**manifest["outcome"], "restored": restored},
        "learning_curve": curve.to_dict("list"),
    }


def _predictions(study: Study, point: Point, seed: int) -> pd.DataFrame:
    test = study.predictions(point.arm, seed, point.images)
    runs = ((part, part.finished_run(point.arm, seed, point.images)) for part in study.parts)
    held_out = pd.concat([part.held_out_predictions(run) for part, run in runs])
    return pd.concat([test.assign(of="test"), held_out.assign(of="threshold")]).assign(seed=seed)


def _elsewhere(study: Study, point: Point, seed: int) -> pd.DataFrame:
    run = study.finished_run(point.arm, seed, point.images)
    return run.predictions("elsewhere").drop(columns="likelihood").assign(seed=seed, of="elsewhere")


def _runs(study: Study, point: Point) -> list[Run]:
    return [run for run in study.runs() if (run.arm, run.images) == point]


def _tried_source(run: Run) -> bool:
    return (run.folder / PREDICTIONS["source_test"]).is_file()


def _source(run: Run) -> pd.DataFrame:
    return run.predictions("source_test").assign(seed=run.seed, of="source_test")


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
