"""A video with the poses drawn into it, of the same frames at the same rate, in a form that browsers play."""

import errno
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pandas as pd

from monkey_transfer.files import written
from monkey_transfer.progress import Report
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.videos.following import NOBODY
from monkey_transfer.videos.reading import Video

# Of the longer side of the person's box a line takes this share.
_LINE = 1 / 150
# What makes lines and letters stand out from any picture, in pixels on either side.
_RIM, _RIM_COLOUR = 1, (255, 255, 255)
# Of a joint that is not sure.
_OPACITY = 0.4
# OpenCV takes whole numbers, of so many parts of a pixel: 2 ** 4.
_PARTS = 4
_WORD, _FONT = "nobody found", cv2.FONT_HERSHEY_SIMPLEX
# Of the height of the frame, in which a letter of OpenCV's font is 22 pixels at scale 1; never smaller than at 0.4.
_LETTER = 1 / 30
# Denominators up to this hold the rates of television, 30000/1001 and the like, exactly.
_FINEST_RATE = 1001


def write_labelled_video(
    file: Path,
    video: Video,
    poses: pd.DataFrame,
    people: pd.DataFrame,
    skeleton: Skeleton,
    colours: Mapping[str, str],
    sure: float,
    report: Report = lambda *_: None,
) -> None:
    """Write the video with its poses drawn into it: an .mp4 in H.264 (yuv420p), whole or not at all.

    A joint is a dot of the colour of its side, with lines to those that it is joined to. One that is not sure is pale,
    and without lines. In the corner of a frame without a person that is said. How thick a line is follows from the
    median size of the person. Where a side is odd, which H.264 cannot be, a black column or row is added.

    Parameters
    ----------
    poses, people : of every frame, as :func:`monkey_transfer.videos.following.follow` returns them.
    skeleton : the set that the keypoints are of; others are dots.
    colours : '#rrggbb' of the 'right', the 'left' and the 'middle'.
    sure : the likelihood from which on a joint is sure.
    report : called as ``report(frames done, frames)``.
    """
    longer = people[["bbox_w", "bbox_h"]].max(axis=1).median()
    line = 1 if np.isnan(longer) else max(1, round(_LINE * longer))
    keypoints = list(poses["keypoint"].unique())
    drawing = _Drawing(keypoints, skeleton, colours, sure, line)
    of_frames = poses[["x", "y", "likelihood"]].to_numpy().reshape(-1, len(keypoints), 3)

    def drawn() -> Iterator[np.ndarray]:
        for number, (frame, pose, by) in enumerate(zip(video, of_frames, people["found_by"], strict=True), start=1):
            yield write_word(frame) if by == NOBODY else drawing.into(frame, pose)
            report(number, video.frames)

    with written(file) as unfinished:
        _encode(unfinished, video, drawn())


class _Drawing:
    """How the poses of one video are drawn: the colours of its joints, which are joined, and how thick a line is."""

    def __init__(
        self, keypoints: list[str], skeleton: Skeleton, colours: Mapping[str, str], sure: float, line: int
    ) -> None:
        landmarks = [skeleton.landmark_of.get(keypoint, keypoint) for keypoint in keypoints]
        sides = [landmark.partition("_")[0] for landmark in landmarks]
        self._sides = [side if side in colours else "middle" for side in sides]
        self._rgb = {side: tuple(bytes.fromhex(colour.removeprefix("#"))) for side, colour in colours.items()}
        self._limbs = [tuple(map(keypoints.index, limb)) for limb in skeleton.limbs if {*limb} <= {*keypoints}]
        self._sure, self._line = sure, line

    def into(self, frame: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """The frame (height, width, 3) with a pose (keypoints, 3); the frame itself is drawn on."""
        points = np.round(pose[:, :2] * 2**_PARTS).astype(int).tolist()
        sure = pose[:, 2] >= self._sure
        if not sure.all():
            above = frame.copy()
            for joint in np.flatnonzero(~sure):
                self._dot(above, points, joint)
            frame = cv2.addWeighted(above, _OPACITY, frame, 1 - _OPACITY, 0)
        limbs = [(a, b) for a, b in self._limbs if sure[a] and sure[b]]
        for rim in (_RIM, 0) if self._line > 1 else (0,):  # around the thinnest there would be little else
            for a, b in limbs:
                side = self._sides[a] if self._sides[a] == self._sides[b] else "middle"
                colour = _RIM_COLOUR if rim else self._rgb[side]
                cv2.line(frame, points[a], points[b], colour, self._line + 2 * rim, cv2.LINE_AA, _PARTS)
        for joint in np.flatnonzero(sure):
            self._dot(frame, points, joint)
        return frame

    def _dot(self, frame: np.ndarray, points: list[list[int]], joint: int) -> None:
        for rim, colour in ((_RIM, _RIM_COLOUR), (0, self._rgb[self._sides[joint]])):
            radius = round((1.5 * self._line + 0.5 + rim) * 2**_PARTS)
            cv2.circle(frame, points[joint], radius, colour, cv2.FILLED, cv2.LINE_AA, _PARTS)


def write_word(frame: np.ndarray) -> np.ndarray:
    """The frame, drawn on, with the word in its corner that nobody was found."""
    scale = max(_LETTER * len(frame) / 22, 0.4)
    stroke = max(1, round(1.5 * scale))
    (_, height), _ = cv2.getTextSize(_WORD, _FONT, scale, stroke)
    for colour, thickness in (((0, 0, 0), stroke + 2 * _RIM), (_RIM_COLOUR, stroke)):
        cv2.putText(frame, _WORD, (height, 2 * height), _FONT, scale, colour, thickness, cv2.LINE_AA)
    return frame


def _encode(file: Path, video: Video, frames: Iterable[np.ndarray]) -> None:
    """Write frames of the video's size at its rate; OSError if that fails."""
    rate = Fraction(video.frames_per_second).limit_denominator(_FINEST_RATE)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{video.width}x{video.height}", "-r", str(rate), "-i", "-"]
    command += ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    command += ["-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", f"file:{file}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as encoder:
        assert encoder.stdin
        try:
            for frame in frames:
                encoder.stdin.write(np.ascontiguousarray(frame).data)
            _, said = encoder.communicate()
        except BrokenPipeError:
            _, said = encoder.communicate()
        except BaseException:
            encoder.kill()
            raise
    if encoder.returncode:
        lines = said.decode(errors="replace").splitlines() or ["could not be written"]
        raise OSError(errno.EIO, lines[0])
