"""The process in which a network is trained and used: ``python -m monkey_transfer.networks.child <run folder>``.

It reads the job in the folder, goes on where an earlier attempt was killed, and leaves the
DeepLabCut project, the learning curve, the predictions in network pixels and the outcome there.
A finished network is used as it is and leaves the same.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from math import nan
from pathlib import Path

import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.files import write_json
from monkey_transfer.networks.engine import Network
from monkey_transfer.networks.engines import engine_of
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.loop import Outcome, Trainer, Validation, curve_table
from monkey_transfer.progress import Reporter

_ONE_POSE = 1e-3  # pixels: what single precision leaves between equal poses
_LEARNT_BY = 100  # iterations, by which a network has learnt to tell pictures apart if it ever does


def main(folder: JobFolder, do: Callable[[JobFolder], None]) -> None:
    """Do what there is to do in ``folder``; what is wrong with it is written to its error file."""
    threading.Thread(target=_die_with_the_parent, args=(os.getppid(),), daemon=True).start()
    try:
        do(folder)
    except (StudyError, OSError) as error:
        of_disk = f"{error.filename or folder.path}: {error.strerror or error}" if isinstance(error, OSError) else ""
        write_json(folder.error, {"message": of_disk or str(error)})
        raise


def do(folder: JobFolder) -> None:
    """Train the job's network and use its best snapshot, or use a finished one as it is."""
    report = Reporter(folder.progress)
    report("starting", 0, 1)
    job, pictures, joints = folder.read()
    engine, validation = engine_of(job.training), pictures[pictures["role"] == "validation"]
    os.environ.update(engine.environment)  # it is read when the engine's packages are loaded, which is below
    network: Network

    def validated() -> Validation:
        predictions = network.predict(validation, partial(report, "validating"))
        return Validation(mean_distance(predictions, joints), share_correct(predictions, joints))

    if job.finished is None:
        steps, pictures_each = job.training.iterations, job.training.batch_size
        network = trained = engine.trainable(folder)
        outcome = Trainer(
            trained,
            folder.resume,
            lambda done, loss: report("training", done, steps, loss=loss, pictures_each=pictures_each),
        ).run(validated)
        trained.load_snapshot(outcome.chosen_iteration)
        curve = curve_table(folder.resume)
    else:
        network, restored = engine.finished(folder)
        found = validated()._asdict()
        outcome = Outcome(restored=restored, **found)
        curve = pd.DataFrame([{"iteration": 0, "training_loss": nan, **found, "learning_rate": nan, "seconds": 0.0}])
    curve.to_csv(folder.learning_curve, index=False)
    asked = pictures[pictures["role"] != "train"]
    predictions = network.predict(asked, partial(report, "predicting"))
    predictions["role"] = asked["role"].repeat(len(network.keypoints)).to_numpy()
    if outcome.iterations >= _LEARNT_BY:
        refuse_collapse(predictions[predictions["role"] == "validation"])
    predictions.to_parquet(folder.network_predictions)
    write_json(folder.outcome, asdict(outcome))  # last: its presence says that the rest is there


def refuse_collapse(predictions: pd.DataFrame) -> None:
    """Raise StudyError if a network finds the same pose in all of several pictures: it has learnt to look at none."""
    found = predictions.groupby("keypoint")[["x", "y"]].agg(["min", "max"])
    spread = max(float((found[axis]["max"] - found[axis]["min"]).max()) for axis in ("x", "y"))
    pictures = predictions["image_id"].nunique()
    if pictures > 1 and spread < _ONE_POSE:
        raise StudyError(
            f"the network has collapsed, it finds the same pose in all {pictures} validation pictures: lower the "
            "learning rates of training, or train it for more iterations"
        )


def mean_distance(predictions: pd.DataFrame, joints: pd.DataFrame) -> float:
    """Mean Euclidean distance over labelled joints, in the unit of the tables (what DeepLabCut prints as RMSE)."""
    return float(_distances(predictions, joints)["distance"].mean())


def share_correct(predictions: pd.DataFrame, joints: pd.DataFrame) -> float:
    """The validation score: percent of scored joints predicted within what still is correct; NaN if none is scored."""
    scored = _distances(predictions, joints).dropna(subset=["within"])
    return 100 * float((scored["distance"] <= scored["within"]).mean())


def _distances(predictions: pd.DataFrame, joints: pd.DataFrame) -> pd.DataFrame:
    both = joints.merge(predictions, on=["image_id", "keypoint"], suffixes=("_label", ""))
    return both.assign(distance=((both.x - both.x_label) ** 2 + (both.y - both.y_label) ** 2).pow(0.5))


def _die_with_the_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(3)


if __name__ == "__main__":
    main(JobFolder(Path(sys.argv[1])), do)
