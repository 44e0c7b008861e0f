"""Batches for training, each a function of the seed and its iteration alone, whoever draws it and when."""

import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.images import read_picture
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.project import joint_positions
from monkey_transfer.networks.pytorch.augmentation import varied
from monkey_transfer.networks.pytorch.model import settings_of
from monkey_transfer.networks.pytorch.settings import DeconvolutionHead

LABELLED, BACKGROUND, IGNORED = 2.0, 0.0, -1.0  # what DeepLabCut's target generators call a joint's visibility
_MEMORY = 2 * 2**30  # bytes of decoded pictures that are kept


class Batch(NamedTuple):
    """Pictures (n, height, width, 3), RGB, uint8, and joints (n, 1, keypoints, 3): x, y (pixel centres), visibility."""

    pictures: np.ndarray
    joints: np.ndarray


class Batches:
    """The training pictures of a job, all seen once before any is seen again.

    ``mirrored`` is for each keypoint the index of that which it becomes in a mirrored picture.
    """

    def __init__(self, job: Job, pictures: pd.DataFrame, joints: pd.DataFrame):
        training = settings_of(job)
        self.seed, self.size, self.warping = job.seed, training.batch_size, training.augmentation
        background = isinstance(training.head, DeconvolutionHead) and training.head.absent == "background"
        self.absent = BACKGROUND if background else IGNORED
        learnt = pictures[pictures["role"] == "train"]
        self.paths = list(learnt["path"])
        self.positions = joint_positions(job, learnt["image_id"], joints)
        other = {name: twin for right, left in job.pairs for name, twin in ((right, left), (left, right))}
        self.mirrored = np.array([job.keypoints.index(other.get(name, name)) for name in job.keypoints])
        self._decoded: dict[int, np.ndarray] = {}
        self._left = _MEMORY

    def draw(self, iteration: int) -> Batch:
        """The batch of that iteration, from 0."""
        items = [self._varied(iteration, place) for place in range(self.size)]
        positions = np.stack([joints for _, joints in items]).astype(np.float32)
        seen = np.where(np.isnan(positions).any(axis=2, keepdims=True), self.absent, LABELLED)
        joints = np.concatenate([np.nan_to_num(positions), seen.astype(np.float32)], axis=2)
        return Batch(np.stack([picture for picture, _ in items]), joints[:, None])

    def digest(self, batches: int) -> str:
        """sha256 over pictures and joints of the first batches."""
        digest = hashlib.sha256()
        for iteration in range(batches):
            for values in self.draw(iteration):
                digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def _varied(self, iteration: int, place: int) -> tuple[np.ndarray, np.ndarray]:
        round_, position = divmod(iteration * self.size + place, len(self.paths))
        chosen = int(_order(self.seed, round_, len(self.paths))[position])
        rng = np.random.default_rng([self.seed, iteration, 1 + place])  # with 0 it would be that of the order below
        return varied(self._picture(chosen), self.positions[chosen], self.mirrored, self.warping, rng)

    def _picture(self, index: int) -> np.ndarray:
        picture = self._decoded.get(index)
        if picture is None:
            picture = read_picture(self.paths[index])
            if picture.nbytes <= self._left:
                self._left -= picture.nbytes
                self._decoded[index] = picture
        return picture


@lru_cache(2)
def _order(seed: int, round_: int, pictures: int) -> np.ndarray:
    return np.random.default_rng([seed, round_]).permutation(pictures)
