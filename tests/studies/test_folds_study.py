"""A whole study with folds in miniature: trained once for each, measured together, and told."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from monkey_transfer.measure.results import measure
from monkey_transfer.places import ROOT
from monkey_transfer.profiles import loading
from monkey_transfer.study import opening, training
from monkey_transfer.study.changes import runs_and_changes
from monkey_transfer.study.outlook import outlook
from monkey_transfer.tell.publish import write_report

FOLDS = {
    "title": "Folds",
    "source": {"data": {"format": "synthetic", "species": "macaque", "images": 60, "seed": 1, "size": 64}, "test": 6},
    "target": {"data": {"format": "synthetic", "species": "human", "images": 61, "seed": 2, "size": 64}},
    "folds": 2,
    "picture": {"framing": "whole", "size": 64},
    "yardstick": "head_size",
    "seeds": [0],
    "smallest_validation": 5,
    "training": {"engine": "pytorch", "batch_size": 4, "iterations": 2, "validate_every": 2},
    "arms": {
        "baseline": {"learns": "source", "images": 8, "init": "scratch"},
        "benchmark": {"learns": "target", "images": 10, "init": "scratch"},
        "transfer": {"learns": "target", "images": 6, "init": "arm:baseline"},
        "scratch_control": {"learns": "target", "images": 6, "init": "scratch"},
    },
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds")
    (folder / "folds.yaml").write_text(yaml.safe_dump(FOLDS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setenv("MONKEY_TRANSFER_REPORTS", str(folder / "reports"))
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, folder))
        yield opening.open_study("folds")


def test_each_fold_is_trained_once_and_all_are_measured_together(study, capsys, monkeypatch):
    ran = []
    real = training.run_job
    monkeypatch.setattr(training, "run_job", lambda folder, title: (ran.append(title), real(folder, title)))
    first, second = training.train_arm(study, "transfer", 0)
    assert ran == ["baseline n8 s0", "transfer n6 s0 fold 0", "transfer n6 s0 fold 1"]
    ids = [set(run.predictions()["image_id"]) for run in (first, second)]
    assert not ids[0] & ids[1]
    assert ids[0] | ids[1] == set(study.target.images["image_id"])
    digests = [run.manifest()["specification"]["data"] for run in (first, second)]
    assert digests[0] != digests[1]

    assert len(training.train_missing(study)) == 4
    assert training.train_missing(study) == []
    runs, changed = runs_and_changes(study.profile)
    assert str(outlook(study.profile, runs, changed)).startswith("7 runs of profile folds: 7 exist, 0 to train")

    results = measure(study)
    assert (results.leaks[["trained_on", "shared_group", "near_duplicates"]] == 0).all(axis=None)
    assert (results.leaks["test_people"] == 61).all()
    assert results.budgets.query("arm == 'transfer'")["fold"].tolist() == [0, 1]
    folder = write_report(results).parent
    assert "61 rendered test people" in (folder / "answer.md").read_text(encoding="utf-8")
    splits = json.loads((folder / "tables" / "splits.json").read_text(encoding="utf-8"))
    assert sum(len(fold["test"]) for fold in splits["target"]) == 61
    kept = pd.read_parquet(folder / "predictions" / "transfer-n6.parquet")
    assert kept.query("of == 'test'")["image_id"].nunique() == 61
    command = [sys.executable, ROOT / "reports" / "recompute.py", folder]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    numbers, worst = re.search(r"(\d+) of \d+ numbers, largest relative difference (\S+)", said).groups()
    assert int(numbers) > 100
    assert float(worst) < 1e-4
