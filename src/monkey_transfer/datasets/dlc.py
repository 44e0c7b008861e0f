"""A labelled DeepLabCut project: `config.yaml` and `labeled-data/<video>/CollectedData_<scorer>.h5` and `.csv`.

The layout is what DeepLabCut 3.0.2 itself reads back: `merge_annotateddatasets` in
`generate_training_dataset/trainingsetmanipulation.py`, `convertcsv2h5` and `guarantee_multiindex_rows` in
`utils/conversioncode.py`, `convert2_maDLC` in `utils/auxfun_multianimal.py`. A row is a picture, named by its path
within the project, in three index levels or in one (older releases; with backslashes where it was labelled on
Windows). Columns have the levels scorer, bodyparts and coords, and in a multi-animal project individuals after the
scorer. A keypoint that is not labelled is NaN; the format does not know hidden ones.

Coordinates are 0-based pixel centres, unchanged. DeepLabCut's labelling tool, napari-deeplabcut, writes the
positions of napari's points as they are (`_form_df` in its `_writer.py`), and napari puts the centre of the first
pixel at (0, 0) (napari pull request 1660). The tool before it (`labeling_toolbox.py` up to release 2.2) took the
clicks from matplotlib's `imshow`, which puts it there as well.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import yaml

from monkey_transfer.datasets.assembly import assemble, either_spelling, short_id, with_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.grouping import VIDEOS
from monkey_transfer.datasets.naming import study_keypoints
from monkey_transfer.datasets.spreadsheets import cells_of
from monkey_transfer.datasets.units import refuse_shares
from monkey_transfer.errors import StudyError
from monkey_transfer.files import read_text
from monkey_transfer.skeletons import Skeleton

_SUFFIXES = (".csv", ".h5")
_HEADERS = {3: ["scorer", "bodyparts", "coords"], 4: ["scorer", "individuals", "bodyparts", "coords"]}
# DeepLabCut's individual for the body parts that a picture has once, however many animals it shows.
_ONCE = "single"
# Cells of joints that are not labelled, in small letters.
_EMPTY = {"", "na", "n/a", "#n/a", "nan", "null", "none"}
# Pixels by which a .csv may differ from its .h5: a spreadsheet rounds.
ROUNDING = 0.01


def read_dlc(project: Path, skeleton: Skeleton, keypoints: Mapping[str, str] | None = None) -> Dataset:
    """Read all pictures that the project's scorer labelled, whichever videos `config.yaml` still lists.

    ``image_id`` is the video's folder and the stem of the picture's file name, ``group`` the folder, so that the
    frames of one video stay in one part of a split. The box is that of the labelled joints. ``visible`` is
    ``labelled``. DeepLabCut draws its own split when it trains: ``split`` is ``all``. Pictures of these videos that
    somebody else labelled and the scorer did not are listed in ``left_out``.

    StudyError if `config.yaml` or the labels are missing, unreadable or of another layout, names do not lead to the
    skeleton's, a body part is in no file or a file has none, a video has labels by somebody else only, its .csv and .h5
    disagree, a picture is labelled twice or shows several individuals, a position is no number or half missing,
    positions are shares of the picture's sides, or more than one picture in a hundred is missing or has most of its
    joints outside.

    Parameters
    ----------
    project : the folder that holds `config.yaml`. A multi-animal project may have one individual in each picture.
    skeleton : the keypoint set to bring the body parts to.
    keypoints : body part -> keypoint of the skeleton; body parts that are not named are not read. Without it,
        every body part must be a keypoint of the skeleton.
    """
    project = Path(project)
    config = project / "config.yaml"
    scorer, bodyparts = _read_config(config)
    chosen = study_keypoints(config, bodyparts, skeleton, keypoints)
    cells, own = _labels(project, scorer)
    _check_body_parts(config, cells[own], list(chosen))
    labels = _positions(cells[own & cells["bodyparts"].isin(chosen)]).rename(columns=chosen, level="bodyparts")
    labels = labels.reindex(
        index=pd.MultiIndex.from_frame(cells.loc[own, ["folder", "picture"]].drop_duplicates()),
        columns=pd.MultiIndex.from_product([skeleton.keypoints, ["x", "y"]]),
    )
    points = labels.to_numpy().reshape(len(labels), len(skeleton.keypoints), 2)
    labelled = ~np.isnan(points).all(axis=-1)
    keys = labels.index.get_level_values("picture")
    images = pd.DataFrame(
        {
            "image_id": keys.map(_image_id),
            "path": [either_spelling(project, key) for key in keys],
            "group": [Path(key).parent.name for key in keys],
            "split": "all",
        }
    )
    no_joint = (points == 0).all(axis=-1, keepdims=True)
    refuse_shares(project, [f"picture {key}" for key in keys], np.where(no_joint, np.nan, points))
    images = with_sizes(project, images, points)
    dataset = assemble(project, project.name, skeleton, images, points, labelled, labelled)
    dataset = replace(dataset.named_by(chosen), groups=VIDEOS)
    not_own = cells[~cells["picture"].isin(cells["picture"][own]) & cells["number"].notna()]
    others = map(_image_id, not_own["picture"].unique())
    return dataset.leaving_out(others, "labelled by somebody else than the scorer")


def labelled_body_parts(project: Path) -> dict[str, int]:
    """The body parts that `config.yaml` names, and in how many pictures the scorer labelled each.

    StudyError if `config.yaml` or a file of labels cannot be read, or there are none.
    """
    scorer, bodyparts = _read_config(project / "config.yaml")
    cells, own = _labels(project, scorer)
    labelled = cells[own & cells["number"].notna()].groupby("bodyparts")["picture"].nunique()
    return {bodypart: int(labelled.get(bodypart, 0)) for bodypart in bodyparts}


def _labels(project: Path, scorer: str) -> tuple[pd.DataFrame, pd.Series]:
    """The cells of all files of labels, and which of them are the scorer's own."""
    files = sorted(file for file in project.glob("labeled-data/*/CollectedData_*") if file.suffix in _SUFFIXES)
    if not files:
        raise StudyError(
            f"{project / 'labeled-data'}: there is no CollectedData_{scorer}.h5 or .csv in any folder of it: "
            "label the project first"
        )
    cells = pd.concat([_read_cells(file) for file in files], ignore_index=True)
    own = (cells["by"] == scorer) & (cells["scorer"] == scorer)
    for cell in cells[~own.groupby(cells["folder"]).transform("any")].itertuples():
        raise StudyError(
            f"{cell.file}: '{cell.by}' in its name and '{cell.scorer}' in its header are not both '{scorer}', the "
            f"scorer of {project / 'config.yaml'}, whose labels of this video are missing: correct the scorer or move "
            "the file elsewhere"
        )
    return cells, own


