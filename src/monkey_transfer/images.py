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
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from monkey_transfer.errors import StudyError
from monkey_transfer.files import written

# The mean colour of ImageNet, which DeepLabCut's networks subtract from a picture (`mean_pixel` in its
# pose_cfg.yaml, rounded): padding with it is padding with nothing.
PADDING_RGB = (124, 117, 104)

# What brings a picture upright (Pillow's names), by its orientation tag from 2 to 8 (Exif 2.3, 4.6.4). 1 is
# upright, and above 4 the sides change places.
_TURNS = "FLIP_LEFT_RIGHT ROTATE_180 FLIP_TOP_BOTTOM TRANSPOSE ROTATE_270 TRANSVERSE ROTATE_90"

# Kinds of pixels (Pillow's modes) that leave no doubt which colour is meant.
_KINDS = "1 L P PA LA RGB RGBA RGBX CMYK YCbCr I;16 I;16B I;16L I;16N"
# Of 8 bits: a 16-bit picture without a brighter value was not made for the whole of its range.
_NEARLY_BLACK = 16
# Pixels (200 MB) that are laid out at once to make a picture.
_LARGEST_CANVAS = 2**26

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


class Frame(NamedTuple):
    """How a picture is made of another: the way from its pixels, and the width and height of the new one."""

    transform: Transform
    width: int
    height: int


