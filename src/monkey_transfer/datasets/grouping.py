"""What the user says belongs together, so that no split parts it: a video, a folder, a patient."""

import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.spreadsheets import cells_of
from monkey_transfer.errors import StudyError
from monkey_transfer.files import read_text

VIDEOS = "videos"
_COLUMNS = ["picture", "patient"]


def grouped(dataset: Dataset, rule: str, folder: Path, root: Path) -> Dataset:
    """The data set with the groups that a profile's key ``group`` asks for.

    ``rule`` is ``video``, the groups of a format that knows videos; ``folder``, that of the picture's file; a
    ``.csv`` with the columns picture and patient, in ``root`` unless its path is absolute; or a regular expression,
    searched for in the picture's name, of which the first part in parentheses, else all that it finds, names the group.

    A picture's name is its path in ``folder``, with slashes. A csv may leave out what stands before the last part of
    it, and its ending, or name a folder, for all pictures in it that have no row of their own; what it lists beside is
    passed over. StudyError if the format knows no videos, a picture is in ``folder`` itself, the expression finds
    nothing in a name, or the file cannot be read, lacks a picture, gives one to two patients, or may mean two.
    """
    if rule == "video":
        if dataset.groups != VIDEOS:
            raise StudyError(
                f"data set {dataset.name}: group: video: its files name no videos; expected folder, a regular "
                "expression on the pictures' names, or a .csv of pictures and patients"
            )
        return dataset
    names = [os.path.relpath(path, folder).replace(os.sep, "/") for path in dataset.images["path"]]
    if rule == "folder":
        found, what = _folders(folder, names), "folders"
    elif rule.lower().endswith(".csv"):
        found, what = _patients(root / rule, names), f"patients of {Path(rule).name}"
    else:
        found, what = _matches(rule, folder, names), f"groups by {rule!r}"
    return replace(dataset, images=dataset.images.assign(group=found), groups=what)


def _folders(folder: Path, names: Sequence[str]) -> list[str]:
    found = [os.path.dirname(name) for name in names]
    if not all(found):
        alone = names[found.index("")]
        raise StudyError(
            f"{folder}: group: folder: picture {alone} lies in no folder of it; expected one folder for each group, a "
            "regular expression on the pictures' names, or a .csv of pictures and patients"
        )
    return found


def _matches(rule: str, folder: Path, names: Sequence[str]) -> list[str]:
    pattern = re.compile(rule)
    found = []
    for name in names:
        match = pattern.search(name)
        group = match and match[1 if pattern.groups else 0]
        if not group:
            raise StudyError(
                f"{folder}: group: {rule!r} finds nothing in the name of picture {name}; expected a regular expression "
                "that finds the group in every name, or a .csv of pictures and patients"
            )
        found.append(group)
    return found


def _patients(file: Path, names: Sequence[str]) -> list[str]:
    rows = _read(file)
    # What a row may call a picture -> the pictures and folders that it may mean.
    meant: dict[str, set[str]] = defaultdict(set)
    for name in names:
        for spelling, whole in _spellings(name):
            meant[spelling].add(whole)
    patient_of: dict[str, str] = {}
    for called, patient in rows.itertuples(index=False):
        wholes = sorted(meant.get(called, ()))
        if len(wholes) > 1:
            raise StudyError(
                f"{file}: {called} may be {wholes[0]} or {wholes[1]}: write as much of the path as tells them apart"
            )
        if wholes and (other := patient_of.setdefault(wholes[0], patient)) != patient:
            raise StudyError(f"{file}: {called} is of patient {other!r} and of {patient!r}: keep one of the rows")
    found = []
    for name in names:
        # What is said of the picture itself goes before what is said of its folder.
        own = [patient_of[whole] for whole in (name, *map(str, PurePosixPath(name).parents)) if whole in patient_of]
        if not own:
            raise StudyError(
                f"{file}: there is no row for picture {name}: add one with its name, or that of its folder, and the "
                "patient"
            )
        found.append(own[0])
    return found


def _read(file: Path) -> pd.DataFrame:
    expected = f"expected a table with the columns {' and '.join(_COLUMNS)}"
    try:
        text = read_text(file)
    except OSError as error:
        raise StudyError(f"{file}: cannot be read ({error.strerror}); {expected}") from None
    try:
        cells, _ = cells_of(text)
    except csv.Error as error:
        raise StudyError(f"{file}: not a table ({error}); {expected}") from None
    first, *others = [row for row in cells if any(row)] or [[]]
    header = [name.strip().lower() for name in first]
    if not set(_COLUMNS) <= set(header):
        raise StudyError(f"{file}: its first row is {', '.join(first) or 'empty'}; {expected}")
    rows = [[dict(zip(header, row, strict=False)).get(name, "").strip() for name in _COLUMNS] for row in others]
    for picture, patient in rows:
        if not picture or not patient:
            lacks, of = ("patient", picture) if picture else ("picture", patient)
            raise StudyError(f"{file}: the row of {of or 'nobody'} lacks the {lacks}; {expected}")
    names = [picture.replace("\\", "/").removeprefix("./").rstrip("/") for picture, _ in rows]
    return pd.DataFrame(rows, columns=_COLUMNS).assign(picture=names)


def _spellings(name: str) -> Iterator[tuple[str, str]]:
    """What a row may call a picture or one of its folders, and which of them that is: with less of what stands before
    it, and a picture also without its ending."""
    path = PurePosixPath(name)
    for whole, written in [(path, path), (path, path.with_suffix("")), *((of, of) for of in path.parents[:-1])]:
        for start in range(len(written.parts)):
            yield "/".join(written.parts[start:]), str(whole)
