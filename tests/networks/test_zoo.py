"""A network in the zoo's layout, with its joints in an order of its own: as it is, and as what an arm starts from."""

import random

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import yaml
from finished_profile import SMALL, TRAINING

from monkey_transfer.datasets.pictures import in_original_pixels
from monkey_transfer.images import read_picture
from monkey_transfer.measure.matched import matched
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.profiles import loading
from monkey_transfer.skeletons import LIMB_JOINTS, MACAQUEPOSE_17, MPII_16
from monkey_transfer.study import opening, training

SHUFFLED = tuple(random.Random(1).sample(MACAQUEPOSE_17.keypoints, 17))
HEADS = {"part_pred": 17, "locref_pred": 34, "intermediate_supervision": 17}
LAYER = 4
PROFILE = {
    "title": "Zoo",
    **SMALL,
    "training": {**TRAINING, "net_type": "resnet_50"},
    "arms": {
        "baseline": {"learns": "nothing", "init": "zoo:full_macaque"},
        "benchmark": {"learns": "target", "images": 8, "init": "scratch"},
        "transfer": {"learns": "target", "images": 8, "init": "zoo:full_macaque"},
        "imagenet_control": {"learns": "target", "images": 8, "init": "imagenet"},
    },
}
# Of a pixel; the same operations on the same numbers in single precision.
SAME_PLACE = 1e-3
# DeepLabCut rounds to 0.01 pixel.
ROUNDING = 0.006