def _read_config(config: Path) -> tuple[str, list[str]]:
    """The scorer and the body parts that the project names."""
    expected = "expected the config.yaml of a labelled DeepLabCut project"
    try:
        # Names as they are written: DeepLabCut's YAML is of version 1.2, in which 'no' is a word.
        settings = yaml.load(read_text(config), yaml.BaseLoader)
    except (OSError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "strerror", None) or f"not valid YAML{f', line {mark.line + 1}' if mark else ''}"
        raise StudyError(f"{config}: cannot be read ({reason}): {expected}") from error
    settings = settings if isinstance(settings, dict) else {}
    multi_animal = str(settings.get("multianimalproject")).casefold() == "true"
    keys = ("multianimalbodyparts", "uniquebodyparts") if multi_animal else ("bodyparts",)
    scorer, lists = settings.get("scorer"), [settings.get(key) or [] for key in keys]
    bodyparts = [name for names in lists for name in (names if isinstance(names, list) else [names, None])]
    if not scorer or not bodyparts or not all(isinstance(name, str) for name in (scorer, *bodyparts)):
        raise StudyError(f"{config}: it lacks 'scorer' or the list of names '{keys[0]}': {expected}")
    return scorer, bodyparts


def _check_body_parts(config: Path, cells: pd.DataFrame, bodyparts: list[str]) -> None:
    """Raise StudyError if a file has none of the body parts, or one of them is in none of the files."""
    chosen = cells["bodyparts"].isin(bodyparts)
    for cell in cells[~chosen.groupby(cells["file"]).transform("any")].itertuples():
        raise StudyError(
            f"{cell.file}: it has none of the body parts {', '.join(bodyparts)}, but others such as "
            f"'{cell.bodyparts}': give them the same names there and in {config.name}"
        )
    known = cells["bodyparts"].unique()
    for bodypart in bodyparts:
        if bodypart not in known and len(cells):
            raise StudyError(
                f"{config}: body part '{bodypart}' is in no file of labels ({', '.join(known)}): correct its name here "
                "or there, or take it out of this file and of the profile"
            )


def _positions(cells: pd.DataFrame) -> pd.DataFrame:
    """x and y of the labelled body parts: a row for each (folder, picture), a column for each (bodyparts, coords)."""
    for cell in cells[np.isinf(cells["number"])].itertuples():
        raise StudyError(
            f"{cell.file}: row {cell.picture}, column '{cell.bodyparts}' {cell.coords} is {cell.cell!r}: write a "
            "number such as 12.5 there, or nothing if it is not labelled"
        )
    cells = cells.dropna(subset="number")
    animals = cells["individuals"].where(cells["individuals"] != _ONCE).groupby([cells["file"], cells["picture"]])
    for cell in cells[animals.transform("nunique") > 1].itertuples():
        raise StudyError(
            f"{cell.file}: picture {cell.picture} shows '{cell.individuals}' and others: expected one individual in a "
            "picture; make a project of its labels alone"
        )
    numbers = cells.groupby(["file", "picture", "bodyparts"])["number"].transform("count")
    for cell in cells.assign(numbers=numbers)[numbers != 2].itertuples():
        raise StudyError(
            f"{cell.file}: picture {cell.picture} has {cell.numbers} number(s) for '{cell.bodyparts}': expected one x "
            "and one y; remove the row or column that is there twice, or complete what is labelled by half"
        )
    both = cells.groupby(["folder", "picture", "bodyparts", "coords"])["number"]
    moved = both.transform("max") - both.transform("min") > ROUNDING
    for cell in cells[moved | (both.transform("count") != cells["files"])].itertuples():
        raise StudyError(
            f"{cell.file}: {cell.coords} of '{cell.bodyparts}' in picture {cell.picture} differs between the .csv and "
            "the .h5, which DeepLabCut reads: run deeplabcut.convertcsv2h5 if the .csv is right, else delete the .csv"
        )
    return both.last().unstack(["bodyparts", "coords"])


