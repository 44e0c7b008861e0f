"""A small job with drawn pictures, run as a whole in its own process or opened as a trainer in this one."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest

from monkey_transfer.networks.engines import ENGINES, engine_of
from monkey_transfer.networks.job import Job, JobFolder
from monkey_transfer.networks.pytorch.settings import PyTorchTraining
from monkey_transfer.networks.tensorflow.settings import Augmentation, TensorFlowTraining

if TYPE_CHECKING:
    from monkey_transfer.networks.loop import Outcome, Trainer, Validation

KEYPOINTS = ("right", "left", "top")
NO_HEADS, ALL_HEADS = (None,) * len(KEYPOINTS), tuple(range(len(KEYPOINTS)))
COLOURS = ((220, 40, 40), (40, 200, 60), (50, 70, 230))
ROLES = ("train",) * 10 + ("validation",) * 5 + ("test",) * 3
SIZE, RADIUS = 96, 9
# A small training of each engine.
SMALL = {
    "tensorflow": TensorFlowTraining(
        net_type="mobilenet_v2_0.35",
        iterations=40,
        batch_size=4,
        optimizer="adam",
        multi_step=((0.002, 20), (0.001, 1000)),
        global_scale=1.0,
        weigh_only_present_joints=True,
        augmentation=Augmentation(
            scale_jitter_lo=0.8, scale_jitter_up=1.2, elastic_transform=False, covering=False, fliplr=True
        ),
        validate_every=10,
    ),
    "pytorch": PyTorchTraining(
        net_type="mobilenetv2_035", iterations=40, batch_size=4, schedule={"rate": 0.003}, validate_every=10
    ),
}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pictures (image_id, path, role) of three discs on noise, and their joints: the centres, one in ten unlabelled.

    A joint is correct within its disc; the top is not scored.
    """
    folder = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(0)
    pictures, joints = [], []
    for i, role in enumerate(ROLES):
        picture = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        for keypoint, colour in zip(KEYPOINTS, COLOURS, strict=True):
            x, y = rng.integers(12, SIZE - 12, 2)
            cv2.circle(picture, (int(x), int(y)), RADIUS, colour, -1)
            if rng.random() > 0.1:
                within = math.nan if keypoint == "top" else float(RADIUS)
                joints.append((f"im{i:02d}", keypoint, float(x), float(y), within))
        path = folder / f"im{i:02d}.png"
        cv2.imwrite(str(path), picture[..., ::-1])
        pictures.append((f"im{i:02d}", str(path), role))
    return (
        pd.DataFrame(pictures, columns=["image_id", "path", "role"]),
        pd.DataFrame(joints, columns=["image_id", "keypoint", "x", "y", "within"]),
    )


@pytest.fixture(scope="session")
def write_job(drawn) -> Callable[..., JobFolder]:
    """``write_job(folder, seed=..., checkpoint=..., <key of training>=...)`` writes a small job of an engine there."""

    def write(
        folder: Path, seed=0, checkpoint=None, heads=NO_HEADS, frozen=0, engine="tensorflow", **training
    ) -> JobFolder:
        job = Job(
            name="small",
            keypoints=KEYPOINTS,
            pairs=(("right", "left"),),
            training=ENGINES[engine].settings(**{**SMALL[engine].model_dump(), **training}),
            checkpoint=checkpoint and str(checkpoint),
            heads=heads,
            frozen=frozen,
            seed=seed,
        )
        written = JobFolder(folder)
        written.write(job, *drawn)
        return written

    return write


@pytest.fixture(scope="session")
def open_trainer() -> Callable[..., AbstractContextManager["Trainer"]]:
    """``with open_trainer(folder, report) as trainer``: the trainer of a job, in this process."""
    from monkey_transfer.networks.loop import Trainer

    @contextmanager
    def opened(folder: JobFolder, report: Callable[[int, float], None] = lambda *_: None) -> Iterator[Trainer]:
        job, _, _ = folder.read()
        trainer = Trainer(engine_of(job.training).trainable(folder), folder.resume, report)
        try:
            yield trainer
        finally:
            if job.training.engine == "tensorflow":
                trainer.network.session.close()

    return opened


