"""A whole study in miniature: framing, training once, reuse, and what the report makes of it."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from monkey_transfer.datasets import pictures
from monkey_transfer.errors import StudyError
from monkey_transfer.measure import results
from monkey_transfer.measure.controls import speed
from monkey_transfer.measure.matched import mean_pose
from monkey_transfer.measure.recovery import recover
from monkey_transfer.profiles import loading
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study import opening, training
from monkey_transfer.study.runs import Run
from monkey_transfer.tell.publish import write_report

TINY = {
    "title": "Tiny",
    "source": {"data": {"format": "synthetic", "species": "macaque", "images": 70, "seed": 1, "size": 64}, "test": 6},
    "target": {"data": {"format": "synthetic", "species": "human", "images": 75, "seed": 2, "size": 64}, "test": 9},
    "elsewhere": {
        "data": {"format": "synthetic", "species": "human", "images": 12, "seed": 3, "size": 64},
        "test": 11,
        "yardstick": "torso",
    },
    "picture": {"framing": "whole", "size": 64},
    "yardstick": "head_size",
    "seeds": [0],
    "training": {
        "net_type": "mobilenet_v2_0.35",
        "batch_size": 4,
        "iterations": 6,
        "multi_step": [[0.001, 6]],
        "global_scale": 1.0,
        "augmentation": {"scale_jitter_lo": 1.0, "scale_jitter_up": 1.0},
        "validate_every": 3,
    },
    "arms": {
        "baseline": {"learns": "source", "images": 12, "init": "scratch"},
        "benchmark": {"learns": "target", "images": 14, "init": "scratch"},
        "transfer": {"learns": "target", "images": 8, "init": "arm:baseline"},
        "scratch_control": {"learns": "target", "images": 8, "init": "scratch"},
    },
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The tiny study, opened, with folders of its own."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setenv("MONKEY_TRANSFER_REPORTS", str(folder / "reports"))
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, folder))
        yield opening.open_study("tiny")


def trainings(monkeypatch) -> list[str]:
    """Titles of the jobs that are really run from now on."""
    ran: list[str] = []
    real = training.run_job
    monkeypatch.setattr(training, "run_job", lambda folder, title: (ran.append(title), real(folder, title)))
    return ran


def test_labels_come_back_from_the_framed_pictures(tiny):
    ids = tiny.splits["target"].test
    labels = tiny.target.subset(ids).labels
    there = tiny.framed("target", ids, tiny.profile.picture)
    back = pictures.in_original_pixels(pictures.in_network_pixels(labels, there), there)
    np.testing.assert_allclose(back[["x", "y"]], labels[["x", "y"]], atol=1e-6)


def test_the_mean_pose_is_that_of_the_people_that_transfer_learns(tiny):
    ids = tiny.draw("target", 0).train[:8]
    labels = pictures.in_network_pixels(
        tiny.target.subset(ids).labels, tiny.framed("target", ids, tiny.profile.picture)
    )
    everywhere = mean_pose(tiny, 0)
    assert set(everywhere["image_id"]) == set(tiny.splits["target"].test)
    shown = pictures.in_network_pixels(everywhere, tiny.test_frames("transfer"))
    knees = shown[shown["keypoint"] == "left_knee"]
    np.testing.assert_allclose(knees["x"], labels.loc[labels["keypoint"] == "left_knee", "x"].mean())


@pytest.mark.slow
def test_a_study_trains_each_arm_once(tiny, monkeypatch):
    ran = trainings(monkeypatch)
    runs = [*tiny.runs_of("baseline", 0), *training.train_arm(tiny, "transfer", 0)]
    assert ran == ["baseline n12 s0", "transfer n8 s0"]  # what an arm starts from comes first

    again = training.train_arm(tiny, "transfer", 0)
    assert ran[2:] == []  # the finished run was reused
    assert again == (runs[1],)

    for run in runs:
        manifest = run.manifest()
        assert manifest["rendered"] is True
        assert manifest["outcome"]["iterations"] == 6
        assert list(run.learning_curve()["iteration"]) == [3, 6]
        assert set(run.predictions()["image_id"]) == set(tiny.splits["target"].test)
        assert set(run.predictions("threshold")["image_id"]) == set(tiny.threshold_people(run))
        assert 0 <= manifest["outcome"]["validation_score"] <= 100
        assert str(run.partial) not in (run.folder / "deeplabcut" / "config.yaml").read_text()
    assert runs[1].manifest()["outcome"]["restored"]["backbone"] == 260
    assert runs[1].manifest()["outcome"]["restored"]["heads"] == 0
    with pytest.raises(StudyError, match="benchmark n14 s0"):
        results.measure(tiny)  # an arm is not finished

    assert [str(run) for run in training.train_missing(tiny)] == ["benchmark n14 s0", "scratch_control n8 s0"]
    assert ran[2:] == ["benchmark n14 s0", "scratch_control n8 s0"]
    assert training.train_missing(tiny) == []
    assert set(runs[0].predictions("source_test")["image_id"]) == set(tiny.splits["source"].test)
    measured = results.measure(tiny)
    everywhere = measured.elsewhere
    assert set(everywhere["arm"]) == set(tiny.profile.arms)
    assert (everywhere["near_duplicates"] == 0).all()

    page = write_report(measured)
    folder = page.parent
    text = (folder / "answer.md").read_text(encoding="utf-8")
    asked = ("`transfer` minus `scratch_control`: ", "`transfer` minus `benchmark`: ")
    answers = [line for line in text.splitlines() if any(pair in line for pair in asked)]
    assert len(answers) == 2
    assert all("Not ruled on: " in answer for answer in answers)  # one seed, and nine people
    assert "**Rendered** pictures" in text
    assert (folder / "figures" / "answer.png").is_file()
    assert "data:image/png" in page.read_text(encoding="utf-8")
    evidence = {file.stem: len(pd.read_parquet(file)) for file in (folder / "predictions").glob("*.parquet")}
    points = {f"{name}-n{arm.largest}" for name, arm in tiny.profile.arms.items()}
    assert set(evidence) == {*points, "mean_pose-n0", "labels", "people"}
    assert {file.stem for file in (folder / "predictions" / "elsewhere").iterdir()} == points
    assert evidence["transfer-n8"] == len(runs[1].predictions()) + len(runs[1].predictions("threshold"))


@pytest.mark.slow
def test_a_study_goes_on_elsewhere_from_its_report(tiny, tmp_path, monkeypatch):
    """Nothing is trained to measure it anew; an arm that is missing has what it starts from trained first."""
    training.train_missing(tiny)
    measured, soon = results.measure(tiny), speed(tiny)
    report = write_report(measured).parent
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "elsewhere"))

    ran = trainings(monkeypatch)
    assert recover(tiny, report) == (tiny.runs(), {})
    assert recover(tiny, report) == ([], {})  # they are there
    assert training.train_missing(tiny) == []
    assert training.train_arm(tiny, "transfer", 0) == tiny.runs_of("transfer", 0)
    assert ran == []
    again = results.measure(tiny)
    pd.testing.assert_frame_equal(again.table, measured.table)
    pd.testing.assert_frame_equal(again.elsewhere, measured.elsewhere)
    pd.testing.assert_frame_equal(again.budgets, measured.budgets)
    pd.testing.assert_frame_equal(speed(tiny), soon)
    baseline, transfer = tiny.finished_run("baseline", 0), tiny.finished_run("transfer", 0)
    assert len(baseline.predictions("source_test")) == 6 * len(tiny.source.skeleton.keypoints)
    assert list(transfer.learning_curve()["iteration"]) == [3, 6]
    with pytest.raises(StudyError, match="recovered from a report, which keeps no network"):
        transfer.snapshot()

    kept = {file: file.read_bytes() for file in (report / "predictions").rglob("*") if file.is_file()}
    write_report(again)
    assert [str(file) for file, content in kept.items() if file.read_bytes() != content] == []

    shutil.rmtree(transfer.folder)
    trained = []
    monkeypatch.setattr(training, "train", lambda study, run: trained.append(run))
    assert training.train_missing(tiny) == [transfer]
    assert trained == [baseline, transfer]  # of which the first is there, without its network


@pytest.mark.slow
def test_a_changed_specification_trains_anew_and_keeps_the_old_run_beside(tiny, monkeypatch):
    [run] = training.train_arm(tiny, "baseline", 0)
    before = run.manifest()["digest"]
    settings = tiny.profile.model_dump()
    settings["arms"]["baseline"]["training"]["locref_loss_weight"] = 0.06
    changed = opening.Study(Profile(**settings), tiny.source, tiny.target)
    ran = trainings(monkeypatch)
    assert training.train_arm(changed, "baseline", 0) == (run,)
    assert ran == ["baseline n12 s0"]
    assert run.manifest()["digest"] != before
    kept = {path.name for path in run.folder.parent.iterdir() if not path.name.startswith(".")}
    assert kept == {"n12-s0", f"n12-s0-{before[:8]}"}


def test_a_run_that_is_not_there_says_how_to_make_it():
    with pytest.raises(StudyError, match="make study PROFILE=demo"):
        Run("demo", "no_such_arm", 1, 0).predictions()
