"""``python -m benchmarks.predict [--net mobilenet_v2_0.35] [--size 96]``: our pictures a second over DeepLabCut's.

Both predict the same rendered people, read from the same files, with the same snapshot: ours in batches,
DeepLabCut's one at a time, as its ``evaluate_network`` does. They take turns, so that a machine that is
busy for a while is busy for both. Weights are random: their values do not change what a prediction costs;
batch-norm statistics are calibrated, so that poses differ between pictures and can be compared. The larger
the pictures, the smaller the gain: what batches save is a cost for each call. The last line is the median
ratio of the two rates in a turn.
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from monkey_transfer.images import read_picture, write_picture
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.rendered import render
from monkey_transfer.skeletons import MPII_16

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

PICTURES, TURNS = 320, 7


def people(folder: Path, size: int, count: int) -> pd.DataFrame:
    """Rendered people of ``size`` pixels as files: image_id and path."""
    paths = [folder / f"person{i:03d}.png" for i in range(count)]
    for i, path in enumerate(paths):
        write_picture(path, render("human", seed=0, index=i, size=size).image)
    return pd.DataFrame({"image_id": [path.stem for path in paths], "path": list(map(str, paths))})


def predictors(
    net_type: str, pictures: pd.DataFrame, folder: Path
) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]:
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
    job = Job(
        name="benchmark",
        keypoints=MPII_16.keypoints,
        pairs=MPII_16.pairs,
        training=TensorFlowTraining(net_type=net_type),
        checkpoint=None,
        heads=(None,) * len(MPII_16.keypoints),
        seed=0,
    )
    roles = ["validation" if i % 2 else "train" for i in range(len(pictures))]
    nobody = pd.DataFrame({"image_id": [], "keypoint": [], "x": [], "y": []})
    project = TensorFlowProject.written(folder / "project", job, pictures.assign(role=roles), nobody)
    settings = load_config(str(project.test_config))
    snapshot = project.snapshot(0)
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(0)
        our_session = tf.compat.v1.Session()
        ours = Predictor(load_config(str(project.train_config)), our_session)
        our_session.run(tf.compat.v1.global_variables_initializer())
        some = np.stack([read_picture(path) for path in pictures["path"][:16]])
        calibrate_batch_norm(our_session, ours.pictures, [some])
        tf.compat.v1.train.Saver().save(our_session, str(snapshot), write_meta_graph=False)
    one_by_one = {**settings, "batch_size": 1, "init_weights": str(snapshot)}
    session, inputs, outputs = predict.setup_pose_prediction(one_by_one)

    def by_us() -> np.ndarray:
        table = ours.predict(pictures)
        return table[["x", "y", "likelihood"]].to_numpy().reshape(len(pictures), -1, 3)

    def by_deeplabcut() -> np.ndarray:
        read = (imread(path, mode="skimage") for path in pictures["path"])
        poses = np.array([predict.getpose(picture, one_by_one, session, inputs, outputs) for picture in read])
        return poses - [CORNER, CORNER, 0]

    return by_us, by_deeplabcut


def rate(predict: Callable[[], np.ndarray]) -> float:
    """Pictures a second."""
    started = time.perf_counter()
    return len(predict()) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--net", default="mobilenet_v2_0.35", help="a net_type of DeepLabCut")
    parser.add_argument(
        "--size", type=int, default=load_profile("demo").picture.size, help="pixels; demo's if not given"
    )
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--turns", type=int, default=TURNS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures = people(Path(folder), asked.size, asked.pictures)
        with contextlib.redirect_stdout(io.StringIO()):  # DeepLabCut greets
            by_us, by_deeplabcut = predictors(asked.net, pictures, Path(folder))
        ours, theirs = by_us(), by_deeplabcut()  # which also warms both up
        apart, spread = np.abs(ours - theirs)[..., :2].max(), np.ptp(ours[..., :2], axis=0).max()
        rates = [(rate(by_us), rate(by_deeplabcut)) for _ in range(asked.turns)]
    ours, theirs = zip(*rates, strict=True)
    load = os.getloadavg()[0]
    print(f"{asked.net}, {asked.pictures} rendered people of {asked.size} px, {os.cpu_count()} cores, load {load:.1f}")
    print(f"joints of both lie within {apart:.5f} px of each other, those of different pictures {spread:.0f} px apart")
    print(f"ours       {median(ours):6.1f} pictures/s")
    print(f"DeepLabCut {median(theirs):6.1f} pictures/s")
    print(f"ratio {median(our / their for our, their in rates):.2f}")


if __name__ == "__main__":
    main()
