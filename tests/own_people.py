"""A DeepLabCut project whose folders are called by patients, and a study of it, finished without a training."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.study import runs
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import PREDICTIONS

# What must not stand in a report: names of the project, of the person who labelled, of somebody else who did, and of
# patients; long ones, which no word and no picture's bytes hold by chance.
PROJECT, SCORER, OTHER = "Sommerklinik", "Weberknecht", "Kellermann"
PATIENTS = (
    *("Muellerin_Annegret", "Oztuerkoglu_Candemir", "Nguyenhoang_Linhchi", "Garciaperez_Luzmaria", "Novakova_Jarmila"),
    *("Rossellini_Isadora", "Duboisson_Evelyne", "Haddadine_Omarion", "Larsgaard_Nilsine", "Kovacsics_Palnora"),
    *("Okaforson_Chinedu", "Silvestre_Ruiberto", "Tanakamura_Renjiro", "Yilmazer_Elanuray"),
)
NAMES = [part for name in (PROJECT, SCORER, OTHER, *PATIENTS) for part in name.split("_")]
FRAMES, SIZE = 4, 64
BODYPARTS = {
    f"{side[0].upper()}{joint.capitalize()}": f"{side}_{joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
}
_ARM = {"learns": "target", "images": 8, "init": "scratch"}
PROFILE = {
    "title": "Gait of fourteen patients",
    "own_data": True,
    "source": {"data": {"format": "synthetic", "species": "macaque", "images": 14, "seed": 1, "size": 64}, "test": 4},
    "target": {
        "data": {"format": "dlc", "project": PROJECT, "skeleton": "lsp_14", "keypoints": BODYPARTS},
        "test": 40,
    },
    "picture": {"framing": "person", "size": 64, "person": 50},
    "yardstick": "torso",
    "pictures_in_reports": False,
    "seeds": [0, 1, 2],
    "smallest_validation": 4,
    "training": {"engine": "pytorch", "iterations": 30, "batch_size": 4},
    "arms": {
        "baseline": {"learns": "source", "images": 6, "init": "scratch"},
        "benchmark": {**_ARM, "images": 10},
        "transfer": {
            **_ARM,
            "init": "arm:baseline",
            "against": {"scratch_control": "Does learning monkeys first help?"},
        },
        "scratch_control": _ARM,
    },
}
# Pixels by which networks are off in an upright picture of 64.
_OFF = {"baseline": 12.0, "benchmark": 3.0, "transfer": 4.0, "scratch_control": 6.0}


def write_project(folder: Path) -> Path:
    """The project in ``folder``: four frames of each patient, and one more that somebody else labelled."""
    project, rng = folder / PROJECT, np.random.default_rng(0)
    body = np.stack(np.meshgrid([20, 40], [12, 20, 28, 34, 44, 54]), axis=-1).reshape(-1, 2)
    for patient in PATIENTS:
        labelled = project / "labeled-data" / f"{patient}_visit1"
        labelled.mkdir(parents=True)
        poses = np.round(body + rng.uniform(-4, 4, (FRAMES, len(body), 2)), 2)
        _write_labels(labelled, SCORER, poses)
        for frame in range(FRAMES + 1):
            coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(coarse).resize((SIZE, SIZE)).save(labelled / f"img{frame}.png")
    _write_labels(labelled, OTHER, np.concatenate([poses, poses[:1]]))
    said = {"Task": "gait", "scorer": SCORER, "bodyparts": list(BODYPARTS)}
    (project / "config.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    return project


def finish(study: Study) -> None:
    """Leave what training all runs would have left, as far as a report reads it."""
    for place, run in enumerate(study.runs()):
        run.folder.mkdir(parents=True)
        rng, off = np.random.default_rng(place), _OFF[run.arm]
        asked = {"test": study.splits["target"].test, "threshold": study.threshold_people(run)}
        for of, ids in asked.items():
            _predicted(study.target.subset(ids), off, rng).to_parquet(run.folder / PREDICTIONS[of])
        monkeys = study.source.subset(study.splits["source"].test)
        _predicted(monkeys, off, rng).to_parquet(run.folder / PREDICTIONS["source_test"])
        curve = {"training_loss": 0.1, "validation_error": off, "validation_score": 50.0, "learning_rate": 0.001}
        pd.DataFrame({"iteration": [10, 20, 30], **curve, "seconds": 1}).to_csv(
            run.folder / "learning_curve.csv", index=False
        )
        restored = {"backbone": 0, "backbone_total": 10, "heads": 0, "heads_total": 2}
        outcome = {"iterations": 30, "chosen_iteration": 30, "seconds": 60.0, "stopped_by": "iterations"}
        manifest = {
            "digest": "0123456789abcdef",
            "specification": {**runs.settings(study.profile, run), "data": "fedcba9876543210"},
            "git_commit": "abcdefabcdefabcdef",
            "outcome": {**outcome, "optimizer": "adamw", "restored": restored},
        }
        (run.folder / "run.json").write_text(json.dumps(manifest), encoding="utf-8")


def told(folder: Path) -> dict[Path, str]:
    """All that the files of a report say, each in small letters: those of tables as tables, of others every byte."""
    return {
        file: (
            pd.read_parquet(file).to_csv() if file.suffix == ".parquet" else file.read_bytes().decode("latin-1")
        ).lower()
        for file in folder.rglob("*")
        if file.is_file()
    }


def named(texts: dict[Path, str]) -> dict[str, list[str]]:
    """Name of a file -> the names of :data:`NAMES` that stand in it."""
    found = {file.name: [name for name in NAMES if name.lower() in text] for file, text in texts.items()}
    return {file: names for file, names in found.items() if names}


def _write_labels(folder: Path, scorer: str, poses: np.ndarray) -> None:
    columns = pd.MultiIndex.from_product([[scorer], BODYPARTS, ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    index = pd.MultiIndex.from_tuples([("labeled-data", folder.name, f"img{frame}.png") for frame in range(len(poses))])
    table = pd.DataFrame(poses.reshape(len(poses), -1), index, columns)
    table.to_csv(folder / f"CollectedData_{scorer}.csv")


def _predicted(people: Dataset, off: float, rng: np.random.Generator) -> pd.DataFrame:
    labels = people.labels[people.labels["labelled"]]
    moved = rng.normal(0, off, (len(labels), 2))
    return labels[["image_id", "keypoint"]].assign(
        x=labels["x"] + moved[:, 0],
        y=labels["y"] + moved[:, 1],
        likelihood=np.exp(-np.hypot(*moved.T) / 20),
    )
