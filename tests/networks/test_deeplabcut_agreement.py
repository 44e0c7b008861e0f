"""What this project measures, trains and predicts is what DeepLabCut itself measures, trains and predicts."""

import importlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import yaml

from monkey_transfer.images import read_picture
from monkey_transfer.networks.job import JobFolder

# DeepLabCut rounds to 0.01 pixel; the rest is for single precision.
ROUNDING = 0.006
# The same operations on the same numbers, but DeepLabCut's batches come through a queue, and threads may add in
# another order: single precision (6e-8) grows with every step. A wrong rate or batch changes a loss by per cents.
SAME_LOSS = 1e-4
# Of a pixel; single precision again. A MobileNet that normalises by batch moves by pixels.
SAME_PLACE = 1e-3


@pytest.fixture
def deeplabcuts_own_mobilenet(monkeypatch):
    """DeepLabCut's MobileNet in place of ours, which the engine registers."""
    from deeplabcut.pose_estimation_tensorflow.nnets import PoseNetFactory
    from deeplabcut.pose_estimation_tensorflow.nnets.mobilenet import PoseMobileNet

    from monkey_transfer.networks.tensorflow import mobilenet

    monkeypatch.setattr(mobilenet, "register", lambda: None)
    monkeypatch.setitem(PoseNetFactory._nets, "mobilenet", PoseMobileNet)


def train_config(folder: JobFolder) -> Path:
    return next(folder.project.rglob("train/pose_cfg.yaml"))


def predictor_of(snapshot: Path):
    """A predictor with the weights of a snapshot, in a graph of its own."""
    from deeplabcut.pose_estimation_tensorflow.config import load_config

    from monkey_transfer.networks.tensorflow.prediction import Predictor

    with tf.Graph().as_default():
        session = tf.compat.v1.Session()
        predictor = Predictor(load_config(str(snapshot.with_name("pose_cfg.yaml"))), session)
        tf.compat.v1.train.Saver().restore(session, str(snapshot))
    return predictor


# evaluation


def errors_by_deeplabcut(folder: JobFolder, iteration: int, scratch: Path) -> tuple[float, float]:
    """Train and test error that DeepLabCut finds for a snapshot, in a copy of the run that lies elsewhere."""
    import deeplabcut

    project = scratch / "project"
    shutil.copytree(folder.project, project)
    for config in project.rglob("*.yaml"):
        config.write_text(config.read_text().replace(str(folder.project), str(project)))
    deeplabcut.evaluate_network(project / "config.yaml", snapshots_to_evaluate=[f"snapshot-{iteration}"])
    results = pd.read_csv(next(project.glob("evaluation-results/**/CombinedEvaluation-results.csv")), index_col=0)
    assert results["Training iterations:"].tolist() == [iteration]
    return results[" Train error(px)"].item(), results[" Test error(px)"].item()


def errors_by_us(folder: JobFolder, iteration: int) -> tuple[float, float]:
    from monkey_transfer.networks.child import mean_distance

    _, pictures, joints = folder.read()
    predictor = predictor_of(train_config(folder).with_name(f"snapshot-{iteration}"))
    train, validation = (pictures[pictures["role"] == role] for role in ("train", "validation"))
    return mean_distance(predictor.predict(train), joints), mean_distance(predictor.predict(validation), joints)


def agrees(folder: JobFolder, outcome: dict, scratch: Path) -> None:
    chosen = outcome["chosen_iteration"]
    train, validation = errors_by_us(folder, chosen)
    assert validation == pytest.approx(outcome["validation_error"], abs=SAME_PLACE)
    assert errors_by_deeplabcut(folder, chosen, scratch) == pytest.approx((train, validation), abs=ROUNDING)
    assert abs(train - validation) > 10 * ROUNDING  # so that mixing them up would show


def test_deeplabcut_evaluates_a_mobilenet_to_our_error(finished, open_trainer, tmp_path):
    agrees(finished, json.loads(finished.outcome.read_text()), tmp_path)


def test_deeplabcut_evaluates_a_resnet_to_our_error(finished_resnet, tmp_path):
    agrees(finished_resnet.folder, vars(finished_resnet.outcome), tmp_path)


# training


