"""What each run is given: its seed's own nested people, when a joint is correct, names dealt out at random."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from pandas.testing import assert_frame_equal

from monkey_transfer.datasets.pictures import in_network_pixels
from monkey_transfer.errors import StudyError
from monkey_transfer.files import digest_of
from monkey_transfer.measure.elsewhere import matched_elsewhere
from monkey_transfer.measure.leaks import audited
from monkey_transfer.measure.matched import mean_pose
from monkey_transfer.measure.scores import Point, people_of
from monkey_transfer.networks.child import mean_distance, share_correct
from monkey_transfer.profiles import loading
from monkey_transfer.profiles.framing import ScaledPerson
from monkey_transfer.study import jobs, opening, runs, training
from monkey_transfer.study.runs import Run

PEOPLE = {"format": "synthetic", "species": "human", "images": 60, "seed": 2, "size": 64}
PROFILE = {
    "title": "Jobs",
    "source": {"data": {**PEOPLE, "species": "macaque", "images": 30}, "test": 4},
    "target": {"data": PEOPLE, "test": 8},
    "elsewhere": {"data": {**PEOPLE, "images": 9, "seed": 5}, "test": 6, "yardstick": "torso"},
    "picture": {"framing": "whole", "size": 64},
    "yardstick": "head_size",
    "seeds": [0, 1, 2],
    "smallest_validation": 2,
    "training": {"net_type": "mobilenet_v2_0.35", "global_scale": 1.0, "augmentation": {"scale_jitter_lo": 1.0}},
    "arms": {
        "baseline": {"learns": "source", "images": 10, "init": "scratch"},
        "shuffled_baseline": {"learns": "source", "images": 10, "init": "scratch", "names": "shuffled"},
        # Larger pictures, and more people who decide when to stop, than those of the other arms.
        "benchmark": {"learns": "target", "images": 41, "init": "scratch", "picture": {"framing": "whole", "size": 96}},
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
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, folder))
        patch.setattr(jobs, "_checkpoint", lambda *_: None)  # no network is trained here for others to start from
        yield opening.open_study("jobs")


def pictures(opened, arm: str, images: int | None = None, seed: int = 0) -> dict[str, list[str]]:
    _, table, _ = jobs.job_of(opened, opened.runs_of(arm, seed, images)[0])
    return {role: ids.tolist() for role, ids in table.groupby("role")["image_id"]}


def test_larger_sets_hold_smaller_ones_and_all_sizes_and_arms_share_the_rest(opened):
    few, many = (pictures(opened, "scratch_control", images) for images in (6, 20))
    assert (len(few["train"]), len(many["train"])) == (6, 20)
    assert few["train"] == many["train"][:6]
    for role in ("validation", "threshold", "test", "elsewhere"):
        assert few[role] == many[role]
    assert pictures(opened, "scratch_control") == many
    assert set(many) == {"train", "validation", "threshold", "test", "elsewhere"}
    assert len(many["elsewhere"]) == 6


def test_every_seed_learns_people_of_its_own_and_is_tried_on_the_same(opened):
    first, second, third = (pictures(opened, "scratch_control", seed=seed) for seed in (0, 1, 2))
    assert first["test"] == second["test"] == third["test"] == list(opened.splits["target"].test)
    for part in ("train", "validation"):
        assert len({frozenset(given[part]) for given in (first, second, third)}) == 3
    for given in (first, second, third):
        assert not set(given["train"]) & set(given["validation"])
        assert not set(given["test"]) & {*given["train"], *given["validation"]}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_all_arms_of_a_seed_learn_the_same_people(opened, seed):
    """So that a difference of two arms is not one of the people they learnt; the source network has its own draw."""
    of_arm = {arm: pictures(opened, arm, seed=seed) for arm in opened.profile.arms}
    transfer, benchmark, baseline = of_arm["transfer"], of_arm["benchmark"], of_arm["baseline"]
    assert of_arm["scratch_control"] == transfer
    assert transfer["train"] == benchmark["train"][:20]
    assert transfer["validation"] == benchmark["validation"][:2]
    assert len(benchmark["validation"]) == 3  # 5 % of 41
    draw = opened.draw("target", seed)
    assert (tuple(benchmark["train"]), tuple(benchmark["validation"])) == (draw.training_subset(41), draw.validation)
    monkeys = opened.draw("source", seed)
    assert (tuple(baseline["train"]), tuple(baseline["validation"])) == (monkeys.train[:10], monkeys.validation)
    assert baseline == of_arm["shuffled_baseline"]


def test_every_seed_has_monkeys_of_its_own(opened):
    first, second = (pictures(opened, "baseline", seed=seed) for seed in (0, 1))
    assert set(first["train"]) != set(second["train"])
    assert first["source_test"] == second["source_test"] == list(opened.splits["source"].test)


@pytest.fixture(scope="module")
def other_sources(tmp_path_factory):
    """The study with a second source, people set aside, and no more than half of few people held out."""
    folder = tmp_path_factory.mktemp("sources")
    settings = {
        **PROFILE,
        "sources": {"others": {"data": {**PEOPLE, "species": "macaque", "images": 20, "seed": 7}, "test": 3}},
        "target": {**PROFILE["target"], "set_aside": 9},
        "smallest_validation": 4,
        "largest_validation_share": 0.25,
    }
    first = {"images": 5, "init": "scratch"}
    settings["arms"] = {
        **PROFILE["arms"],
        "benchmark": {"learns": "target", "images": 30, "init": "scratch"},
        "others_baseline": {"learns": "others", **first},
        "people_baseline": {"learns": "set_aside", **first},
        "human_first": {"learns": "target", "images": [6, 20], "init": "arm:people_baseline"},
    }
    (folder / "sources.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, folder))
        patch.setattr(jobs, "_checkpoint", lambda *_: None)
        yield opening.open_study("sources")


def test_people_who_are_set_aside_are_learnt_by_those_who_say_so_and_by_nobody_else(other_sources):
    study = other_sources
    aside = {i for ids in study.splits["set_aside"].pool for i in ids}
    assert len(aside) == 9
    for seed in study.profile.seeds:
        learnt = pictures(study, "people_baseline", seed=seed)
        assert {*learnt["train"], *learnt["validation"]} <= aside
        for arm in ("transfer", "scratch_control", "benchmark", "human_first"):
            given = pictures(study, arm, seed=seed)
            assert not aside & {i for ids in given.values() for i in ids}
        assert pictures(study, "human_first", seed=seed) == pictures(study, "transfer", seed=seed)
    leaks = audited(study).set_index("arm")
    assert (leaks["trained_on"] == 0).all()


def test_people_who_are_set_aside_were_labelled_as_well(other_sources):
    study = other_sources
    own, first = (
        sum(len(ids) for role, ids in pictures(study, arm).items() if role in ("train", "validation"))
        for arm in ("human_first", "people_baseline")
    )
    assert (
        people_of(study, Point("human_first", 20))
        == own + first
        > people_of(study, Point("people_baseline", 5))
        == first
    )


def test_another_source_has_its_own_held_out_pictures(other_sources):
    study, run = other_sources, other_sources.runs_of("others_baseline", 0)[0]
    learnt = pictures(study, "others_baseline")
    assert learnt["source_test"] == list(study.splits["others"].test)
    assert len(learnt["train"]) == 5
    assert {one.role: one.of for one in jobs.predicted(study, run)}["source_test"] == "others"
    names = set(study.dataset("others").images["image_id"])
    assert set(learnt["train"]) <= names
    assert study.skeleton("others_baseline") == study.dataset("others").skeleton


def test_a_network_calls_joints_as_the_files_do_and_tables_as_the_skeleton_does(opened):
    """On the way there and back nothing but names changes, also where a file calls one side by the other's name."""
    swapped = {"right_knee": "left_knee", "left_knee": "right_knee", "head_top": "Crown 1"}
    study, run = (
        replace(opened, target=replace(opened.target, own_names=swapped)),
        opened.runs_of("scratch_control", 0)[0],
    )
    (before, framed, joints), (job, _, own) = jobs.job_of(opened, run), jobs.job_of(study, run)
    assert job.keypoints == tuple(swapped.get(keypoint, keypoint) for keypoint in before.keypoints)
    assert ("left_knee", "right_knee") in job.pairs  # right first, whatever it is called
    assert_frame_equal(own, joints.assign(keypoint=joints["keypoint"].replace(swapped)))
    part = jobs.predicted(study, run)[0]
    pictures = framed.loc[framed["role"] == "test", "image_id"]
    found = pictures.to_frame().merge(pd.DataFrame({"keypoint": job.keypoints}), how="cross")
    found = found.assign(x=[float(job.keypoints.index(name)) for name in found["keypoint"]], y=1.0, likelihood=1.0)
    back = training.as_labelled(study, run.arm, found.assign(role="test"), part)
    assert back["keypoint"].tolist() == list(before.keypoints) * len(pictures)


