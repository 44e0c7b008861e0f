"""Finished networks as TFLite files: toy ones whose answer is known, in the interpreter and as an arm of a study."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import yaml
from finished_profile import SMALL, TRAINING

from monkey_transfer.acquire.archives import ARCHIVES
from monkey_transfer.datasets.pictures import in_original_pixels
from monkey_transfer.files import sha256_of
from monkey_transfer.images import PADDING_RGB, write_picture
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.tflite import prediction
from monkey_transfer.networks.tflite.engine import TFLite
from monkey_transfer.networks.tflite.networks import LAYOUTS
from monkey_transfer.networks.tflite.prediction import Predictor, from_landmarks, refined, where_to_look
from monkey_transfer.profiles import loading
from monkey_transfer.study import opening, training
from monkey_transfer.study.jobs import write_finished
from monkey_transfer.study.runs import RECOVERED

NAME = "efficientpose_rt_lite"
SIDE, KEYPOINTS = LAYOUTS[NAME].side, LAYOUTS[NAME].keypoints
# One of each keypoint, far from each other and from black.
COLOURS = np.array([(r, g, b) for r in (80, 130, 190, 250) for g in (60, 240) for b in (40, 200)], np.uint8)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A network in EfficientPose's layout whose map of a keypoint is 1 minus how far a pixel is from its colour."""

    class Nearness(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3])])
        def __call__(self, picture):
            colours = tf.constant((COLOURS.T / 127.5 - 1).astype(np.float32)[None, None])
            squares = tf.reduce_sum(picture**2, -1, keepdims=True) + tf.reduce_sum(colours**2, 2)
            return 1 - (squares - 2 * tf.nn.conv2d(picture, colours, 1, "VALID"))

    network = Nearness()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([network.__call__.get_concrete_function()], network)
    file = tmp_path_factory.mktemp("network") / "nearness.tflite"
    file.write_bytes(converter.convert())
    return file


