"""What a network is told of the people whom it is to follow: those that it was held out from say it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from test_jobs import opened  # noqa: F401

from monkey_transfer.profiles.framing import PersonCrop
from monkey_transfer.study import watching
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.tables import BOX

CROPS = PersonCrop(framing="person", size=96, person=70)


@pytest.fixture
def study(opened, monkeypatch) -> Study:  # noqa: F811
    """Its arms see crops of people; held-out people are predicted with likelihoods of 0.01, 0.02, ... 1."""
    labels = opened.target.subset(opened.threshold_people(opened.runs_of("transfer", 0)[0])).labels
    own = labels[labels["labelled"]]
    found = own[["image_id", "keypoint", "x", "y"]].assign(likelihood=np.linspace(0.01, 1, len(own)))
    monkeypatch.setattr(Run, "predictions", lambda self, of: found)
    return replace(opened, profile=opened.profile.model_copy(update={"picture": CROPS}))


def test_it_is_told_how_large_a_person_is_and_how_sure_it_is_of_joints(study):
    asked = watching._watch(study, study.runs_of("transfer", 0)[0], Path("walk.mp4"))
    assert (asked.video, asked.size, asked.person, asked.joints) == ("walk.mp4", 96, 70, 8)  # half of 16
    assert asked.sure == pytest.approx(0.01 + 0.05 * 0.99)


def test_it_is_told_how_sure_the_network_was_of_each_of_the_held_out_people(study):
    run = study.runs_of("transfer", 0)[0]
    asked = watching._watch(study, run, Path("walk.mp4"))
    assert asked.judged == study.skeleton("transfer").keypoints
    means = run.predictions("threshold").groupby("image_id")["likelihood"].mean()
    assert asked.held_out == pytest.approx(sorted(means))
    assert len(asked.held_out) == len(study.threshold_people(run))


def test_boxes_reach_as_far_beyond_the_joints_as_those_of_the_held_out_people(study):
    people = study.target
    ids = study.threshold_people(study.runs_of("transfer", 0)[0])
    boxes = people.images.set_index("image_id").loc[list(ids), BOX]
    labels = people.labels[people.labels["image_id"].isin(ids) & people.labels["labelled"]].groupby("image_id")
    joints = pd.concat([labels["x"].agg(np.ptp), labels["y"].agg(np.ptp)], axis=1).max(axis=1).loc[list(ids)]
    expected = np.median((boxes[["bbox_w", "bbox_h"]].max(axis=1) / joints - 1) / 2)
    assert watching._margin(study, study.runs_of("transfer", 0)[0]) == pytest.approx(max(0, expected))


def test_an_arm_that_does_not_see_crops_of_people_follows_nobody(study):
    with refused("video", "an arm that sees whole pictures", match="arm 'benchmark' of profile jobs sees pictures as"):
        watching._watch(study, study.runs_of("benchmark", 0)[0], Path("walk.mp4"))


def test_a_finished_network_of_the_same_seed_finds_people_for_others(study):
    transfer = study.runs_of("transfer", 1)[0]
    assert watching._finder(study, transfer) is None
    zoo = study.profile.arm("scratch_control").model_copy(update={"learns": "nothing", "images": 0, "picture": CROPS})
    profile = study.profile.model_copy(update={"arms": {**study.profile.arms, "finished": zoo}})
    study = replace(study, profile=profile)
    assert watching._finder(study, transfer) is None  # its run is not there
    run = study.runs_of("finished", 1)[0]
    run.folder.mkdir(parents=True)
    (run.folder / "run.json").write_text("{}")
    assert watching._finder(study, transfer) == run
    assert watching._finder(study, run) is None
    (run.folder / "run.json").unlink()