def test_of_few_people_fewer_are_held_out_and_thresholds_are_chosen_on_these(other_sources):
    few, many = (pictures(other_sources, "transfer", images) for images in (6, 20))
    assert (len(few["validation"]), len(many["validation"])) == (2, 4)
    assert few["validation"] == few["threshold"] == many["threshold"][:2]
    assert pictures(other_sources, "benchmark")["threshold"] == many["threshold"]


def test_a_training_may_keep_its_last_snapshot(opened):
    arm = opened.profile.arm("transfer")
    last = arm.model_copy(update={"training": arm.training.model_copy(update={"keeps": "last"})})
    profile = opened.profile.model_copy(update={"arms": {**opened.profile.arms, "transfer": last}})
    run = opened.runs_of("transfer", 0)[0]
    kept = [jobs.job_of(study, run)[0].keeps for study in (opened, replace(opened, profile=profile))]
    assert kept == ["best", "last"]


@pytest.mark.parametrize("arm", ["baseline", "benchmark", "transfer"])
def test_thresholds_are_chosen_on_the_validation_people_of_the_seed(opened, arm):
    for seed in (0, 1):
        people = opened.threshold_people(opened.runs_of(arm, seed)[0])
        assert pictures(opened, arm, seed=seed)["threshold"] == list(people)
        assert people == opened.draw("target", seed).validation[:2]  # as many as transfer holds out
        assert not set(people) & {*opened.splits["target"].test, *opened.draw("target", seed).train}
        predicted = {one.role: one for one in jobs.predicted(opened, opened.runs_of(arm, seed)[0])}
        assert predicted["threshold"].of == "target"
    first, second = (opened.threshold_people(opened.runs_of(arm, seed)[0]) for seed in (0, 1))
    assert set(first) != set(second)