class Replayed:
    """A data set that gives DeepLabCut's loader the batches that our loop takes."""

    def __init__(self, dataset, seed: int):
        self.dataset, self.seed, self.next = dataset, seed, 0

    def next_batch(self) -> dict:
        from monkey_transfer.networks.tensorflow.trainer import seeded_batch

        self.next += 1
        return seeded_batch(self.dataset, self.seed, self.next - 1)


def losses_of_deeplabcut(config: Path, seed: int, steps: int, monkeypatch) -> list[float]:
    """Exact losses of DeepLabCut's ``train`` on our batches, taken from the summaries that it writes.

    Its ``learning_stats.csv`` would not do: five decimals, and the first line adds two losses.
    """
    from tensorflow.python.platform import build_info

    theirs = importlib.import_module("deeplabcut.pose_estimation_tensorflow.core.train")
    factory, losses = theirs.PoseDatasetFactory, []

    class Recorder:
        def __init__(self, *_):
            pass

        def add_summary(self, serialised: bytes, _) -> None:
            values = tf.compat.v1.Summary.FromString(serialised).value
            losses.append(next(value.simple_value for value in values if value.tag == "total_loss"))

    replayed = SimpleNamespace(create=lambda settings: Replayed(factory.create(settings), seed))
    monkeypatch.setattr(theirs, "PoseDatasetFactory", replayed)
    monkeypatch.setattr(theirs, "setup_logging", lambda: None)  # it reloads ``logging`` under pytest's feet
    monkeypatch.setattr(tf.compat.v1.summary, "FileWriter", Recorder)
    monkeypatch.setitem(build_info.build_info, "is_cuda_build", True)  # else it takes Adam whatever it is told
    monkeypatch.chdir(config.parent)  # it changes directory
    tf.compat.v1.reset_default_graph()
    theirs.train(str(config), displayiters=10, saveiters=1000, maxiters=steps - 1)  # it goes one step further
    return losses


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its loader, when its session ends
def test_fifty_steps_give_the_losses_of_deeplabcuts_train(
    write_job, open_trainer, always, deeplabcuts_own_mobilenet, snapshot, tmp_path, monkeypatch
):
    """DeepLabCut's ``train`` and its own MobileNet, from the same weights, on the same batches, over a rate change."""
    steps, seed = 50, 3
    settings = {"optimizer": "sgd", "multi_step": [(0.005, 20), (0.02, 1000)], "iterations": steps}
    job = write_job(tmp_path, seed=seed, checkpoint=snapshot, heads=(0, 1, 2), **settings)
    ours: list[float] = []
    with open_trainer(job, lambda _, loss: ours.append(loss)) as trainer:
        trainer.run(always())
    config = train_config(job)
    assert yaml.safe_load(config.read_text())["init_weights"] == str(snapshot)
    theirs = losses_of_deeplabcut(config, seed, steps, monkeypatch)
    assert len(theirs) == len(ours) == steps
    assert len(set(ours)) == steps
    assert theirs == pytest.approx(ours, rel=SAME_LOSS)


# prediction


def moved(predictor, pictures: np.ndarray) -> float:
    """Largest way in pixels that any joint moves when its picture is predicted alone or in another batch."""
    together = predictor.poses(pictures)[..., :2]
    alone = np.concatenate([predictor.poses(picture[None]) for picture in pictures])[..., :2]
    order = np.random.default_rng(0).permutation(len(pictures))
    in_fives = np.concatenate([predictor.poses(pictures[part]) for part in np.split(order, [5, 10, 15])])[..., :2]
    return max(np.abs(alone - together).max(), np.abs(in_fives - together[order]).max())


def test_a_pose_does_not_depend_on_the_batch(snapshot, open_trainer, drawn):
    pictures = np.stack([read_picture(path) for path in drawn[0]["path"]])
    predictor = predictor_of(snapshot)
    assert moved(predictor, pictures) < SAME_PLACE
    assert np.ptp(predictor.poses(pictures)[..., :2], axis=0).max() > 30  # the network does see something


def test_with_deeplabcuts_own_mobilenet_it_does(snapshot, deeplabcuts_own_mobilenet, drawn):
    pictures = np.stack([read_picture(path) for path in drawn[0]["path"]])
    assert moved(predictor_of(snapshot), pictures) > 1