def _read_cells(file: Path) -> pd.DataFrame:
    """Every x and y in a file of labels, also where none is labelled.

    Columns: ``picture``, its path in the project; ``scorer, individuals, bodyparts, coords`` of the header; ``cell``
    as it is there and its ``number``, NaN if empty and infinite if it is none; ``file``, its ``folder``, the scorer
    that its name says, ``by``, and in how many ``files`` the same should be. Likelihoods, which refined predictions
    leave behind, are not read.
    """
    try:
        table = pd.DataFrame(pd.read_hdf(file)) if file.suffix == ".h5" else _read_csv(file)
        if table.columns.nlevels not in _HEADERS or not {"x", "y"} <= {*table.columns.get_level_values(-1)}:
            raise ValueError("its header is not scorer, [individuals,] bodyparts, coords x and y")
    except Exception as error:  # PyTables and pandas raise half a dozen kinds for bytes that are no such file
        reason = " ".join(str(error).splitlines()[-1:])
        raise StudyError(
            f"{file}: not a table of labels ({reason}): save the labels again with DeepLabCut, or remove the file if "
            "there is a .csv or .h5 beside it"
        ) from error
    table.columns.names = levels = _HEADERS[table.columns.nlevels]
    table.index = pd.Index([_path(file, key) for key in table.index], dtype=object, name="picture")
    cells = table.melt(ignore_index=False, value_name="cell").reset_index()
    cells = cells.astype({"cell": object} | dict.fromkeys(levels, str)).query("coords in ('x', 'y')")
    return cells.assign(
        individuals=cells.get("individuals", _ONCE),
        number=cells["cell"].map(_number).astype(float),
        file=str(file),
        folder=str(file.parent),
        by=file.stem.removeprefix("CollectedData_"),
        files=sum(file.with_name(file.stem + suffix).is_file() for suffix in _SUFFIXES),
    )


def _path(file: Path, key: Any) -> str:
    """The path of a picture in the project, by its row in a file of labels, be it the path on another machine."""
    # pandas takes the name of a video called NA for a missing one, and so does convertcsv2h5.
    parts = [file.parent.name if pd.isna(part) else str(part) for part in (key if isinstance(key, tuple) else [key])]
    path = [part for part in "/".join(parts).replace("\\", "/").split("/") if part][-3:]
    return "/".join([*("labeled-data", file.parent.name)[: 3 - len(path)], *path])


def _number(cell: object) -> float:
    try:
        return np.nan if str(cell).strip().casefold() in _EMPTY else float(str(cell))
    except ValueError:
        return np.inf


def _read_csv(file: Path) -> pd.DataFrame:
    """The table that its .h5 would hold, as text; without columns if its header is another one.

    pandas' own reading of several header rows is not used: it takes a first picture without labels for the names
    of the index and loses it, and a video called NA for a missing one.
    """
    # pandas names the empty cells of a header.
    rows, separator = cells_of(re.sub(r"Unnamed: \d+_level_\d+", "", read_text(file)))
    grid = pd.DataFrame(rows).fillna("").map(str.strip).to_numpy(object)
    filled = grid != ""
    grid = grid[filled.any(axis=1)][:, filled.any(axis=0)]  # a spreadsheet leaves empty rows and columns
    first = grid[:4, :1].ravel().tolist()
    count = next((count for count, levels in _HEADERS.items() if first[:count] == levels), 0)
    if not count:
        return pd.DataFrame()
    # A row begins with the picture's path, in one cell or in three, of which the header fills the first.
    named = (grid[:count] != "").any(axis=0).nonzero()[0]
    depth = named[1] if len(named) > 1 else grid.shape[1]
    index, columns = pd.MultiIndex.from_arrays(grid[count:, :depth].T), pd.MultiIndex.from_arrays(grid[:count, depth:])
    if np.isfinite([_number(cell) for cell in grid[count:, depth:][:, grid[count - 1, depth:] == ""].flat]).any():
        raise ValueError("a row has more numbers than the header has columns: a decimal comma may have split them")
    table = pd.DataFrame(grid[count:, depth:], index, columns)
    # A comma that does not separate cells stands before decimals.
    return table if separator == "," else table.replace(",", ".", regex=True)


def _image_id(key: str) -> str:
    path = PurePosixPath(key)
    return short_id(f"{path.parent.name}-{path.stem}")
