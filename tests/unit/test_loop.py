"""What all engines share: the loop, resumed at any moment, and the choice of what a run keeps; on a toy network."""

import json
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monkey_transfer.errors import StudyError
from monkey_transfer.networks import child
from monkey_transfer.networks.engine import Restored, Trainable
from monkey_transfer.networks.engines import ENGINES, AnyTraining, engine_of
from monkey_transfer.networks.job import Job, JobFolder
from monkey_transfer.networks.loop import Trainer, Validation, curve_table
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining

TRAINING = TensorFlowTraining(iterations=12, batch_size=2, multi_step=((0.1, 5), (0.01, 12)), validate_every=3)
JOB = Job(name="toy", keypoints=("head",), pairs=(), training=TRAINING, checkpoint=None, heads=(None,), seed=3)


class Killed(Exception):
    pass


class Toy(Trainable):
    """Predicts one number everywhere, which moves towards the mean of its batches."""

    keypoints = ["head"]
    workers = 2

    def __init__(self, folder, job: Job = JOB, killed_at: int | None = None):
        self.folder, self.job, self.killed_at, self.value, self.updates = folder, job, killed_at, math.nan, 0

    def initialise(self):
        self.value = 0.0
        return Restored(None, 0, 1, 0, 0, 0, 1), [], 0

    def batch(self, iteration: int) -> float:
        return float(np.random.default_rng([self.job.seed, iteration]).normal(5))

    def digest(self) -> str:
        return str([self.batch(i) for i in range(3)])

    def update(self, batch: float, rate: float) -> float:
        if self.updates == self.killed_at:
            raise Killed
        self.updates += 1
        self.value += rate * (batch - self.value)
        return abs(batch - self.value)

    def predict(self, pictures: pd.DataFrame, report=lambda *_: None) -> pd.DataFrame:
        report(len(pictures), len(pictures))
        return pd.DataFrame({"image_id": pictures["image_id"], "keypoint": "head", "x": self.value, "y": 0.0})

    def save_snapshot(self, iteration: int) -> None:
        (self.folder / f"snapshot-{iteration}.json").write_text(json.dumps(self.value))

    def load_snapshot(self, iteration: int) -> None:
        self.value = json.loads((self.folder / f"snapshot-{iteration}.json").read_text())

    def drop_snapshots_but(self, iteration: int) -> None:
        for file in self.folder.glob("snapshot-*"):
            if file.stem != f"snapshot-{iteration}":
                file.unlink()

    def save_state(self, prefix) -> None:
        prefix.with_name(f"{prefix.name}.json").write_text(json.dumps(self.value))

    def load_state(self, prefix) -> None:
        self.value = json.loads(prefix.with_name(f"{prefix.name}.json").read_text())


def validated(network: Toy) -> Callable[[], Validation]:
    return lambda: Validation(abs(5 - network.value), 100 - abs(4 - network.value))


def run(network: Toy):
    return Trainer(network, network.folder / "resume", lambda *_: None).run(validated(network))


def comparable(outcome, folder) -> tuple:
    curve = curve_table(folder / "resume").drop(columns="seconds")
    kept = {file.name: file.read_text() for file in folder.glob("snapshot-*")}
    return {**vars(outcome), "seconds": 0.0}, curve.to_dict("list"), kept


@settings(deadline=None)
@given(kills=st.lists(st.integers(0, 11), max_size=3))
def test_a_training_killed_at_any_moment_ends_as_the_straight_one(tmp_path_factory, kills):
    straight, killed = tmp_path_factory.mktemp("straight"), tmp_path_factory.mktemp("killed")
    expected = comparable(run(Toy(straight)), straight)
    for kill in kills:
        try:
            run(Toy(killed, killed_at=kill))
        except Killed:
            continue
    assert comparable(run(Toy(killed)), killed) == expected
    assert [file.name for file in (killed / "resume").glob("state-*")] == ["state-12.json"]