@pytest.fixture(scope="module")
def archive(finished_resnet, tmp_path_factory):
    """The unpacked archive: a ResNet-50 whose calibrated backbone is real and whose heads are random."""
    data = tmp_path_factory.mktemp("data")
    folder = data / "zoo" / "full_macaque" / "DLC_macaque"
    folder.mkdir(parents=True)
    trained = next(finished_resnet.folder.project.rglob("snapshot-*.index")).with_suffix("")
    reader = tf.train.load_checkpoint(str(trained))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("resnet_v1_50/")]
    arrays = {name: reader.get_tensor(name) for name in names}
    rng = np.random.default_rng(0)
    for head, outputs in HEADS.items():
        inputs = 1024 if head == "intermediate_supervision" else 2048
        arrays[f"pose/{head}/block4/weights"] = rng.normal(0, 0.01, (3, 3, outputs, inputs)).astype(np.float32)
        arrays[f"pose/{head}/block4/biases"] = rng.normal(0, 0.01, outputs).astype(np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver({name: tf.compat.v1.Variable(array) for name, array in arrays.items()})
        session.run(tf.compat.v1.global_variables_initializer())
        saver.save(session, str(folder / "snapshot-103000"))
    settings = {
        "net_type": "resnet_50",
        "num_joints": 17,
        "all_joints": [[i] for i in range(17)],
        "all_joints_names": [joint.replace("_", " ") for joint in SHUFFLED],
        "location_refinement": True,
        "locref_stdev": 9.5,  # not DeepLabCut's default, nor are the following
        "mean_pixel": [100.0, 110.0, 90.0],
        "intermediate_supervision": True,
        "intermediate_supervision_layer": LAYER,
    }
    (folder / "pose_cfg.yaml").write_text(yaml.safe_dump(settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_DATA", str(data))
        yield folder


@pytest.fixture(scope="module")
def opened(archive, tmp_path_factory):
    """The study whose arms start from the archive."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "zoo.yaml").write_text(yaml.safe_dump(PROFILE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, folder))
        yield opening.open_study("zoo")


@pytest.fixture(scope="module")
def finished_arm(opened):
    """The run of the arm that learns nothing."""
    [run] = training.train_arm(opened, "baseline", 0)
    return run


class Started(Exception):
    """Instead of a training."""


def job_of(opened, arm: str, monkeypatch) -> JobFolder:
    """The job of an arm, not run."""
    asked = []

    def ask(folder: JobFolder, _: str) -> None:
        asked.append(folder)
        raise Started

    monkeypatch.setattr(training, "run_job", ask)
    with pytest.raises(Started):
        training.train_arm(opened, arm, 0)
    return asked[0]


def pose_by_deeplabcut(config, snapshot: str, picture: np.ndarray) -> np.ndarray:
    """(joints, 3) in DeepLabCut's coordinates: the pose that its own function finds, in the order of the heads."""
    from deeplabcut.pose_estimation_tensorflow.config import load_config
    from deeplabcut.pose_estimation_tensorflow.core import predict

    settings = {**load_config(str(config)), "init_weights": snapshot}
    session, inputs, outputs = predict.setup_pose_prediction(settings)
    with session:
        return predict.getpose(picture, settings, session, inputs, outputs)


@pytest.mark.slow
def test_a_finished_network_predicts_what_deeplabcut_finds_with_the_archive_itself(opened, finished_arm, archive):
    person = opened.test_frames("baseline").iloc[:1]
    pose = pose_by_deeplabcut(
        archive / "pose_cfg.yaml", str(archive / "snapshot-103000"), read_picture(person["path"].item())
    )
    x, y, likelihood = pose.T
    expected = pd.DataFrame({"image_id": person["image_id"].item(), "keypoint": SHUFFLED, "x": x - 0.5, "y": y - 0.5})
    expected = in_original_pixels(expected.assign(likelihood=likelihood), person).set_index("keypoint")
    assert expected[["x", "y"]].std().min() > 5  # the joints are told apart

    predicted = finished_arm.predictions().query("image_id == @person.image_id.item()").set_index("keypoint")
    assert set(predicted.index) == set(LIMB_JOINTS)  # what macaques and people share; the rest is not there
    columns = ["x", "y", "likelihood"]
    np.testing.assert_allclose(predicted[columns], expected.loc[predicted.index, columns], atol=SAME_PLACE)


@pytest.mark.slow
def test_joints_that_the_network_lacks_have_no_rows(opened, finished_arm):
    people, others = finished_arm.predictions(), finished_arm.predictions("threshold")
    assert len(people) == 6 * len(LIMB_JOINTS)
    assert set(others["image_id"]) == set(opened.draw("target", 0).validation)
    assert set(others["keypoint"]) == set(LIMB_JOINTS)
    assert people[["x", "y", "likelihood"]].notna().all(axis=None)
    measured = matched(opened, people).joints
    assert set(measured["keypoint"]) == set(LIMB_JOINTS) < set(MPII_16.keypoints)


@pytest.mark.slow
def test_the_run_says_that_nothing_was_learnt(finished_arm):
    manifest = finished_arm.manifest()
    outcome = manifest["outcome"]
    restored = outcome["restored"]
    assert (outcome["iterations"], outcome["chosen_iteration"], outcome["optimizer"]) == (0, 0, "none")
    assert (
        (restored["backbone"], restored["heads"]) == (restored["backbone_total"], restored["heads_total"]) == (265, 4)
    )
    assert manifest["specification"]["finished"]["locref_stdev"] == 9.5
    assert len(manifest["specification"]["initial_weights"]) == 2
    curve = finished_arm.learning_curve()
    assert curve["iteration"].tolist() == [0]
    for measured in ("validation_error", "validation_score"):
        assert curve[measured].tolist() == pytest.approx([outcome[measured]])
    assert 0 <= outcome["validation_score"] <= 100


@pytest.mark.slow
def test_deeplabcut_evaluates_a_finished_network_to_our_error(finished_arm):
    import deeplabcut

    project = finished_arm.folder / "deeplabcut"
    deeplabcut.evaluate_network(project / "config.yaml")
    results = pd.read_csv(next(project.glob("evaluation-results/**/CombinedEvaluation-results.csv")), index_col=0)
    assert results["Training iterations:"].tolist() == [0]
    ours = finished_arm.manifest()["outcome"]["validation_error"]
    assert results[" Test error(px)"].item() == pytest.approx(ours, abs=ROUNDING)
    theirs = pd.read_hdf(next(project.glob("evaluation-results/**/*.h5")))
    assert tuple(theirs.columns.get_level_values("bodyparts").unique()) == SHUFFLED


@pytest.mark.slow
def test_an_arm_starts_from_the_backbone_of_the_archive(opened, archive, monkeypatch):
    from deeplabcut.pose_estimation_tensorflow.config import load_config

    from monkey_transfer.networks.tensorflow.initialisation import restore
    from monkey_transfer.networks.tensorflow.prediction import Predictor
    from monkey_transfer.networks.tensorflow.project import TensorFlowProject

    folder = job_of(opened, "transfer", monkeypatch)
    job = folder.read()[0]
    assert (job.checkpoint, job.keypoints, job.finished) == (str(archive / "snapshot-103000"), MPII_16.keypoints, None)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        Predictor(load_config(str(TensorFlowProject.opened(folder).test_config)), session)
        variables = tf.compat.v1.global_variables()
        session.run(tf.compat.v1.global_variables_initializer())
        restored = restore(session, variables, job.checkpoint, job.heads)
        name = "resnet_v1_50/block4/unit_3/bottleneck_v1/conv3/weights"
        ours = session.run(next(v for v in variables if v.op.name == name))
    assert (restored.backbone, restored.backbone_total) == (265, 265)
    assert (restored.heads, restored.heads_total) == (0, 4)
    np.testing.assert_array_equal(ours, tf.train.load_checkpoint(job.checkpoint).get_tensor(name))
