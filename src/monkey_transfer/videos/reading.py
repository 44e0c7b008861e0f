"""Videos, checked before anything is computed, and their frames one after the other.

Frames are decoded by OpenCV's FFmpeg reader. DeepLabCut 3.0.2 reads with the same one (`VideoReader.read_frame` in its
`utils/auxfun_videos.py`) until it returns no more, and numbers the rows of its results 0, 1, 2, ... So do we: frame n
is the n-th picture that this reader returns, and a test holds both against each other.

How many frames there are is not what OpenCV says of a file (CAP_PROP_FRAME_COUNT): of Matroska and WebM that is a
guess from their length, and of a clip that a phone has trimmed it counts what is not shown. It is the number of packets
that FFmpeg finds in the file and that are to be shown, which takes seconds as nothing is decoded. The same listing says
that a file ends early. A transport stream (.ts) that is cut says nothing of it, since its format promises no length.

Where frames do not come at one rate, as from most phones, they are numbered as they are stored, none added or dropped;
OpenCV, and with it DeepLabCut, does the same. Only their times are then not their number by the rate: `steady` says so.
"""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import cv2
import imageio_ffmpeg
import numpy as np

from monkey_transfer.errors import StudyError

# What FFmpeg says of a file that ends early, or of which a part is no longer what was written.
_DAMAGED = re.compile(r"partial file|ended prematurely|corrupt")
# FFmpeg's marks of a packet (AV_PKT_FLAG_DISCARD) and of a time that is not known (AV_NOPTS_VALUE).
_NOT_SHOWN, _NO_TIME = 0x4, -(2**63)
# Of FFmpeg's command line. Only with a frame that needs no other, a key frame, can the size of frames change.
_KEY_FRAMES, _ONE_BYTE_A_PIXEL = ["-skip_frame", "nokey"], ["-noautoscale", "-pix_fmt", "gray"]
_COPY_AGAIN = "copy it again from where it was recorded"


@dataclass(frozen=True)
class Video:
    """A video that has been checked; iterating over it yields its frames.

    Attributes
    ----------
    width, height : of every frame, in pixels.
    frames_per_second : the rate that the file states, or else the mean one.
    frames : how many there are.
    steady : whether every frame is shown within half a frame's time of its number divided by that rate.
    """

    path: Path
    width: int
    height: int
    frames_per_second: float
    frames: int
    steady: bool

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames in order, each decoded once: (height, width, 3) uint8 RGB, of which one is held at a time.

        Raises StudyError where a frame that the file lists cannot be decoded.
        """
        with _opened(self.path) as reader:
            for number in range(self.frames + 1):
                there, frame = reader.read()
                if there != (number < self.frames):
                    raise StudyError(
                        f"{self.path}: its file lists {self.frames} frames, but frame {number}, counted from 0, "
                        f"{'is one more' if there else 'cannot be decoded'}: {_COPY_AGAIN}, or write what can be read "
                        f"anew: {_anew(self.path, 'whole')}"
                    )
                if there:
                    yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def open_video(path: str | Path) -> Video:
    """The video of that file, of any format that FFmpeg reads.

    StudyError if the file is missing, is no video, has no frame, is cut short or damaged, is to be shown turned, or
    holds frames of several sizes. Of its frames only those that need no other are decoded.
    """
    path = Path(path)
    if not path.is_file():
        raise StudyError(f"{path}: there is no such file: name a video, or the folder that holds videos")
    packets, complaints = _listed(path, ["-c", "copy"])
    shown = [packet for packet in packets if not packet.marks & _NOT_SHOWN]
    if not shown:
        raise StudyError(
            f"{path}: no video, or one whose beginning or end is missing: expected frames that FFmpeg can read, such "
            f"as those of a whole .mp4, .mov, .avi or .mkv: name another file, or {_COPY_AGAIN}"
        )
    if damages := [line for line in complaints if _DAMAGED.search(line)]:
        raise StudyError(
            f"{path}: cut short or damaged (FFmpeg: {damages[-1]}), {len(shown)} frames are there: {_COPY_AGAIN}, or "
            f"write what can be read anew: {_anew(path, 'whole')}"
        )
    with _opened(path) as reader:
        width, height, stated, turned = (
            reader.get(what)
            for what in (
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FPS,
                cv2.CAP_PROP_ORIENTATION_META,
            )
        )
    if turned:
        raise StudyError(
            f"{path}: it is stored on its side or upside down with a note to show it turned by {turned:g} degrees, "
            f"which programs differ in following: write it upright: {_anew(path, 'upright')}"
        )
    if any(key_frame.size != width * height for key_frame in _listed(path, _ONE_BYTE_A_PIXEL, _KEY_FRAMES)[0]):
        raise StudyError(
            f"{path}: its frames change their size on the way: write them all in one: {_anew(path, 'one-size')}"
        )
    rate, steady = _rate(np.sort([packet.time for packet in shown]), stated)
    return Video(path, int(width), int(height), rate, len(shown), steady)


class _Packet(NamedTuple):
    """A packet of a video, or a frame decoded from it: its time in seconds, how many bytes it is, FFmpeg's marks."""

    time: float
    size: int
    marks: int


def _listed(path: Path, made: list[str], read: list[str] | None = None) -> tuple[list[_Packet], list[str]]:
    """The packets that FFmpeg makes of a video as it is stored, and what it complains of meanwhile.

    ``made`` are options of its command line for what is made of the packets, ``read`` those for which ones are read.
    """
    ran = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-nostdin", "-noautorotate", *(read or [])]
        # V: not the picture of a cover.
        + ["-i", f"file:{path}", "-map", "0:V:0", *made, "-f", "framecrc", "-"],
        capture_output=True,
        text=True,
        errors="replace",
    )
    tick, packets = Fraction(1), []
    for line in ran.stdout.splitlines():
        if line.startswith("#"):
            tick = Fraction(line.split()[-1]) if line.startswith("#tb") else tick
            continue
        _, decoded, shown, _, size, _, *more = line.split(",")
        time = int(decoded) if int(shown) == _NO_TIME else int(shown)
        marks = re.search(r"F=0x([0-9A-F]+)", "".join(more))
        packets.append(_Packet(float(time * tick), int(size), int(marks[1], 16) if marks else 0))
    said = (re.sub(r"^(\[[^]]*\] )+", "", line) for line in ran.stderr.splitlines())
    return packets, [line.strip(" .") for line in said]


def _rate(times: np.ndarray, stated: float) -> tuple[float, bool]:
    """Frames a second, and whether frames are shown at that rate; ``times`` in seconds, in order."""
    elapsed = times - times[0]
    for rate in (stated, (len(times) - 1) / elapsed[-1] if elapsed[-1] else 1.0):
        if np.isfinite(rate) and rate > 0 and (np.abs(elapsed * rate - np.arange(len(times))) < 0.5).all():
            return float(rate), True
    return float(rate), False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    reader = cv2.VideoCapture(str(path))
    try:
        if not reader.isOpened():
            raise StudyError(f"{path}: OpenCV cannot open it as a video: write it anew: {_anew(path, 'whole')}")
        yield reader
    finally:
        reader.release()


def _anew(path: Path, word: str) -> str:
    return f"ffmpeg -i {quote(path.name)} -crf 12 {quote(f'{path.stem}-{word}.mp4')}"