def test_the_floor_knows_the_people_whom_transfer_learns_where_it_is_shown(opened):
    fewer, most = min(opened.profile.arm("transfer").sizes), max(opened.profile.arm("transfer").sizes)
    assert fewer < most
    asked = replace(opened, profile=opened.profile.model_copy(update={"asked_at": fewer}))
    labels = opened.target.subset(opened.draw("target", 0).training_subset(fewer)).labels
    framed = opened.framed("target", labels["image_id"].unique(), opened.profile.picture)
    mean = in_network_pixels(labels[labels["labelled"]], framed).groupby("keypoint")[["x", "y"]].mean()
    people = opened.framed("target", opened.splits["target"].test, opened.profile.picture)
    found = in_network_pixels(mean_pose(asked, 0), people).groupby("keypoint")[["x", "y"]].mean()
    assert_frame_equal(found, mean.loc[found.index])


def test_a_seed_that_the_profile_does_not_have_is_one_sentence(opened):
    run = Run("jobs", "scratch_control", 20, 7)
    for ask in (
        lambda: opened.draw("source", 7),
        lambda: opened.threshold_people(run),
        lambda: mean_pose(opened, 7),
        lambda: training.train_arm(opened, "scratch_control", 7),
        lambda: jobs.job_of(opened, run),
    ):
        with pytest.raises(StudyError) as error:
            ask()
        assert str(error.value) == "profile jobs has no seed 7; expected one of 0, 1, 2"


def test_a_joint_is_correct_within_half_a_head_of_what_the_network_sees(opened):
    """Of the benchmark, whose pictures of 96 pixels show people of 64 half as large again; of transfer, as they are."""
    heads = opened.target.reference_lengths.query("name == 'head_size'").set_index("image_id")["length"]
    for arm, scale in (("benchmark", 1.5), ("transfer", 1.0)):
        _, _, joints = jobs.job_of(opened, opened.runs_of(arm, 0)[0])
        scored = joints[~joints["keypoint"].isin(["pelvis", "thorax"])]
        np.testing.assert_allclose(scored["within"], 0.5 * scale * scored["image_id"].map(heads))
        assert heads.between(3, 30).all()
        assert joints.loc[joints["keypoint"].isin(["pelvis", "thorax"]), "within"].isna().all()
        assert 0 < joints["within"].isna().sum() < len(joints) / 4


def test_a_joint_of_a_monkey_is_correct_within_a_fifth_of_its_box(opened):
    boxes = opened.source.reference_lengths.query("name == 'bbox_length'").set_index("image_id")["length"]
    _, _, joints = jobs.job_of(opened, opened.runs_of("baseline", 0)[0])
    scored = joints.dropna(subset="within")
    np.testing.assert_allclose(scored["within"], 0.2 * scored["image_id"].map(boxes))
    assert set(joints.loc[joints["within"].isna(), "keypoint"]) == {"pelvis", "thorax"}


