"""``python -m benchmarks.predict``: our pictures a second over DeepLabCut's, on both engines.

Both predict the same rendered people, read from the same files, with the same snapshot: ours in batches, DeepLabCut's
one at a time, as its ``evaluate_network`` does on TensorFlow and its ``analyze_images`` on PyTorch, on all cores as
they come. They take turns, so that a machine that is busy for a while is busy for both. Weights are random: their
values do not change what a prediction costs; batch-norm statistics are calibrated, so that poses differ between
pictures and can be compared. The larger the pictures, the smaller the gain: what batches save is a cost for each call.
Ratios are medians over turns; the last line is the smallest of them.
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.people import job_of, people
from monkey_transfer.devices import cores
from monkey_transfer.images import read_picture
from monkey_transfer.networks.pytorch.settings import PyTorchTraining
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

PICTURES, SIZES, TURNS = 320, (96, 160), 5
NOBODY = pd.DataFrame({"image_id": [], "keypoint": [], "x": [], "y": []})

Ways = tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]


def on_tensorflow(pictures: pd.DataFrame, folder: Path) -> Ways:
    """Our and DeepLabCut's way to the poses (pictures, keypoints, 3) of all pictures; the networks stand ready."""
    import tensorflow as tf
    from deeplabcut.pose_estimation_tensorflow.config import load_config
    from deeplabcut.pose_estimation_tensorflow.core import predict
    from deeplabcut.utils.auxfun_videos import imread

    from monkey_transfer.networks.tensorflow import mobilenet
    from monkey_transfer.networks.tensorflow.initialisation import calibrate_batch_norm
    from monkey_transfer.networks.tensorflow.prediction import Predictor
    from monkey_transfer.networks.tensorflow.project import CORNER, TensorFlowProject

    mobilenet.register()
    job = job_of(TensorFlowTraining(net_type=NETWORKS["tensorflow"]))
    project = TensorFlowProject.written(folder, job, pictures, NOBODY)
    settings = load_config(str(project.test_config))
    snapshot = project.snapshot(0)
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(0)
        our_session = tf.compat.v1.Session()
        ours = Predictor(load_config(str(project.train_config)), our_session)
        our_session.run(tf.compat.v1.global_variables_initializer())
        calibrate_batch_norm(our_session, ours.pictures, [some_of(pictures)])
        tf.compat.v1.train.Saver().save(our_session, str(snapshot), write_meta_graph=False)
    one_by_one = {**settings, "batch_size": 1, "init_weights": str(snapshot)}
    session, inputs, outputs = predict.setup_pose_prediction(one_by_one)

    def by_deeplabcut() -> np.ndarray:
        read = (imread(path, mode="skimage") for path in pictures["path"])
        poses = np.array([predict.getpose(picture, one_by_one, session, inputs, outputs) for picture in read])
        return poses - [CORNER, CORNER, 0]

    return lambda: poses_in(ours.predict(pictures), len(pictures)), by_deeplabcut


def on_pytorch(pictures: pd.DataFrame, folder: Path) -> Ways:
    """The same on the other engine. PyTorch's threads are set for each: one for ours, which runs batches at once."""
    import torch
    from deeplabcut.pose_estimation_pytorch.apis.utils import get_pose_inference_runner

    from monkey_transfer.networks.prediction import predictions_of
    from monkey_transfer.networks.pytorch.model import build
    from monkey_transfer.networks.pytorch.prediction import normalised, poses_of
    from monkey_transfer.networks.pytorch.project import PyTorchProject
    from monkey_transfer.networks.pytorch.trainer import use_the_machine

    job = job_of(PyTorchTraining(net_type=NETWORKS["pytorch"]))
    project = PyTorchProject.written(folder, job, pictures, NOBODY)
    device, snapshot = use_the_machine(), project.snapshot(0)
    model = build(job, device)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model(normalised(torch.from_numpy(some_of(pictures)).to(device)))
    model.eval()
    torch.save({"model": model.state_dict(), "metadata": {"epoch": 0}}, snapshot)
    runner = get_pose_inference_runner(project.config, snapshot, batch_size=1, max_individuals=1)

    def by_us() -> np.ndarray:
        torch.set_num_threads(1)
        found = predictions_of(pictures, job.keypoints, partial(poses_of, model), lambda *_: None)
        return poses_in(found, len(pictures))

    def by_deeplabcut() -> np.ndarray:
        torch.set_num_threads(cores())
        return np.concatenate([found["bodyparts"][..., :3] for found in runner.inference(list(pictures["path"]))])

    return by_us, by_deeplabcut


NETWORKS = {"tensorflow": "mobilenet_v2_0.35", "pytorch": "tf_efficientnet_lite0"}
ENGINES = {"tensorflow": on_tensorflow, "pytorch": on_pytorch}


def some_of(pictures: pd.DataFrame) -> np.ndarray:
    """A few of the pictures, for batch norm."""
    return np.stack([read_picture(path) for path in pictures["path"][:16]])


def poses_in(predictions: pd.DataFrame, pictures: int) -> np.ndarray:
    """(pictures, keypoints, 3) of a table of predictions."""
    return predictions[["x", "y", "likelihood"]].to_numpy().reshape(pictures, -1, 3)


def rate(predict: Callable[[], np.ndarray]) -> float:
    """Pictures a second."""
    started = time.perf_counter()
    return len(predict()) / (time.perf_counter() - started)


def compared(engine: str, size: int, pictures: int, turns: int) -> float:
    """Print what both ways to the poses cost and by how much they differ; return the median ratio of their rates."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):  # DeepLabCut greets
        drawn, _ = people(Path(folder), size, pictures)
        roles = ["validation" if i % 2 else "train" for i in range(pictures)]
        by_us, by_deeplabcut = ENGINES[engine](drawn.assign(role=roles), Path(folder, "project"))
        ours, theirs = by_us(), by_deeplabcut()  # which also warms both up
        rates = [(rate(by_us), rate(by_deeplabcut)) for _ in range(turns)]
    apart, spread = np.abs(ours - theirs)[..., :2].max(), np.ptp(ours[..., :2], axis=0).max()
    our_rates, their_rates = zip(*rates, strict=True)
    ratio = median(our / their for our, their in rates)
    print(
        f"{engine}, {NETWORKS[engine]}, {size} px: ours {median(our_rates):.0f}, DeepLabCut {median(their_rates):.0f} "
        f"pictures a second, ratio {ratio:.2f}; joints of both lie within {apart:.5f} px of each other, those of "
        f"different pictures {spread:.0f} px apart",
        flush=True,
    )
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--engines", nargs="+", choices=tuple(ENGINES), default=tuple(ENGINES))
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="pixels")
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--turns", type=int, default=TURNS)
    asked = parser.parse_args()
    print(f"{asked.pictures} rendered people, {cores()} cores, load {os.getloadavg()[0]:.1f}, {asked.turns} turns")
    ratios = [compared(engine, size, asked.pictures, asked.turns) for engine in asked.engines for size in asked.sizes]
    print(f"ratio {min(ratios):.2f}")


if __name__ == "__main__":
    main()
