"""Leeds Sports Pose (LSP) and its extended training set (LSPET): `joints.mat` and `images/`.

Both come from S. Johnson and M. Everingham: LSP with BMVC 2010, LSPET with CVPR 2011; the joints and
their order are those of the README in each archive. The two `joints.mat` differ:

- LSPET holds (14, 3, pictures); the third column is 1 where the joint is labelled. Elsewhere the position
  is a left-over, often outside the picture, and the joint is unlabelled.
- LSP holds (3, 14, pictures); every joint is labelled, and the third row is 1 where it is *hidden*, although
  its README calls the value visibility. Loaders in circulation invert it, and so does this one.

Coordinates are taken as 0-based pixel centres, unchanged. Neither README states the origin, so this rests on
the numbers: of the 98,489 labelled joints in the first 8,000 pictures of LSPET, eight have an x and sixteen a y
below 1, where a count from 1 would have none (the smallest x is 0.0); at the other end only one passes the
centre of the last pixel. That is likely, not certain: were it wrong, every label would be one pixel too far
right and down. LSP, by the same authors, is read likewise.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from monkey_transfer.datasets.assembly import GET_IT, assemble, with_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.matfile import read_variable
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import LSP_14


def read_lsp(folder: Path) -> Dataset:
    """Read the data set in ``folder``, LSP or LSPET as the shape of its `joints.mat` says.

    Every picture is its own group, since neither release says which pictures belong together. ``split`` is
    the authors' own: all of LSPET trains; of LSP the first half trains and the second tests. Neither has
    MPII's official head size; ``head_segment`` is the yardstick next to it.

    StudyError if `joints.mat` is missing, unreadable or of another layout, a labelled joint is NaN, or more than one
    picture in a hundred is missing or has most of its joints outside.

    Parameters
    ----------
    folder : holds `joints.mat` and `images/im00001.jpg` (LSPET) or `images/im0001.jpg` (LSP) and so on.
    """
    folder = Path(folder)
    source = folder / "joints.mat"
    joints = _read_joints(source)
    extended = joints.shape[:2] == (14, 3)
    joints = joints.transpose(2, 0, 1) if extended else joints.transpose(2, 1, 0)
    flags = joints[..., 2]
    if not np.isin(flags, (0, 1)).all():
        raise StudyError(f"{source}: expected flags of 0 and 1 beside the positions, found {flags.max():g}")

    labelled = flags == 1 if extended else np.ones_like(flags, bool)
    points = np.where(labelled[..., None], joints[..., :2], np.nan)
    stems = [f"im{number:0{5 if extended else 4}d}" for number in range(1, len(joints) + 1)]
    images = pd.DataFrame(
        {
            "image_id": stems,
            "path": [str(folder / "images" / f"{stem}.jpg") for stem in stems],
            "group": stems,
            "split": np.where(extended | (np.arange(len(joints)) < len(joints) / 2), "train", "test"),
        }
    )
    images = with_sizes(source, images, points, remedy=GET_IT)
    visible = flags == extended
    return assemble(source, "LSPET" if extended else "LSP", LSP_14, images, points, labelled, visible)


def _read_joints(source: Path) -> np.ndarray:
    joints = read_variable(source, "joints", "expected the file of the LSP or LSPET release with a matrix 'joints'")
    if not (isinstance(joints, np.ndarray) and joints.dtype.kind in "biuf"):
        raise StudyError(f"{source}: 'joints' holds no plain numbers: get the file again")
    # MATLAB drops a last dimension of one.
    joints = joints[..., None] if joints.ndim == 2 else joints
    if joints.ndim != 3 or joints.shape[:2] not in ((14, 3), (3, 14)):
        raise StudyError(f"{source}: 'joints' has shape {joints.shape}: expected (14, 3, number) or (3, 14, number)")
    return joints.astype(float)
