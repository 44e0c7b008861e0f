"""The network that learns everybody, by the commands that make calls: trained once, DeepLabCut's to open, and used."""

import json
import sys

import cv2
import pandas as pd
import pytest
import yaml
from test_one_run import TRAININGS, command  # noqa: F401
from test_study import TINY, trainings

from monkey_transfer.profiles import loading
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.tell import best

pytestmark = pytest.mark.slow

PROFILE = {
    **TINY,
    "training": {**TRAININGS["pytorch"], "predict_mirrored": False},  # which DeepLabCut does not
    "picture": {"framing": "person", "size": 64, "person": 50},
}


@pytest.fixture
def make_best(command, tmp_path, monkeypatch, capsys):  # noqa: F811
    """``make_best()`` is what ``make best ARM=scratch_control`` prints."""
    monkeypatch.setattr(best, "load_profile", lambda name: loading.load_profile(name, tmp_path))
    monkeypatch.setattr(best, "share_of_cores", lambda profile: {})

    def make() -> str:
        monkeypatch.setattr(sys, "argv", ["best", "--", "one", "scratch_control", ""])
        best.main()
        return capsys.readouterr().out

    return make


def test_it_is_trained_once_opened_by_deeplabcut_and_used(make_best, command, tmp_path, monkeypatch):  # noqa: F811
    import deeplabcut

    import monkey_transfer.networks.pytorch.parts  # noqa: F401

    (tmp_path / "one.yaml").write_text(yaml.safe_dump(PROFILE))
    folder, ran = tmp_path / "runs" / "one" / "best", trainings(monkeypatch)
    printed = make_best()
    assert ran == ["scratch_control n8 s0", "best (scratch_control, seed 0)"]
    assert "best (scratch_control, seed 0) has learnt all 75 labelled pictures, each 0.107 times. Expect " in printed
    assert make_best().splitlines()[-4:] == printed.splitlines()[-4:]
    assert len(ran) == 2
    outcome = json.loads((folder / "run.json").read_text())["outcome"]
    assert (outcome["iterations"], outcome["chosen_iteration"]) == (2, 2)
    assert len(pd.read_csv(folder / "learning_curve.csv")) == 1

    config = folder / "deeplabcut" / "config.yaml"
    assert "ARM=best VIDEO=" in config.with_name("README.txt").read_text()
    table = pd.read_hdf(next(folder.glob("deeplabcut/training-datasets/*/*/CollectedData_labels.h5")))
    assert len(table) == 75
    deeplabcut.evaluate_network(config, device="cpu")
    evaluated = pd.read_csv(next(folder.glob("deeplabcut/evaluation-results-pytorch/**/*-results.csv")))
    assert evaluated["test rmse"].item() == pytest.approx(outcome["validation_error"], abs=0.006)

    people = open_dataset(loading.load_profile("one", tmp_path).target.data)
    video = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(
        str(video), cv2.VideoWriter_fourcc(*"MJPG"), 25, tuple(people.images[["width", "height"]].iloc[0])
    )
    for path in people.images["path"][:2]:
        writer.write(cv2.imread(path))
    writer.release()
    printed = command("predict", "one", "best", "", "", "", str(video), "")
    assert (
        "They are those of scratch_control n8 s0, since best (scratch_control, seed 0) has learnt everybody.\n"
        in printed
    )
    out = tmp_path / "runs" / "one" / "videos" / "scratch_control-best"
    assert len(pd.read_hdf(out / "walkDLC_scratch_control_best.h5")) == 2

    (tmp_path / "people.yaml").write_text(yaml.safe_dump({k: TINY["elsewhere"][k] for k in ("data", "yardstick")}))
    printed = command("predict", "one", "best", "", "", str(tmp_path / "people.yaml"), "", str(tmp_path / "found"))
    score = outcome["validation_score"]
    assert f"People whom it learnt: {score:.1f} % now, {score:.1f} % when the run was made." in printed
    scores = pd.read_csv(tmp_path / "found" / "scores.csv")
    assert scores[["arm", "images", "people"]].drop_duplicates().values.tolist() == [["best", 75, 75]]
