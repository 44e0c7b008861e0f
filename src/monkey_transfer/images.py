"""Pictures, and the cuts that a network sees of them, each with its invertible transform.

Everything here uses pixel centres: the centre of the top left pixel is (0, 0), so a picture that is
``w`` pixels wide reaches from -0.5 to w - 0.5. Enlarging it ``s`` times moves x to (x + 0.5) s - 0.5.

A photograph may lie on its side in its file, with a tag beside it (EXIF orientation) that says how to turn it. Labels
count its pixels as they are stored, unless they state the size that it has when turned:

- MATLAB's `imread`, in which labels of MPII and LSP are at home, does not follow the tag. DeepLabCut neither labels
  nor trains on turned pictures: `_read_and_normalize` in napari-deeplabcut's `_reader.py` reads with OpenCV's
  IMREAD_UNCHANGED, `imread` in DeepLabCut's `utils/auxfun_videos.py` with scikit-image, and both leave the tag alone.
- COCO files come from both kinds of tools. labelme turns (its pull request 305), labelImg does not (its issue 395),
  and public loaders disagree as well: detectron2 turns (`_apply_exif_orientation` in its `detection_utils.py`), HRNet
  asks OpenCV not to (`IMREAD_IGNORE_ORIENTATION` in its `JointsDataset.py`). What such a file states as width and
  height tells.
"""

import contextlib
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from PIL import ExifTags, Image

from monkey_transfer.errors import StudyError

# The mean colour of ImageNet, which DeepLabCut's networks subtract from a picture (`mean_pixel` in its
# pose_cfg.yaml, rounded): padding with it is padding with nothing.
PADDING_RGB = (124, 117, 104)

# What brings a picture upright, by its orientation tag (Exif 2.3, 4.6.4); 1 is upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ON_ITS_SIDE = (5, 6, 7, 8)

# What is meant by the length of a picture that is resized to a length, its aspect kept.
Length = Literal["longer_side", "width"]


@dataclass(frozen=True)
class Transform:
    """The way from one picture's pixels to another's: ``new = scale * old + (dx, dy)``.

    The scale is the same along both axes, so nobody is distorted. Lengths are multiplied by ``scale``.
    """

    scale: float
    dx: float
    dy: float

    def apply(self, points: ArrayLike) -> np.ndarray:
        """Points (..., 2) of the old picture as points of the new one; NaN stays NaN."""
        return np.asarray(points, float) * self.scale + (self.dx, self.dy)

    def invert(self, points: ArrayLike) -> np.ndarray:
        """Points (..., 2) of the new picture as points of the old one; NaN stays NaN."""
        return (np.asarray(points, float) - (self.dx, self.dy)) / self.scale