def read_picture(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """The picture as (height, width, 3) uint8 RGB: :func:`rgb`, its pixels as they are stored.

    ``size`` is the (width, height) that its labels are for: a picture that has it only when turned as its orientation
    tag says is turned. StudyError if the file is missing, cut short, not a picture or of a kind that is not read.
    """
    with opened(path) as picture:
        shown = rgb(picture)
        turned = size != picture.size and size == upright_size(picture)
        return np.array(upright(shown) if turned else shown)


def picture_size(path: str | Path) -> tuple[int, int]:
    """(width, height) in pixels as stored, from the file's header; StudyError as for :func:`read_picture`."""
    with opened(path) as picture:
        return picture.size


def rgb(picture: ImageFile.ImageFile) -> Image.Image:
    """A file's Pillow picture as 8-bit RGB, its orientation tag kept; what is transparent has the colour of padding.

    Of 16 bits a channel the upper eight are taken. Raises StudyError where that leaves next to nothing, as it does of
    8 bits or a camera's 12 that are stored in 16, and where the file does not say which values are black and white
    (float and 32 bits).
    """
    name = os.fsdecode(picture.filename)
    if picture.mode not in _KINDS.split():
        raise StudyError(
            f"{name}: its pixels (Pillow's mode {picture.mode}) do not say which colours they are: save it in grey or "
            "colour with 8 or 16 bits a channel"
        )
    deep = re.search(r";16([BLN]|$)", f"{picture.tile}{picture.mode}")
    shown: Image.Image = picture
    if picture.mode.startswith("I;16"):
        shown = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    plain = shown.convert("RGB")
    if deep and (brightest := int(np.asarray(plain).max())) < _NEARLY_BLACK:
        raise StudyError(
            f"{name}: it has 16 bits a channel and no value above {256 * brightest + 255} of 65535, so that it would "
            "be nearly black: save it with 8 bits a channel"
        )
    if shown.has_transparency_data:
        ground = Image.new("RGBA", shown.size, PADDING_RGB)
        plain = Image.alpha_composite(ground, shown.convert("RGBA")).convert("RGB")
    plain.info = {"exif": picture.info.get("exif", b"")}
    return plain


def orientation(picture: Image.Image) -> int:
    """The orientation tag of a Pillow picture, 1 (upright as it is stored) to 8; 1 where there is none to be read."""
    exif = Image.Exif()
    try:
        # Not picture.getexif(), which decodes the whole picture where the format is PNG.
        exif.load(picture.info.get("exif", b""))
        tag = exif.get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises several kinds for a damaged block, without which the picture is still whole
        return 1
    return int(tag) if tag and tag in range(2, 9) else 1


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """The (width, height) of :func:`upright`."""
    return picture.size[::-1] if orientation(picture) > 4 else picture.size


def upright(picture: Image.Image) -> Image.Image:
    """The Pillow picture turned as its orientation tag says."""
    tag = orientation(picture)
    return picture.transpose(Image.Transpose[_TURNS.split()[tag - 2]]) if tag > 1 else picture


def write_picture(path: str | Path, image: np.ndarray) -> None:
    """Write an (height, width, 3) uint8 RGB picture as PNG, as :func:`~monkey_transfer.files.written` does."""
    with written(Path(path)) as unfinished:
        # Level 1 is several times faster than the default; photographs hardly shrink further.
        Image.fromarray(image).save(unfinished, format="PNG", compress_level=1)


def letterbox(picture: tuple[int, int], size: tuple[int, int]) -> Frame:
    """A whole (width, height) picture in a rectangle of a size, centred, its aspect kept and the rest padded."""
    width, height = picture
    scale = min(size[0] / width, size[1] / height)
    return _centred((width - 1) / 2, (height - 1) / 2, scale, size)


def crop(picture: tuple[int, int], box: tuple[float, float, float, float], scale: float, size: int) -> Frame:
    """A square of ``size`` pixels around a box of a (width, height) picture at a scale, padded where it leaves it.

    The centre of the box (x, y, width, height in pixels of the picture) becomes that of the square, which has ``scale``
    pixels for one of the picture. Raises StudyError if nothing would be seen: the box lies outside the picture, or the
    picture becomes shorter than a pixel of the square, or the square shows less than one of the picture.
    """
    (x, y, box_width, box_height), (width, height) = box, picture
    within = x < width - 0.5 and y < height - 0.5 and x + box_width > -0.5 and y + box_height > -0.5
    if not (within and 1 / max(width, height) <= scale <= size):
        raise StudyError(
            f"the person's box (x {x:g}, y {y:g}, width {box_width:g}, height {box_height:g}), {scale:g} times as "
            f"large, shows nothing of a {width} x {height} picture: correct the box or leave the picture out"
        )
    return _centred(x + box_width / 2, y + box_height / 2, scale, (size, size))


def fit(cut: Sequence[int], length: Length, size: int) -> Frame:
    """How a cut of a picture becomes a picture of its own whose ``length`` is ``size`` pixels, its aspect kept.

    The cut is left, top, right, bottom: the columns from left to right - 1 and the rows from top to bottom - 1. The
    other side is rounded up, so that nothing of it is lost.
    """
    left, top, right, bottom = cut
    width, height = right - left, bottom - top
    measured = width if length == "width" else max(width, height)
    scale = size / measured
    transform = Transform(scale, scale * (0.5 - left) - 0.5, scale * (0.5 - top) - 0.5)
    return Frame(transform, -(-width * size // measured), -(-height * size // measured))


def resample(image: np.ndarray, frame: Frame) -> np.ndarray:
    """The (height, width, 3) uint8 picture that ``frame`` makes of such an image: smoothed as it shrinks, padded."""
    transform, width, height = frame
    # Pillow counts from the corner of the top left pixel, half a pixel before its centre.
    left, top = transform.invert((-0.5, -0.5)) + 0.5
    seen_width, seen_height = width / transform.scale, height / transform.scale
    # Room for the smoothing filter, which reaches one new pixel beyond the edge.
    margin = math.ceil(max(1 / transform.scale, 1))
    x0, y0 = math.floor(left) - margin, math.floor(top) - margin
    columns, rows = math.ceil(seen_width) + 2 * margin + 1, math.ceil(seen_height) + 2 * margin + 1
    if columns * rows > _LARGEST_CANVAS:
        # So much is seen that a block of pixels is but a part of a new one: the blocks' means are the same picture.
        block = math.ceil(math.sqrt(columns * rows / _LARGEST_CANVAS))
        shift = transform.scale * (block - 1) / 2
        coarser = Transform(transform.scale * block, transform.dx + shift, transform.dy + shift)
        return resample(np.array(Image.fromarray(image).reduce(block)), Frame(coarser, width, height))
    canvas = np.full((rows, columns, 3), PADDING_RGB, np.uint8)
    seen = image[max(y0, 0) : max(y0 + rows, 0), max(x0, 0) : max(x0 + columns, 0)]
    row, column = max(-y0, 0), max(-x0, 0)
    canvas[row : row + seen.shape[0], column : column + seen.shape[1]] = seen
    region = (left - x0, top - y0, left - x0 + seen_width, top - y0 + seen_height)
    return np.array(Image.fromarray(canvas).resize((width, height), Image.Resampling.BILINEAR, box=region))


def unpadded(image: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of an (height, width, 3) picture without those at its edges that hold nothing but padding."""
    shows = (image != np.array(PADDING_RGB, np.uint8)).any(axis=2)
    rows, columns = (np.flatnonzero(shows.any(axis=axis)) for axis in (1, 0))
    return np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else np.s_[:0, :0]


def stamp(path: str | Path) -> str:
    """Size and time of change of the file, which tell it from another one; StudyError if it is missing."""
    try:
        found = Path(path).stat()
    except OSError:
        raise _missing(path) from None
    return f"{found.st_size}:{found.st_mtime_ns}"


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[ImageFile.ImageFile]:
    """The file as a Pillow picture; what goes wrong while it is read, here or in the block, is a StudyError."""
    try:
        with Image.open(path) as picture:
            _refuse_misread_tiff(path, picture)
            yield picture
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).replace(str(path), "the file")
        if isinstance(error, UnidentifiedImageError):
            reason = "it is empty, damaged or of a kind that is not read, such as HEIC"
        raise StudyError(f"{path}: not a whole picture ({reason}): replace it or take it out of the labels") from error


def _refuse_misread_tiff(path: str | Path, picture: Image.Image) -> None:
    """Raise StudyError for a TIFF of which Pillow makes another picture than the tools that label do."""
    tag, tags = ExifTags.Base, getattr(picture, "tag_v2", {})
    planes = tags.get(tag.PlanarConfiguration) == 2 and tags.get(tag.SamplesPerPixel, 1) > 1
    if max(tags.get(tag.BitsPerSample, (1,))) > 8 and (planes or tags.get(tag.PhotometricInterpretation) == 0):
        raise StudyError(f"{path}: a TIFF of 16 bits is not read if it has planes or 0 for white: save it as PNG")
    if tags.get(tag.Orientation, 1) != 1:
        raise StudyError(f"{path}: a TIFF with an orientation tag is not read: save it as it was labelled, without it")


def _missing(path: str | Path) -> StudyError:
    return StudyError(f"{path}: there is no such picture: restore it or take it out of the labels")


def _centred(x: float, y: float, scale: float, size: tuple[int, int]) -> Frame:
    """A rectangle of that (width, height) with (x, y) at its centre."""
    return Frame(Transform(scale, (size[0] - 1) / 2 - scale * x, (size[1] - 1) / 2 - scale * y), *size)


def small_png(content: bytes) -> bytes:
    """The same PNG in a palette of 256 colours, a third of the bytes: for figures, where nobody sees the difference."""
    with Image.open(io.BytesIO(content)) as opened:
        dpi = opened.info.get("dpi")
        palette = opened.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    written = io.BytesIO()
    palette.save(written, format="PNG", optimize=True, **({"dpi": dpi} if dpi else {}))
    return written.getvalue()
