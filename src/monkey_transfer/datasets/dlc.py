"""A labelled DeepLabCut project: `config.yaml` and `labeled-data/<video>/CollectedData_<scorer>.h5` or `.csv`.

The layout is what DeepLabCut 3.0.2 itself reads back: `merge_annotateddatasets` in
`generate_training_dataset/trainingsetmanipulation.py`, `convertcsv2h5` and `guarantee_multiindex_rows` in
`utils/conversioncode.py`. A row is a picture, named by its path within the project, in three index levels or
in one (older releases; with backslashes where it was labelled on Windows). Columns have the levels scorer,
bodyparts and coords. A keypoint that is not labelled is NaN; the format does not know hidden ones.

Coordinates are 0-based pixel centres, unchanged. DeepLabCut's labelling tool, napari-deeplabcut, writes the
positions of napari's points as they are (`_form_df` in its `_writer.py`), and napari puts the centre of the first
pixel at (0, 0) (napari pull request 1660). The tool before it (`labeling_toolbox.py` up to release 2.2) took the
clicks from matplotlib's `imshow`, which puts it there as well.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import yaml

from monkey_transfer.datasets.assembly import assemble, picture_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.naming import study_keypoints
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import Skeleton

_HEADER = ("scorer", "bodyparts", "coords")


def read_dlc(project: Path, skeleton: Skeleton, keypoints: Mapping[str, str] | None = None) -> Dataset:
    """Read all pictures that the project's scorer labelled, whichever videos `config.yaml` still lists.

    ``image_id`` is the video's folder and the stem of the picture's file name, ``group`` the folder, so that the
    frames of one video stay in one part of a split. The box is that of the labelled joints. ``visible`` is
    ``labelled``. DeepLabCut draws its own split when it trains: ``split`` is ``all``. Pictures of these videos that
    somebody else labelled and the scorer did not are listed in ``left_out``.

    Parameters
    ----------
    project : the folder that holds `config.yaml`.
    skeleton : the keypoint set to bring the body parts to.
    keypoints : body part -> keypoint of the skeleton; body parts that are not named are not read. Without it,
        every body part must be a keypoint of the skeleton.

    Raises
    ------
    StudyError
        If `config.yaml` or the labels are missing, unreadable or of another layout, the project is one of several
        animals, the names do not lead to the skeleton's, a video has labels by somebody else only, a picture is
        labelled twice or a keypoint by half, or more than one picture in a hundred is missing or has most of its
        joints outside.
    """
    project = Path(project)
    config = project / "config.yaml"
    scorer, bodyparts = _read_config(config)
    chosen = study_keypoints(config, bodyparts, skeleton, keypoints)
    own, others = _label_files(project, scorer)
    tables = pd.concat({file: _read_labels(file, scorer, list(chosen)) for file in own})
    labels = tables.droplevel(0)
    twice = tables.index[labels.index.duplicated()]
    if len(twice):
        file, picture = twice[0]
        raise StudyError(f"{file}: picture {picture} is labelled twice: remove one of its rows")

    points = np.full((len(labels), len(skeleton.keypoints), 2), np.nan)
    columns = [skeleton.keypoints.index(keypoint) for keypoint in chosen.values()]
    points[:, columns] = labels.to_numpy().reshape(len(labels), len(chosen), 2)
    labelled = ~np.isnan(points).all(axis=-1)
    images = _images(project, labels.index, points)
    dataset = assemble(project, project.name, skeleton, images, points, labelled, labelled)
    left_out = [dataset.left_out, *(_not_ours(file, scorer, labels.index) for file in others)]
    return replace(dataset, left_out=pd.concat(left_out, ignore_index=True))


def _read_config(config: Path) -> tuple[str, list[str]]:
    """The scorer and the body parts that the project names."""
    expected = "expected the config.yaml of a labelled DeepLabCut project"
    try:
        settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{config}: cannot be read ({error.strerror}): {expected}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"{config}: not valid YAML ({' '.join(str(error).split())}): {expected}") from error
    if not isinstance(settings, dict):
        raise StudyError(f"{config}: there are no keys in it: {expected}")
    if settings.get("multianimalproject"):
        raise StudyError(
            f"{config}: multianimalproject is true, but only projects with one animal in a picture are read: "
            "export one animal to a project of its own"
        )
    scorer, bodyparts = settings.get("scorer"), settings.get("bodyparts")
    if not scorer or not isinstance(bodyparts, list):
        raise StudyError(f"{config}: it lacks 'scorer' or the list 'bodyparts': {expected}")
    return str(scorer), [str(bodypart) for bodypart in bodyparts]


def _label_files(project: Path, scorer: str) -> tuple[list[Path], list[Path]]:
    """The scorer's labels of every labelled video, and everybody else's of the same videos.

    Of one scorer's labels it is the .h5, which DeepLabCut itself reads, or else the .csv.
    """
    found = [
        file for suffix in ("csv", "h5") for file in sorted(project.glob(f"labeled-data/*/CollectedData_*.{suffix}"))
    ]
    found = sorted({file.with_suffix(""): file for file in found}.values())
    own = {file.parent: file for file in found if file.stem == f"CollectedData_{scorer}"}
    for file in found:
        if file.parent not in own:
            raise StudyError(
                f"{file}: the scorer of {project / 'config.yaml'} is '{scorer}', whose labels of this video are "
                "missing: correct the scorer or move the file elsewhere"
            )
    if not own:
        raise StudyError(
            f"{project / 'labeled-data'}: there is no CollectedData_{scorer}.h5 or .csv in any folder of it: "
            "label the project first"
        )
    return list(own.values()), [file for file in found if file not in own.values()]


def _read_labels(file: Path, scorer: str, bodyparts: list[str]) -> pd.DataFrame:
    """x and y of each body part, NaN where not labelled; the index is the picture's path within the project.

    Other columns are not read: body parts that the project dropped, and the likelihoods that refined predictions
    leave behind.
    """
    table = _read_table(file)
    columns = table.columns
    if columns.nlevels != len(_HEADER) or columns.has_duplicates or scorer not in columns.get_level_values(0):
        raise StudyError(
            f"{file}: expected columns with the levels {', '.join(_HEADER)}, each once, and '{scorer}' as the scorer: "
            "save the labels again with DeepLabCut"
        )
    try:
        return table.reindex(columns=pd.MultiIndex.from_product([[scorer], bodyparts, ["x", "y"]])).astype(float)
    except ValueError as error:
        raise StudyError(f"{file}: {error}: correct the position, or leave it empty if it is not labelled") from error


def _not_ours(file: Path, scorer: str, own: pd.Index) -> pd.DataFrame:
    """The left_out table of the pictures that ``file`` labels and the scorer's ``own`` labels do not name."""
    table = _read_table(file).dropna(how="all")
    other = file.stem.removeprefix("CollectedData_")
    return pd.DataFrame(
        {
            "image_id": [_image_id(key) for key in table.index.difference(own, sort=False)],
            "keypoint": "",
            "reason": f"labelled by {other} and not by {scorer}, the scorer",
        },
        dtype=str,
    )