@pytest.mark.parametrize("keeps, iteration", [("best", 6), ("last", 12)])
def test_a_run_keeps_its_best_snapshot_or_where_validation_says_nothing_its_last(tmp_path, keeps, iteration):
    network = Toy(tmp_path, JOB.model_copy(update={"keeps": keeps}))
    scores = iter([40.0, 60.0, 50.0, 60.0])
    outcome = Trainer(network, tmp_path / "resume", lambda *_: None).run(lambda: Validation(1.0, next(scores)))
    assert outcome.chosen_iteration == iteration
    assert [file.name for file in tmp_path.glob("snapshot-*")] == [f"snapshot-{iteration}.json"]


def test_a_loss_that_is_no_number_ends_in_a_sentence(tmp_path):
    network = Toy(tmp_path)
    network.update = lambda *_: math.inf
    with pytest.raises(StudyError, match="loss is infinite or no number at iteration 0: lower the learning rates"):
        run(network)


def test_what_goes_wrong_while_batches_are_drawn_ahead_is_raised(tmp_path):
    network = Toy(tmp_path)
    network.batch = lambda iteration: 1 / (4 - iteration)
    network.digest = lambda: ""
    with pytest.raises(ZeroDivisionError):
        run(network)


def test_another_engine_needs_its_object_and_nothing_else(tmp_path, monkeypatch):
    """The process that trains asks the engine of the job's settings for a network, and leaves what the study reads."""
    folder = JobFolder(tmp_path / "run")
    pictures = pd.DataFrame({"image_id": list("abc"), "path": "", "role": ["train", "validation", "test"]})
    joints = pd.DataFrame({"image_id": ["a", "b"], "keypoint": "head", "x": 5.0, "y": 0.0, "within": 1.0})
    folder.write(JOB, pictures, joints)
    monkeypatch.setattr(ENGINES["tensorflow"], "trainable", lambda folder: Toy(folder.path), raising=False)
    child.do(folder)
    assert json.loads(folder.outcome.read_text())["chosen_iteration"] in (3, 6, 9, 12)
    assert pd.read_csv(folder.learning_curve)["iteration"].tolist() == [3, 6, 9, 12]
    assert pd.read_parquet(folder.network_predictions)["role"].tolist() == ["validation", "test"]


def test_a_network_that_finds_one_pose_in_all_pictures_is_no_result(tmp_path, monkeypatch):
    folder = JobFolder(tmp_path / "run")
    pictures = pd.DataFrame({"image_id": list("abc"), "path": "", "role": ["train", "validation", "validation"]})
    joints = pd.DataFrame({"image_id": list("abc"), "keypoint": "head", "x": 5.0, "y": 0.0, "within": 1.0})
    folder.write(JOB, pictures, joints)
    monkeypatch.setattr(ENGINES["tensorflow"], "trainable", lambda folder: Toy(folder.path), raising=False)
    monkeypatch.setattr(child, "_LEARNT_BY", JOB.training.iterations)
    with refused("training", "a network that collapsed", match="lower the learning rates of training, or train"):
        child.do(folder)
    assert not folder.outcome.exists()
    assert not folder.network_predictions.exists()


@settings(deadline=None, max_examples=30)
@given(ways=st.lists(st.floats(-0.01, 0.01), min_size=2, max_size=5), keypoint=st.sampled_from(["head", "tail"]))
def test_a_network_has_collapsed_if_no_joint_moves(ways, keypoint):
    found = pd.DataFrame({"image_id": range(len(ways)), "x": 5.0, "y": 7.0}).merge(
        pd.DataFrame({"keypoint": ["head", "tail"]}), how="cross"
    )
    found.loc[found["keypoint"] == keypoint, "y"] += ways
    if max(ways) - min(ways) < 0.000999:
        with pytest.raises(StudyError, match="has collapsed"):
            child.refuse_collapse(found)
    elif max(ways) - min(ways) > 0.001001:
        child.refuse_collapse(found)


def test_settings_are_those_of_the_engine_that_they_name():
    read = TypeAdapter(AnyTraining).validate_python
    assert read({}) == read({"engine": "tensorflow"}) == TensorFlowTraining()
    assert engine_of(read({})).name == "tensorflow"
    for wrong in ({"engine": "caffe"}, {"engine": None}, 3, None):
        with pytest.raises(ValidationError):
            read(wrong)
