"""A study with folds: everybody tests once, and is predicted by a network that learnt others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from PIL import Image
from test_leaks import ARMS, DATA

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.files import write_json
from monkey_transfer.measure.evidence import write_evidence
from monkey_transfer.measure.leaks import audited
from monkey_transfer.measure.matched import mean_pose
from monkey_transfer.measure.scores import Point, evaluated, on_test_people, read_scores
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.skeletons import LSP_14
from monkey_transfer.study.opening import Study
from monkey_transfer.study.outlook import outlook
from monkey_transfer.study.runs import PREDICTIONS, Run, runs_of, settings
from monkey_transfer.tell.publish import _splits

KEYPOINTS = ("right_wrist", "left_wrist", "head_top", "neck")


def profile(**changed: object) -> Profile:
    asked = {
        "name": "folds",
        "title": "Folds",
        "source": {"data": {**DATA, "species": "macaque"}, "test": 4},
        "target": {"data": DATA},
        "folds": 4,
        "picture": {"framing": "whole", "size": 160},
        "yardstick": "head_size",
        "smallest_validation": 4,
        "arms": ARMS,
        "seeds": (0, 1),
    }
    return Profile(**{**asked, **changed})


def people(name: str, groups: int, picture: str = "none.png") -> Dataset:
    """Three pictures of each group, all joints labelled; pictures are all alike and groups say so."""
    rng = np.random.default_rng(len(name))
    ids = [f"{name}{number:02d}" for number in range(3 * groups)]
    images = pd.DataFrame({"image_id": ids, "path": picture, "width": 32, "height": 32})
    images = images.assign(group=[f"{name}-video{number // 3:02d}" for number in range(len(ids))])
    images = images.assign(bbox_x=0.0, bbox_y=0.0, bbox_w=32.0, bbox_h=32.0)
    labels = images[["image_id"]].merge(pd.DataFrame({"keypoint": KEYPOINTS}), how="cross")
    places = rng.integers(4, 28, (len(labels), 2)).astype(float)
    labels = labels.assign(x=places[:, 0], y=places[:, 1], labelled=True, visible=True)
    lengths = pd.DataFrame({"image_id": ids, "name": "head_size", "length": 8.0})
    boxes = pd.DataFrame({"image_id": ids, "name": "bbox_length", "length": 32.0})
    return Dataset(name, LSP_14, images, labels, pd.concat([lengths, boxes], ignore_index=True), groups="videos")


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path))
    picture = str(tmp_path / "grey.png")
    Image.new("L", (32, 32), 128).save(picture)
    return Study(profile(), people("monkey", 8, picture), people("person", 10, picture))


def finish(study: Study, run: Run) -> None:
    """Leave a finished run whose error, in pixels, and likelihood say which run it is."""
    part, off = study.part(run), 1.0 + (run.fold or 0) + 0.25 * run.seed
    run.folder.mkdir(parents=True)

    def predicted(ids: tuple[str, ...]) -> pd.DataFrame:
        labels = study.target.subset(ids).labels
        return labels.assign(x=labels["x"] + off, likelihood=0.5)[["image_id", "keypoint", "x", "y", "likelihood"]]

    predicted(part.splits["target"].test).to_parquet(run.folder / PREDICTIONS["test"])
    predicted(part.threshold_people(run)).to_parquet(run.folder / PREDICTIONS["threshold"])
    write_json(run.folder / "run.json", {"specification": settings(study.profile, run)})


@pytest.fixture
def finished(study) -> Study:
    for run in study.runs():
        finish(study, run)
    return study


def test_everybody_tests_once_and_nobody_learns_who_tests(study):
    assert len(study.parts) == 4
    tested = [image_id for part in study.parts for image_id in part.splits["target"].test]
    assert sorted(tested) == sorted(study.target.images["image_id"])
    assert sorted(study.splits["target"].test) == sorted(tested)
    group_of = study.target.images.set_index("image_id")["group"]
    for part in study.parts:
        test = set(group_of[list(part.splits["target"].test)])
        for seed in study.profile.seeds:
            draw = part.draw("target", seed)
            assert not test & set(group_of[[*draw.validation, *draw.train]])
            assert part.draw("source", seed) == study.draw("source", seed)  # monkeys know no folds


def test_what_learns_people_has_a_run_for_each_fold(study):
    names = [str(run) for run in study.runs() if run.seed == 0]
    assert names[:5] == ["baseline n5 s0", *(f"benchmark n12 s0 fold {fold}" for fold in range(4))]
    assert len(study.runs()) == 2 * (1 + 4 * (1 + 2 + 1))
    assert len({run.folder for run in study.runs()}) == len(study.runs())
    assert runs_of(study.profile)[1] == Run("folds", "baseline", 5, 1)  # one job of the workflow trains all folds
    [run] = study.parts[2].runs_of("transfer", 1, 2)
    assert (run.fold, run.folder.name) == (2, "n2-s1-f2")
    assert study.part(run) is study.parts[2]
    assert study.runs_of("baseline", 0) == study.parts[3].runs_of("baseline", 0)
    assert outlook(study.profile, study.runs()).to_train == len(study.runs())


def test_a_network_of_each_fold_is_tried_on_those_who_test_there(finished):
    found = on_test_people(finished, Point("transfer", 4), 1)
    fold_of = {image_id: part.fold for part in finished.parts for image_id in part.splits["target"].test}
    assert len(found.people) == len(fold_of) == 30
    expected = found.joints["image_id"].map(fold_of) + 1.25
    np.testing.assert_allclose(found.joints["distance"], expected)
    baseline = on_test_people(finished, Point("baseline", 5), 1)  # one network for all
    np.testing.assert_allclose(baseline.joints["distance"], 1.25)
    scores = read_scores(finished)
    # Half a head is 4 pixels: by so much the last fold is off, six of thirty, and with the second seed by more.
    right = [scores.runs[Point("transfer", 4)][seed].joints["correct"].mean() for seed in (0, 1)]
    assert right == [1, 0.8]
    assert set(mean_pose(finished, 0)["image_id"]) == set(fold_of)


def test_thresholds_are_chosen_on_those_whom_a_fold_held_out(finished):
    part = finished.parts[1]
    for arm, fold in {"transfer": 1, "baseline": None}.items():
        [run] = part.runs_of(arm, 0)
        assert run.fold == fold
        held_out = part.held_out_predictions(run)
        assert set(held_out["image_id"]) == set(part.threshold_people(run))
        assert not set(held_out["image_id"]) & set(part.splits["target"].test)
    assert evaluated(finished, Point("transfer", 4), 0).threshold == 0.5


def test_the_audit_adds_up_the_folds(study, monkeypatch):
    monkeypatch.setattr(
        "monkey_transfer.measure.leaks.near_duplicates", lambda *_: pd.DataFrame({"first": [], "second": []})
    )
    table = audited(study)
    assert table["arm"].tolist() == list(ARMS)
    assert (table["test_people"] == 30).all()
    assert not table[["trained_on", "shared_group", "may_have_seen"]].to_numpy().any()
    one = study.parts[0]
    leaky = replace(one.draws["target"][0], train=one.splits["target"].test + one.draws["target"][0].train)
    one.__dict__["draws"] = {**one.draws, "target": {**one.draws["target"], 0: leaky}}
    assert audited(study).set_index("arm").loc["transfer", "trained_on"] == 4


def test_the_report_keeps_who_tested_where(finished, tmp_path):
    splits = _splits(finished)
    assert [fold["test"] for fold in splits["target"]] == [list(p.splits["target"].test) for p in finished.parts]
    assert isinstance(splits["source"], dict)
    write_evidence(finished, tmp_path / "predictions")
    kept = pd.read_parquet(tmp_path / "predictions" / "transfer-n4.parquet")
    test = kept[kept["of"] == "test"]
    assert not test.duplicated(["seed", "image_id", "keypoint"]).any()
    assert test.groupby("seed")["image_id"].nunique().tolist() == [30, 30]


def test_a_run_of_a_fold_that_is_not_there(finished):
    [run] = finished.parts[3].runs_of("transfer", 1)
    (run.folder / "run.json").unlink()
    with pytest.raises(StudyError, match="transfer n4 s1 fold 3"):
        read_scores(finished)


def test_more_pictures_than_a_fold_leaves():
    """Of 30 people a fold tests nine or six; of the rest six are held out, in whole groups of three."""
    arms = {**ARMS, "benchmark": {**ARMS["benchmark"], "images": 16}}
    study = Study(profile(arms=arms), people("monkey", 8), people("person", 10))
    with refused("split", "more pictures than a fold leaves", match="target in fold . .*the training pool holds 15"):
        study.parts[0].draws  # noqa: B018
