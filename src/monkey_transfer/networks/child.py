"""The process in which a network is trained and used: ``python -m monkey_transfer.networks.child <run folder>``.

It reads the job in the folder, goes on where an earlier attempt was killed, and leaves the
DeepLabCut project, the learning curve, the predictions in network pixels and the outcome there.
"""

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.job import JobFolder, write_json

STARTED = time.monotonic()
_SECONDS_BETWEEN_REPORTS = 1.0


def main(folder: JobFolder) -> None:
    """Do the job in ``folder``; what is wrong with it is written to its error file."""
    threading.Thread(target=_die_with_the_parent, args=(os.getppid(),), daemon=True).start()
    try:
        _train_and_predict(folder)
    except StudyError as error:
        write_json(folder.error, {"message": str(error)})
        raise
    except OSError as error:
        write_json(folder.error, {"message": f"{error.filename or folder.path}: {error.strerror or error}"})
        raise


def _train_and_predict(folder: JobFolder) -> None:
    report = _Reporter(folder.progress)
    report("starting", 0, 1)
    from monkey_transfer.networks import mobilenet, training
    from monkey_transfer.networks.deeplabcut_project import open_project

    mobilenet.register()
    job, pictures, joints = folder.read()
    project = open_project(folder)
    steps, pictures_each = job.training.iterations, job.training.batch_size
    trainer = training.Trainer(
        job,
        project,
        folder.resume,
        lambda done, loss: report("training", done, steps, loss=loss, pictures_each=pictures_each),
    )
    validation = pictures[pictures["role"] == "validation"]
    outcome = trainer.run(
        lambda: mean_distance(
            trainer.predictor.predict(validation, lambda done, of: report("validating", done, of)), joints
        )
    )
    training.curve_table(folder.resume).to_csv(folder.learning_curve, index=False)

    trainer.restore_snapshot(outcome.chosen_iteration)
    asked = pictures[pictures["role"] != "train"]
    predictions = trainer.predictor.predict(asked, lambda done, of: report("predicting", done, of))
    predictions["role"] = asked["role"].repeat(len(job.keypoints)).to_numpy()
    predictions.to_parquet(folder.network_predictions)
    write_json(folder.outcome, asdict(outcome))


def mean_distance(predictions: pd.DataFrame, joints: pd.DataFrame) -> float:
    """Mean Euclidean distance over labelled joints, in the unit of the tables (what DeepLabCut prints as RMSE)."""
    both = joints.merge(predictions, on=["image_id", "keypoint"], suffixes=("_label", ""))
    return float(((both.x - both.x_label) ** 2 + (both.y - both.y_label) ** 2).pow(0.5).mean())


class _Reporter:
    """Writes how far the work is, about once a second, for the parent to read."""

    def __init__(self, file: Path):
        self.file, self.last = file, 0.0
        self.stage, self.first, self.since = "", 0, time.monotonic()

    def __call__(self, stage: str, done: int, of: int, **more: float) -> None:
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.first, self.since, self.last = stage, done, now, 0.0
        if now - self.last < _SECONDS_BETWEEN_REPORTS and done < of:
            return
        self.last = now
        rate = (done - self.first) / (now - self.since) if now > self.since else 0.0
        write_json(self.file, {"stage": stage, "done": done, "of": of, "per_second": rate, **more})


def _die_with_the_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(3)


if __name__ == "__main__":
    try:
        main(JobFolder(Path(sys.argv[1])))
    except StudyError as error:
        sys.exit(f"error: {error}")
    print(json.dumps({"seconds": round(time.monotonic() - STARTED, 1)}))