def test_where_a_length_is_not_known_no_joint_is_scored(opened):
    lengths = opened.source.reference_lengths
    nameless = opened.draw("source", 0).validation[0]
    unknown = (lengths["image_id"] == nameless) & (lengths["name"] == "bbox_length")
    source = replace(opened.source, reference_lengths=lengths[~unknown])
    without = opening.Study(opened.profile, source, opened.target, opened.elsewhere)
    _, _, joints = jobs.job_of(without, without.runs_of("baseline", 0)[0])
    scored = joints[~joints["keypoint"].isin(["pelvis", "thorax"])]
    assert set(scored.loc[scored["within"].isna(), "image_id"]) == {nameless}


def test_a_validation_score_is_the_share_of_scored_joints_within_what_still_is_correct():
    joints = pd.DataFrame(
        [
            ("a", "head_top", 10.0, 10.0, 5.0),
            ("a", "left_knee", 10.0, 10.0, 5.0),
            ("a", "pelvis", 0.0, 0.0, np.nan),  # not scored, though it has an error
            ("b", "head_top", 0.0, 0.0, 20.0),
            ("c", "head_top", 0.0, 0.0, 9.0),  # nobody predicts it: another role
        ],
        columns=["image_id", "keypoint", "x", "y", "within"],
    )
    predictions = pd.DataFrame(
        [
            ("a", "head_top", 13.0, 14.0),  # 5 away, as far as may be
            ("a", "left_knee", 13.1, 14.0),
            ("a", "right_knee", 0.0, 0.0),  # not labelled
            ("a", "pelvis", 30.0, 40.0),
            ("b", "head_top", 12.0, 16.0),
        ],
        columns=["image_id", "keypoint", "x", "y"],
    )
    assert share_correct(predictions, joints) == pytest.approx(200 / 3)
    knee = np.hypot(3.1, 4)
    assert mean_distance(predictions, joints) == pytest.approx((5 + knee + 50 + 20) / 4)
    assert np.isnan(share_correct(predictions, joints.assign(within=np.nan)))


def test_shuffled_names_are_of_the_same_points(opened):
    joints = {}
    for arm in ("baseline", "shuffled_baseline"):
        _, _, table = jobs.job_of(opened, opened.runs_of(arm, 0)[0])
        joints[arm] = table.sort_values(["image_id", "x", "y"], ignore_index=True)
    labelled, shuffled = joints["baseline"], joints["shuffled_baseline"]
    pd.testing.assert_frame_equal(shuffled.drop(columns="keypoint"), labelled.drop(columns="keypoint"))
    names = [table.groupby("image_id")["keypoint"].agg(sorted) for table in (labelled, shuffled)]
    assert names[0].equals(names[1])
    assert (shuffled["keypoint"] == labelled["keypoint"]).mean() < 0.2
    _, _, again = jobs.job_of(opened, opened.runs_of("shuffled_baseline", 0)[0])
    pd.testing.assert_frame_equal(again.sort_values(["image_id", "x", "y"], ignore_index=True), shuffled)


def test_a_size_that_an_arm_does_not_learn_is_an_error(opened):
    with pytest.raises(StudyError, match="arm 'transfer' does not learn 7 pictures; expected one of 6, 20"):
        opened.runs_of("transfer", 0, 7)[0]


def test_a_size_larger_than_the_set_is_an_error_before_any_training(opened):
    arms = opened.profile.arms | {"transfer": opened.profile.arm("transfer").model_copy(update={"images": (6, 50)})}
    large = opening.Study(opened.profile.model_copy(update={"arms": arms}), opened.source, opened.target)
    with pytest.raises(StudyError, match="50 training pictures were asked for, but the training pool holds 49"):
        jobs.job_of(large, large.runs_of("transfer", 0)[0])


def test_a_run_stays_what_it_is_when_its_arm_gets_more_sizes(opened):
    run = opened.runs_of("transfer", 0, 20)[0]
    arms = opened.profile.arms | {"transfer": opened.profile.arm("transfer").model_copy(update={"images": 20})}
    alone = opening.Study(
        opened.profile.model_copy(update={"arms": arms}), opened.source, opened.target, opened.elsewhere
    )
    assert runs.settings(alone.profile, run) == runs.settings(opened.profile, run)
    assert runs.settings(opened.profile, opened.runs_of("transfer", 0, 6)[0]) != runs.settings(opened.profile, run)
    assert digest_of(runs.settings(alone.profile, run)) == digest_of(runs.settings(opened.profile, run))