@pytest.fixture(scope="session")
def always() -> Callable[..., Callable[[], "Validation"]]:
    """``always(error, score)`` is a validation that finds the same whatever the weights are."""
    from monkey_transfer.networks.loop import Validation

    return lambda error=1.0, score=50.0: lambda: Validation(error, score)


@pytest.fixture(scope="session")
def checkpoint(write_job, open_trainer, always, tmp_path_factory) -> Path:
    """Prefix of a MobileNet's checkpoint that tells the drawn pictures apart.

    Its stored statistics follow the batches ten times as fast as they do in a study, else its
    predictions would still be those of random weights after so few steps.
    """
    from monkey_transfer.networks.tensorflow import mobilenet

    folder = write_job(tmp_path_factory.mktemp("checkpoint"), iterations=60, validate_every=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilenet, "STATISTICS_DECAY", 0.9)
        with open_trainer(folder) as trainer:
            trainer.run(always())
            return trainer.network.project.snapshot(60)


@pytest.fixture(scope="session")
def small_job(write_job, checkpoint) -> Callable[[Path], JobFolder]:
    """``small_job(folder)`` writes the job that ``finished`` has run."""
    return lambda folder: write_job(folder, checkpoint=checkpoint, heads=ALL_HEADS)


@pytest.fixture(scope="session")
def finished(small_job, tmp_path_factory) -> JobFolder:
    """A small MobileNet's job that ran to its end in its own process."""
    from monkey_transfer.networks.supervisor import run_job

    folder = small_job(tmp_path_factory.mktemp("finished"))
    run_job(folder, "finished")
    return folder


@dataclass(frozen=True)
class FinishedResnet:
    """A ResNet that was trained for a few steps in this process, from random weights."""

    folder: JobFolder
    losses: list[float]
    outcome: "Outcome"
    loss_without_calibration: float


@pytest.fixture(scope="session")
def finished_resnet(write_job, open_trainer, tmp_path_factory) -> FinishedResnet:
    import tensorflow as tf

    from monkey_transfer.networks.child import mean_distance, share_correct
    from monkey_transfer.networks.loop import Validation
    from monkey_transfer.networks.tensorflow.trainer import seeded_batch

    settings = {"net_type": "resnet_50", "optimizer": "sgd", "multi_step": [(0.005, 100)], "iterations": 4}
    folder = write_job(tmp_path_factory.mktemp("resnet"), **settings)
    _, pictures, joints = folder.read()
    validation = pictures[pictures["role"] == "validation"]
    losses: list[float] = []

    def validated() -> Validation:
        predictions = trainer.network.predictor.predict(validation)
        return Validation(mean_distance(predictions, joints), share_correct(predictions, joints))

    with open_trainer(folder, lambda _, loss: losses.append(loss)) as trainer:
        outcome = trainer.run(validated)
        trainer.network.session.run(tf.compat.v1.global_variables_initializer())
        batch = seeded_batch(trainer.network.dataset, 0, 0)
        feed = {placeholder: batch[name] for name, placeholder in trainer.network.inputs.items()}
        return FinishedResnet(folder, losses, outcome, float(trainer.network.session.run(trainer.network.loss, feed)))


@pytest.fixture(scope="session")
def snapshot(finished) -> Path:
    """Prefix of the finished MobileNet's chosen snapshot."""
    return next(finished.project.rglob("snapshot-*.index")).with_suffix("")


@pytest.fixture(scope="session")
def finished_pytorch(write_job, tmp_path_factory) -> JobFolder:
    """A small PyTorch network's job, from random weights, that ran to its end in its own process."""
    from monkey_transfer.networks.supervisor import run_job

    folder = write_job(tmp_path_factory.mktemp("pytorch"), engine="pytorch")
    run_job(folder, "finished")
    return folder


@pytest.fixture(scope="session")
def pytorch_snapshot(finished_pytorch) -> Path:
    """The finished PyTorch network's chosen weights."""
    return next(finished_pytorch.project.rglob("snapshot-*.pt"))