def dotted(places: np.ndarray, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    """A grey picture with a square of nine pixels of each keypoint's colour around its place (x, y)."""
    picture = np.full((height, width, 3), 20, np.uint8)
    for (x, y), colour in zip(places, COLOURS, strict=True):
        picture[y - 4 : y + 5, x - 4 : x + 5] = colour
    return picture


def places(seed: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    """(keypoints, 2) x, y on a grid, in another order for each seed."""
    grid = np.array([(x, y) for x in np.linspace(12, width - 13, 4) for y in np.linspace(12, height - 13, 4)])
    return np.random.default_rng(seed).permutation(grid.astype(int))


def test_each_keypoint_is_where_its_map_is_highest(file):
    expected = [places(seed) for seed in range(3)]
    poses = Predictor(file, NAME).poses(np.stack([dotted(one) for one in expected]))
    np.testing.assert_array_equal(poses[..., :2], expected)
    assert ((poses[..., 2] > 0.9) & (poses[..., 2] <= 1)).all()


def test_pictures_of_any_size_in_any_batch_have_one_pose(file, tmp_path):
    """Some go through the network with others, some alone, in several threads."""
    rows, expected = [], []
    for number, (height, width) in enumerate([(SIDE, SIDE)] * 11 + [(112, 160), (448, 448)]):
        where = places(number, height, width)
        write_picture(tmp_path / f"p{number}.png", dotted(where, height, width))
        rows.append((f"p{number}", str(tmp_path / f"p{number}.png")))
        expected.append(where)
    pictures = pd.DataFrame(rows, columns=["image_id", "path"])
    predictor = Predictor(file, NAME)
    found = predictor.predict(pictures)
    assert found["keypoint"].tolist() == list(KEYPOINTS) * len(rows)
    np.testing.assert_allclose(found[["x", "y"]].to_numpy().reshape(-1, 16, 2), expected, atol=1.5)
    alone = pd.concat([predictor.predict(pictures.iloc[[i]]) for i in range(len(rows))], ignore_index=True)
    pd.testing.assert_frame_equal(found, alone, check_exact=True)


def test_networks_see_black_where_a_picture_was_padded():
    picture = np.full((6, 8, 3), PADDING_RGB, np.uint8)
    picture[1:5, 2:7] = 200
    picture[2, 3] = PADDING_RGB
    seen = prediction.black_around(picture)
    assert (seen[[0, 5]] == 0).all()
    assert (seen[:, [0, 1, 7]] == 0).all()
    np.testing.assert_array_equal(seen[1:5, 2:7], picture[1:5, 2:7])


class Looker:
    """A network of landmarks that sees a red and a green dot, which it takes for hips and rim, and says where they are.

    The other 37 landmarks are where the green dot is. Its maps say nothing.
    """

    def __init__(self):
        self.seen = []

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        self.seen.append(picture)
        landmarks = np.zeros((39, 5), np.float32)
        landmarks[:, :2] = self.dot(picture, 1)
        landmarks[33, :2] = self.dot(picture, 0)
        landmarks[:, 3] = 2.0
        maps = np.full((64, 64, 39), -9, np.float32)
        return [landmarks.ravel(), np.ones(1), np.zeros((256, 256, 1)), maps, np.zeros(117)]

    @staticmethod
    def dot(picture: np.ndarray, channel: int) -> np.ndarray:
        """Its centre of mass, counted from the picture's corner."""
        y, x = np.mgrid[:256, :256] + 0.5
        colour = picture[..., channel].astype(float)
        return np.array([(x * colour).sum(), (y * colour).sum()]) / colour.sum()


@pytest.mark.parametrize("turn", [0, 50, 120, 180, 250])
def test_a_person_is_looked_at_upright_and_from_near(turn):
    hips, up = np.array([120.0, 140.0]), np.array([np.sin(np.radians(turn)), -np.cos(np.radians(turn))])
    rim = np.round(hips + 60 * up)
    picture = np.zeros((256, 256, 3), np.uint8)
    for (x, y), channel in ((hips.astype(int), 0), (rim.astype(int), 1)):
        picture[y - 2 : y + 3, x - 2 : x + 3, channel] = 255
    network = Looker()
    found = from_landmarks(network, picture)
    np.testing.assert_allclose(found[33, :2], hips, atol=0.1)
    np.testing.assert_allclose(found[[0, 34], :2], [rim, rim], atol=0.1)
    np.testing.assert_allclose(found[:, 2], 1 / (1 + np.exp(-2)))
    assert len(network.seen) == prediction.LOOKS
    np.testing.assert_array_equal(network.seen[0], picture / np.float32(255))
    for seen in network.seen[1:]:  # the circle is 1 / 1.25 of the picture
        np.testing.assert_allclose(Looker.dot(seen, 0), [128, 128], atol=0.2)
        np.testing.assert_allclose(Looker.dot(seen, 1), [128, 128 - 128 / 1.25], atol=0.5)


def test_where_to_look_keeps_right_and_left():
    """Whoever hangs upside down is turned and not mirrored: what was to the left of the hips comes to the right."""
    cut = where_to_look(np.array([100.0, 100.0]), np.array([100.0, 140.0]), 256)
    np.testing.assert_allclose(cut[:, :2] @ [127.5, 127.5] + cut[:, 2], [100, 100])
    np.testing.assert_allclose(cut[:, :2] @ [227.5, 127.5] + cut[:, 2], [100 - 100 * 100 / 256, 100])


def test_a_landmark_moves_to_what_its_map_shows_near_it():
    maps = np.full((64, 64, 4), -20.0, np.float32)
    for keypoint, sure in ((0, 3.0), (1, -0.5), (2, 3.0), (3, 3.0)):
        maps[30, 20:22, keypoint] = sure
    points = np.array([[90.0, 118.0], [90.0, 118.0], [140.0, 118.0], [300.0, 118.0]])
    moved = refined(points, maps, 256)
    np.testing.assert_allclose(moved[0], [20.5 * 4, 30 * 4], atol=1e-4)
    # Not as sure as a half, out of reach, and outside of the picture.
    np.testing.assert_array_equal(moved[1:], points[1:])


PROFILE = {
    "title": "Finished",
    **SMALL,
    "training": {**TRAINING, "net_type": "mobilenet_v2_0.35"},
    "arms": {
        "baseline": {"learns": "source", "images": 8, "init": "scratch"},
        "benchmark": {"learns": "nothing", "init": f"zoo:{NAME}"},
        "transfer": {"learns": "target", "images": 8, "init": "arm:baseline"},
        "scratch_control": {"learns": "target", "images": 8, "init": "scratch"},
    },
}


@pytest.mark.slow
def test_a_finished_network_is_an_arm_of_a_study(file, tmp_path, monkeypatch):
    archive = replace(ARCHIVES[f"zoo:{NAME}"], sha256=sha256_of(file))
    monkeypatch.setitem(ARCHIVES, f"zoo:{NAME}", archive)
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    place = tmp_path / archive.place
    place.parent.mkdir(parents=True)
    place.write_bytes(file.read_bytes())
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(PROFILE))
    monkeypatch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, tmp_path))

    study = opening.open_study("study")
    [run] = training.train_arm(study, "benchmark", 0)
    frames = study.test_frames("benchmark")
    expected = in_original_pixels(Predictor(file, NAME).predict(frames), frames)
    pd.testing.assert_frame_equal(run.predictions(), expected)
    manifest = run.manifest()
    assert manifest["outcome"]["stopped_by"] == "learns nothing"
    assert manifest["outcome"]["restored"]["joints"] == 16
    assert manifest["specification"]["initial_weights"] == [sha256_of(file)]
    assert (manifest["specification"]["finished"], manifest["specification"]["arm"]["training"]) == (
        {},
        {"engine": TFLite.name, "net_type": NAME},
    )
    assert run.training().net_type == NAME
    assert study.finished("benchmark", 0) == training.train_arm(study, "benchmark", 0) == (run,)
    assert not (run.folder / "deeplabcut").exists()

    # Recovered from a report it is there all the same, and what it saw is made again where it is asked for.
    job = JobFolder(run.folder).read()[0]
    (run.folder / RECOVERED).write_text("{}")
    (run.folder / "job.json").unlink()
    assert run.has_network
    assert training.train_arm(study, "benchmark", 0) == (run,)
    work = JobFolder(tmp_path / "work")
    write_finished(work, study, run)
    assert work.read()[0] == job
