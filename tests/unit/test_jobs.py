"""What each run is given: nested people, one validation set, names dealt out at random, people of another data set."""

from dataclasses import replace

import pandas as pd
import pytest
import yaml

from monkey_transfer import profiles, runs, study
from monkey_transfer.errors import StudyError
from monkey_transfer.profiles import ScaledPerson

PEOPLE = {"format": "synthetic", "species": "human", "images": 60, "seed": 2, "size": 64}
PROFILE = {
    "title": "Jobs",
    "source": {"data": {**PEOPLE, "species": "macaque", "images": 30}, "test": 4},
    "target": {"data": PEOPLE, "test": 8},
    "elsewhere": {"data": {**PEOPLE, "images": 9, "seed": 5}, "test": 6, "yardstick": "torso"},
    "picture": {"framing": "whole", "size": 64},
    "yardstick": "head_size",
    "seeds": [0],
    "smallest_validation": 5,
    "training": {"net_type": "mobilenet_v2_0.35", "global_scale": 1.0, "augmentation": {"scale_jitter_lo": 1.0}},
    "arms": {
        "baseline": {"learns": "source", "images": 10, "init": "scratch"},
        "shuffled_baseline": {"learns": "source", "images": 10, "init": "scratch", "names": "shuffled"},
        "benchmark": {"learns": "target", "images": 40, "init": "scratch"},
        "transfer": {"learns": "target", "images": [6, 20], "init": "arm:baseline"},
        "scratch_control": {"learns": "target", "images": [6, 20], "init": "scratch"},
    },
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "jobs.yaml").write_text(yaml.safe_dump(PROFILE, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setattr(study, "load_profile", lambda name: profiles.load_profile(name, folder))
        yield study.open_study("jobs")


def pictures(opened, arm: str, images: int | None = None) -> dict[str, list[str]]:
    _, table, _ = study._job(opened, opened.run(arm, 0, images))
    return {role: ids.tolist() for role, ids in table.groupby("role")["image_id"]}


def test_larger_sets_hold_smaller_ones_and_all_sizes_and_arms_share_the_rest(opened):
    few, many = (pictures(opened, "scratch_control", images) for images in (6, 20))
    assert (len(few["train"]), len(many["train"])) == (6, 20)
    assert few["train"] == many["train"][:6]
    for role in ("validation", "test", "elsewhere"):
        assert few[role] == many[role]
    assert pictures(opened, "scratch_control") == many
    assert set(many) == {"train", "validation", "test", "elsewhere"}
    assert len(many["elsewhere"]) == 6


def test_shuffled_names_are_of_the_same_points(opened):
    joints = {}
    for arm in ("baseline", "shuffled_baseline"):
        _, _, table = study._job(opened, opened.run(arm, 0))
        joints[arm] = table.sort_values(["image_id", "x", "y"], ignore_index=True)
    labelled, shuffled = joints["baseline"], joints["shuffled_baseline"]
    pd.testing.assert_frame_equal(shuffled.drop(columns="keypoint"), labelled.drop(columns="keypoint"))
    names = [table.groupby("image_id")["keypoint"].agg(sorted) for table in (labelled, shuffled)]
    assert names[0].equals(names[1])
    assert (shuffled["keypoint"] == labelled["keypoint"]).mean() < 0.2
    _, _, again = study._job(opened, opened.run("shuffled_baseline", 0))
    pd.testing.assert_frame_equal(again.sort_values(["image_id", "x", "y"], ignore_index=True), shuffled)


def test_a_size_that_an_arm_does_not_learn_is_an_error(opened):
    with pytest.raises(StudyError, match="arm 'transfer' does not learn 7 pictures; expected one of 6, 20"):
        opened.run("transfer", 0, 7)


def test_a_size_larger_than_the_set_is_an_error_before_any_training(opened):
    arms = opened.profile.arms | {"transfer": opened.profile.arm("transfer").model_copy(update={"images": (6, 50)})}
    large = study.Study(opened.profile.model_copy(update={"arms": arms}), opened.source, opened.target)
    with pytest.raises(StudyError, match="50 training pictures were asked for, but the training pool holds 47"):
        study._job(large, large.run("transfer", 0))


def test_a_run_stays_what_it_is_when_its_arm_gets_more_sizes(opened):
    run = opened.run("transfer", 0, 20)
    arms = opened.profile.arms | {"transfer": opened.profile.arm("transfer").model_copy(update={"images": 20})}
    alone = study.Study(
        opened.profile.model_copy(update={"arms": arms}), opened.source, opened.target, opened.elsewhere
    )
    assert runs.settings(alone.profile, run) == runs.settings(opened.profile, run)
    assert runs.settings(opened.profile, opened.run("transfer", 0, 6)) != runs.settings(opened.profile, run)
    assert runs.digest_of(runs.settings(alone.profile, run)) == runs.digest_of(runs.settings(opened.profile, run))


def test_a_profile_without_another_data_set_says_so(opened):
    without = study.Study(opened.profile.model_copy(update={"elsewhere": None}), opened.source, opened.target)
    assert "elsewhere" not in pictures(without, "scratch_control")
    for ask in (lambda: without.dataset("elsewhere"), lambda: without.profile.elsewhere_yardstick):
        with pytest.raises(StudyError, match="profile jobs has no data set elsewhere: add the key elsewhere"):
            ask()


def test_people_are_left_out_whom_some_arm_could_not_frame(opened):
    people, lengths = opened.target, opened.target.reference_lengths
    nameless = people.images["image_id"].iloc[0]
    without = replace(
        people, reference_lengths=lengths[~((lengths["image_id"] == nameless) & (lengths["name"] == "torso"))]
    )
    scaled = ScaledPerson(framing="scaled", size=64, yardstick="torso", length=20)
    arms = opened.profile.arms | {"benchmark": opened.profile.arm("benchmark").model_copy(update={"picture": scaled})}
    profile = opened.profile.model_copy(update={"arms": arms})
    assert len(study._measured(without, "head_size", opened.profile)) == len(people)
    measured = study._measured(without, "head_size", profile)
    assert set(people.images["image_id"]) - set(measured.images["image_id"]) == {nameless}
    assert "the yardstick torso is not known" in set(measured.left_out["reason"])


def test_what_the_other_data_set_leaves_out_is_told_too(opened):
    lost = pd.DataFrame({"image_id": ["gone"], "keypoint": "", "reason": "the picture is missing"})
    elsewhere = study.Study(opened.profile, opened.source, opened.target, replace(opened.elsewhere, left_out=lost))
    assert elsewhere.left_out.set_index("data").loc["elsewhere", "image_id"] == "gone"


def test_people_of_another_data_set_are_measured_by_their_own_yardstick(opened):
    run = opened.run("scratch_control", 0)
    people = opened.elsewhere
    assert len(people) == 6
    exact = people.labels[people.labels["labelled"]][["image_id", "keypoint", "x", "y"]].assign(likelihood=1.0)
    run.folder.mkdir(parents=True)
    exact.to_parquet(run.folder / "elsewhere_predictions.parquet")
    (run.folder / "run.json").write_text("{}")
    found = study.matched_elsewhere(opened, run)
    assert found.reference == "torso"
    assert found.joints["correct"].all()
    assert set(found.people["image_id"]) == set(people.images["image_id"])