def test_what_is_asked_of_an_arm_changes_none_of_its_runs(opened):
    """A question that is declared later, another margin or more seeds: no run is made again for them."""
    run = opened.runs_of("transfer", 1, 20)[0]
    arm = opened.profile.arm("transfer").model_copy(update={"against": {"scratch_control": "Why?"}})
    asked = opened.profile.model_copy(
        update={"arms": {**opened.profile.arms, "transfer": arm}, "margin": 5.0, "seeds": (1, 3, 4, 5)}
    )
    assert runs.settings(asked, run) == runs.settings(opened.profile, run)
    later = opening.Study(asked, opened.source, opened.target, opened.elsewhere)
    assert later.draw("target", 1) == opened.draw("target", 1)


@pytest.mark.parametrize("change", [{"names": "shuffled"}, {"restore": "all"}, {"frozen": 3}, {"init": "scratch"}])
def test_what_an_arm_is_changes_its_runs(opened, change):
    run = opened.runs_of("transfer", 0, 20)[0]
    arms = {**opened.profile.arms, "transfer": opened.profile.arm("transfer").model_copy(update=change)}
    changed = opened.profile.model_copy(update={"arms": arms})
    assert runs.settings(changed, run) != runs.settings(opened.profile, run)


def test_data_of_a_run_are_other_ones_by_another_seed_and_by_another_yardstick(opened):
    """By another yardstick another snapshot may be the best; of monkeys, whose yardstick stays, none."""

    def digest(opened, arm: str, seed: int) -> str:
        _, shown, joints = jobs.job_of(opened, opened.runs_of(arm, seed)[0])
        return jobs._data_digest(shown, joints)

    by_torso = opening.Study(
        opened.profile.model_copy(update={"yardstick": "torso"}), opened.source, opened.target, opened.elsewhere
    )
    assert digest(opened, "scratch_control", 0) != digest(opened, "scratch_control", 1)
    assert digest(opened, "scratch_control", 0) != digest(by_torso, "scratch_control", 0)
    assert digest(opened, "baseline", 0) == digest(by_torso, "baseline", 0)


def test_a_profile_without_another_data_set_says_so(opened):
    without = opening.Study(opened.profile.model_copy(update={"elsewhere": None}), opened.source, opened.target)
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
    assert len(opening.scalable(without, opened.profile)) == len(people)
    measured = opening.scalable(without, profile)
    assert set(people.images["image_id"]) - set(measured.images["image_id"]) == {nameless}
    assert "the yardstick torso is not known" in set(measured.left_out["reason"])


def test_a_yardstick_decides_who_is_scored_and_never_who_is_learnt(opened):
    """Half the people have none: all of them are learnt once all are asked for, and none is tried or held out."""
    people, lengths = opened.target, opened.target.reference_lengths
    without = set(people.images["image_id"].iloc[::2])
    known = lengths[~(lengths["image_id"].isin(without) & (lengths["name"] == "head_size"))]
    study = replace(opened, target=replace(people, reference_lengths=known))
    assert study.unscored == without
    for seed in study.profile.seeds:
        draw = study.draw("target", seed)
        assert not without & {*study.splits["target"].test, *draw.validation}
        assert without == set(draw.train[-len(without) :])  # each is a group of his own
    job, given, joints = jobs.job_of(study, opened.runs_of("benchmark", 0)[0])
    learnt = set(given.loc[given["role"] == "train", "image_id"])
    assert len(learnt & without) == 41 - (60 - 8 - 30 - 3)
    assert joints.loc[joints["image_id"].isin(without), "within"].isna().all()
    nobody = replace(people, reference_lengths=lengths[lengths["name"] != "head_size"])
    with pytest.raises(StudyError, match="yardstick 'head_size' is not known for any picture of data set"):
        replace(opened, target=nobody).splits  # noqa: B018


def test_what_the_other_data_set_leaves_out_is_told_too(opened):
    lost = pd.DataFrame({"image_id": ["gone"], "keypoint": "", "reason": "the picture is missing"})
    elsewhere = opening.Study(opened.profile, opened.source, opened.target, replace(opened.elsewhere, left_out=lost))
    assert elsewhere.left_out.set_index("data").loc["elsewhere", "image_id"] == "gone"


def test_people_of_another_data_set_are_measured_by_their_own_yardstick(opened):
    run = opened.runs_of("scratch_control", 0)[0]
    people = opened.elsewhere
    assert len(people) == 6
    exact = people.labels[people.labels["labelled"]][["image_id", "keypoint", "x", "y"]].assign(likelihood=1.0)
    run.folder.mkdir(parents=True)
    exact.to_parquet(run.folder / "elsewhere_predictions.parquet")
    (run.folder / "run.json").write_text("{}")
    found = matched_elsewhere(opened, run.predictions("elsewhere"))
    assert found.reference == "torso"
    assert found.joints["correct"].all()
    assert set(found.people["image_id"]) == set(people.images["image_id"])
