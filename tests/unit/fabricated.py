"""Runs that look finished: predictions are the labels with errors, the more people the smaller."""

import json

import numpy as np
import pandas as pd

from monkey_transfer import runs
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.runs import Run
from monkey_transfer.study import Study

RESTORED = {"backbone": 260, "backbone_total": 260, "heads": 0, "heads_total": 4, "joints": 0, "joints_total": 16}


def fabricate(study: Study, skill: dict[str, float], scatter: float = 0.02) -> None:
    """Write every run of the study as if it were finished.

    An arm's errors, in units of the yardstick, are exponential with mean 1 / (skill x log of its images), times a
    factor of each person that all arms share and one of each seed that ``scatter`` is the size of.
    """
    for number, run in enumerate(study.runs()):
        rng = np.random.default_rng(number)
        mean = np.exp(rng.normal(0, scatter)) / (skill.get(run.arm, 1.0) * np.log(run.images))
        _write(study, run, mean, rng)


def _write(study: Study, run: Run, mean: float, rng: np.random.Generator) -> None:
    run.folder.mkdir(parents=True)
    _predicted(study, study.test_people, mean, rng).to_parquet(run.folder / "predictions.parquet")
    others = study.target.subset(study.threshold_people(run.seed))
    _predicted(study, others, mean, rng).to_parquet(run.folder / "threshold_predictions.parquet")
    iterations = np.arange(1, 6) * 100
    pd.DataFrame(
        {
            "iteration": iterations,
            "training_loss": 0.1 * 100 / iterations,
            "validation_error": 10 * mean * (1 + 100 / iterations),
            "validation_score": 100 * np.exp(-mean * (1 + 100 / iterations)),
            "learning_rate": 0.001,
            "seconds": iterations / 10,
        }
    ).to_csv(run.folder / "learning_curve.csv", index=False)
    manifest = {
        "digest": f"{run}",
        "specification": {**runs.settings(study.profile, run), "data": "0"},
        "outcome": {
            "iterations": 500,
            "chosen_iteration": 500,
            "seconds": 50.0,
            "stopped_by": "iterations",
            "optimizer": "adam",
            "restored": RESTORED,
            "validation_error": 12 * mean,
            "validation_score": 100 * np.exp(-1.2 * mean),
            "frozen_blocks": [],
        },
    }
    (run.folder / "run.json").write_text(json.dumps(manifest))


def _predicted(study: Study, people: Dataset, mean: float, rng: np.random.Generator) -> pd.DataFrame:
    """Predictions of all labelled joints, with the errors of :func:`fabricate`."""
    labels = people.labels[people.labels["labelled"]]
    hard = pd.Series(np.random.default_rng(0).gamma(4, 0.25, len(people)), people.images["image_id"])
    lengths = people.reference_lengths.query("name == @study.profile.yardstick").set_index("image_id")["length"]
    unit = labels["image_id"].map(hard * lengths).to_numpy()
    error = rng.exponential(mean, len(labels)) * unit
    angle = rng.uniform(0, 2 * np.pi, len(labels))
    return labels[["image_id", "keypoint"]].assign(
        x=labels["x"] + error * np.cos(angle),
        y=labels["y"] + error * np.sin(angle),
        likelihood=np.clip(np.exp(-error / unit) + rng.normal(0, 0.05, len(labels)), 0, 1),
    )
