"""Small videos of a drawn figure whose joints are known, and a network that finds its coloured dots exactly."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from monkey_transfer.images import PADDING_RGB
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.videos.following import Sight

COLOURS = {
    "right_shoulder": (255, 0, 0),
    "left_shoulder": (0, 255, 0),
    "right_hip": (0, 0, 255),
    "left_hip": (255, 255, 0),
    "right_ankle": (255, 0, 255),
    "left_ankle": (0, 255, 255),
}
SIX = Skeleton("six", tuple((name, name) for name in COLOURS))
# The figure, its middle at (0, 0) and its box, margins included, one high.
FIGURE = np.array([(-0.16, -0.4), (0.16, -0.4), (-0.12, 0), (0.12, 0.03), (-0.2, 0.4), (0.18, 0.4)]) / 0.96
MARGIN, SURE = 0.1, 0.5
_RADIUS = 0.03
_PARTS = 6


def joints_at(x: float, y: float, height: float) -> np.ndarray:
    """(6, 2): the joints of a figure whose box is so high and has its middle there."""
    return FIGURE * height + (x, y)


def drawn(width: int, height: int, joints: np.ndarray | None) -> np.ndarray:
    """A frame with the figure, if there is one."""
    frame = np.full((height, width, 3), PADDING_RGB, np.uint8)
    if joints is not None:
        radius = _RADIUS * np.ptp(joints[:, 1])
        for point, colour in zip(joints, COLOURS.values(), strict=True):
            centre = np.round(point * 2**_PARTS).astype(int).tolist()
            cv2.circle(frame, centre, round(radius * 2**_PARTS), colour, cv2.FILLED, cv2.LINE_AA, _PARTS)
    return frame


def find_dots(pictures: np.ndarray) -> np.ndarray:
    """(n, 6, 3): the middle of each dot, weighted by how much of its colour a pixel has, and 1 where it is, else 0."""
    return np.stack([_dots(picture) for picture in pictures])


def _dots(picture: np.ndarray) -> np.ndarray:
    ground = np.array(PADDING_RGB, float)
    rows, columns = np.indices(picture.shape[:2])
    found = np.zeros((len(COLOURS), 3))
    for joint, colour in enumerate(COLOURS.values()):
        share = ((picture - ground) / (colour - ground)).min(axis=2).clip(0)
        share[share < 0.2] = 0
        if (total := share.sum()) > 0.5:
            found[joint] = (share * columns).sum() / total, (share * rows).sum() / total, 1
    return found


def sight(predict=find_dots, **other) -> Sight:
    settings = {"size": 160, "person": 125, "margin": MARGIN, "sure": SURE, "joints": 4}
    settings |= {"judged": tuple(COLOURS), "held_out": (0.5,)}
    return Sight(predict, tuple(COLOURS), **(settings | other))


def ffmpeg(*options: object) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, options)]
    subprocess.run(command, check=True)


def write_video(file: Path, frames: Iterable[np.ndarray], *options: str, rate: str = "25") -> Path:
    """Write frames without loss, or as FFmpeg's options say."""
    frames = list(frames)
    height, width, _ = frames[0].shape
    codec = options or ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", "-preset", "ultrafast")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", rate, "-i", "-", *codec, str(file)]
    subprocess.run(command, input=np.stack(frames).tobytes(), check=True)
    return file