def read_picture(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """The picture as (height, width, 3) uint8 RGB, its pixels as they are stored.

    Parameters
    ----------
    size : (width, height) that its labels are for. A picture that has it only when turned as its orientation tag
        says is turned.

    Raises
    ------
    StudyError
        If the file is missing, cut short, not a picture, or has more than 8 bits a channel.
    """
    with opened(path) as picture:
        if picture.mode.startswith(("I", "F")):
            raise StudyError(f"{path}: expected a picture with 8 bits a channel, found mode {picture.mode}: convert it")
        turned = size is not None and size != picture.size and size == upright_size(picture.size, _tag(picture))
        return np.array((upright(picture) if turned else picture).convert("RGB"))


def picture_size(path: str | Path) -> tuple[int, int]:
    """(width, height) in pixels as stored, from the file's header; StudyError as for :func:`read_picture`."""
    with opened(path) as picture:
        return picture.size


def orientation(path: str | Path) -> int:
    """The orientation tag in the file's header, 1 (upright as it is stored) to 8; StudyError as above."""
    with opened(path) as picture:
        return _tag(picture)


def upright_size(size: tuple[int, int], tag: int) -> tuple[int, int]:
    """(width, height) of a picture of that size and orientation tag when it is turned upright."""
    return size[::-1] if tag in ON_ITS_SIDE else size


def upright(picture: Image.Image) -> Image.Image:
    """The Pillow picture turned as its orientation tag says."""
    tag = _tag(picture)
    return picture.transpose(_TURNS[tag]) if tag in _TURNS else picture


def write_picture(path: str | Path, image: np.ndarray) -> None:
    """Write an (height, width, 3) uint8 RGB picture as PNG: the file is there whole, or as it was before.

    Raises StudyError if the folder is missing, cannot be written to or is full.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        # Level 1 is several times faster than the default; photographs hardly shrink further.
        Image.fromarray(image).save(unfinished, format="PNG", compress_level=1)
        os.replace(unfinished, path)
    except OSError as error:
        reason = error.strerror or error
        raise StudyError(f"{path}: cannot write the picture ({reason}): check the folder and its free space") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def letterbox(image: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, Transform]:
    """The whole picture fitted into a rectangle, centred, its aspect kept and the rest padded.

    Parameters
    ----------
    image : (height, width, 3) uint8.
    size : (width, height) of the rectangle in pixels.

    Returns
    -------
    picture : (height, width, 3) uint8 of that size.
    transform : from pixels of ``image`` to pixels of ``picture``.
    """
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    transform = _centred((width - 1) / 2, (height - 1) / 2, scale, size)
    return resample(image, transform, *size), transform


def crop(
    image: np.ndarray, box: tuple[float, float, float, float], scale: float, size: int
) -> tuple[np.ndarray, Transform]:
    """A square cut around a box at a given scale, padded where it leaves the source.

    Parameters
    ----------
    image : (height, width, 3) uint8.
    box : x, y, width, height of the person in pixels of ``image``; its centre becomes the centre of the cut.
    scale : pixels of the cut for one pixel of ``image``.
    size : side of the cut in pixels.

    Returns
    -------
    picture : (size, size, 3) uint8.
    transform : from pixels of ``image`` to pixels of ``picture``.

    Raises
    ------
    StudyError
        If the scale is not above zero, or the box lies outside the picture.
    """
    x, y, box_width, box_height = (float(value) for value in box)
    height, width = image.shape[:2]
    shown = x < width - 0.5 and y < height - 0.5 and x + box_width > -0.5 and y + box_height > -0.5
    if not (scale > 0 and math.isfinite(scale) and shown):
        raise StudyError(
            f"the person's box (x {x:g}, y {y:g}, width {box_width:g}, height {box_height:g}) shows nothing of a "
            f"{width} x {height} picture: correct the box or leave the picture out"
        )
    transform = _centred(x + box_width / 2, y + box_height / 2, scale, (size, size))
    return resample(image, transform, size, size), transform


def fit(cut: Sequence[int], length: Length, size: int) -> tuple[Transform, int, int]:
    """How a cut of a picture becomes a picture of its own that is ``size`` pixels long, its aspect kept.

    Parameters
    ----------
    cut : left, top, right, bottom: the columns from left to right - 1 and the rows from top to bottom - 1.
    length : what gets ``size`` pixels. The other side is rounded up, so that nothing of the cut is lost.

    Returns
    -------
    transform : from pixels of the picture to those of the cut's own picture.
    width, height : of the cut's own picture in pixels.
    """
    left, top, right, bottom = cut
    width, height = right - left, bottom - top
    measured = width if length == "width" else max(width, height)
    scale = size / measured
    transform = Transform(scale, scale * (0.5 - left) - 0.5, scale * (0.5 - top) - 0.5)
    return transform, -(-width * size // measured), -(-height * size // measured)


def resample(image: np.ndarray, transform: Transform, width: int, height: int) -> np.ndarray:
    """The (height, width, 3) picture that ``transform`` makes of ``image``, smoothed as far as it shrinks.

    It is padded where it leaves ``image``.
    """
    # Pillow counts from the corner of the top left pixel, half a pixel before its centre.
    left, top = transform.invert((-0.5, -0.5)) + 0.5
    seen_width, seen_height = width / transform.scale, height / transform.scale
    # Room for the smoothing filter, which reaches one new pixel beyond the edge.
    margin = math.ceil(max(1 / transform.scale, 1))
    x0, y0 = math.floor(left) - margin, math.floor(top) - margin
    columns, rows = math.ceil(seen_width) + 2 * margin + 1, math.ceil(seen_height) + 2 * margin + 1
    canvas = np.full((rows, columns, 3), PADDING_RGB, np.uint8)
    seen = image[max(y0, 0) : max(y0 + rows, 0), max(x0, 0) : max(x0 + columns, 0)]
    row, column = max(-y0, 0), max(-x0, 0)
    canvas[row : row + seen.shape[0], column : column + seen.shape[1]] = seen
    region = (left - x0, top - y0, left - x0 + seen_width, top - y0 + seen_height)
    return np.array(Image.fromarray(canvas).resize((width, height), Image.Resampling.BILINEAR, box=region))


def blank(image: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """The (height, width, 3) picture with padding wherever ``shown``, (height, width) bool, is False."""
    blanked = image.copy()
    blanked[~shown] = PADDING_RGB
    return blanked


def stamp(path: str | Path) -> str:
    """Size and time of change of the file, which tell it from another one; StudyError if it is missing."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        raise StudyError(f"{path}: there is no such picture: restore it or take it out of the labels") from None
    return f"{found.st_size}:{found.st_mtime_ns}"


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Image.Image]:
    """The file as a Pillow picture; what goes wrong while it is read, here or in the block, is a StudyError."""
    try:
        with Image.open(path) as picture:
            yield picture
    except FileNotFoundError:
        raise StudyError(f"{path}: there is no such picture: restore it or take it out of the labels") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).replace(str(path), "the file")
        raise StudyError(f"{path}: not a whole picture ({reason}): replace it or take it out of the labels") from error


def _tag(picture: Image.Image) -> int:
    """The orientation tag, 1 where there is none that can be read."""
    exif = Image.Exif()
    try:
        # Not picture.getexif(), which decodes the whole picture where the format is PNG.
        exif.load(picture.info.get("exif", b""))
        tag = exif.get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises several kinds for a damaged block, without which the picture is still whole
        return 1
    return tag if tag in _TURNS else 1


def _centred(x: float, y: float, scale: float, size: tuple[int, int]) -> Transform:
    """The transform that brings (x, y) to the centre of a rectangle of that (width, height)."""
    return Transform(scale, (size[0] - 1) / 2 - scale * x, (size[1] - 1) / 2 - scale * y)


def small_png(content: bytes) -> bytes:
    """The same PNG in a palette of 256 colours, a third of the bytes: for figures, where nobody sees the difference."""
    with Image.open(io.BytesIO(content)) as opened:
        dpi = opened.info.get("dpi")
        palette = opened.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    written = io.BytesIO()
    palette.save(written, format="PNG", optimize=True, **({"dpi": dpi} if dpi else {}))
    return written.getvalue()