def _read_table(file: Path) -> pd.DataFrame:
    """The table in a file of labels, indexed by the picture's path within the project."""
    table = _read_h5(file) if file.suffix == ".h5" else _read_csv(file)
    keys = [key if isinstance(key, tuple) else (key,) for key in table.index]
    return table.set_axis(pd.Index(["/".join(map(str, key)).replace("\\", "/") for key in keys], dtype=object))


def _read_h5(file: Path) -> pd.DataFrame:
    try:
        return pd.DataFrame(pd.read_hdf(file))
    # PyTables and pandas raise half a dozen kinds of exception for bytes that are no such file.
    except Exception as error:
        raise StudyError(
            f"{file}: not a readable table ({' '.join(str(error).split())}): save the labels again with DeepLabCut, "
            "or remove the file if there is a .csv beside it"
        ) from error


def _read_csv(file: Path) -> pd.DataFrame:
    """The table as its .h5 would hold it.

    pandas' own reading of several header rows is not used: it takes a first picture without labels for the names
    of the index and loses it, and it rounds positions in their last digit.
    """
    try:
        cells = pd.read_csv(file, header=None, dtype=str)
    except (OSError, ValueError) as error:
        raise StudyError(
            f"{file}: not a readable table ({' '.join(str(error).split())}): save the labels again with DeepLabCut"
        ) from error
    if tuple(cells.iloc[:3, 0]) != _HEADER:
        raise StudyError(
            f"{file}: expected three rows that begin with {', '.join(_HEADER)}: save the labels again with DeepLabCut"
        )
    header, rows = cells.iloc[:3], cells.iloc[3:]
    # Either the first three columns are the parts of the picture's path, or the first is the path.
    depth = 3 if rows[0].eq("labeled-data").all() else 1
    index, columns = pd.MultiIndex.from_frame(rows.iloc[:, :depth]), pd.MultiIndex.from_frame(header.iloc[:, depth:].T)
    return rows.iloc[:, depth:].set_axis(index).set_axis(columns, axis=1)


def _images(project: Path, keys: pd.Index, points: np.ndarray) -> pd.DataFrame:
    paths = [project / key for key in keys]
    sizes = picture_sizes(project, paths, points)
    return pd.DataFrame(
        {
            "image_id": [_image_id(key) for key in keys],
            "path": [str(path) for path in paths],
            "width": sizes[:, 0],
            "height": sizes[:, 1],
            "group": [path.parent.name for path in paths],
            "split": "all",
        }
    )


def _image_id(key: str) -> str:
    """The name of a picture by its path within the project."""
    path = PurePosixPath(key)
    return f"{path.parent.name}-{path.stem}"
