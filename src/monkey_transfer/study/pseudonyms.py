"""Pseudonyms for the pictures and groups of own data, which are often called by the names of patients.

They are given before anything is drawn, learnt or written, so that a report has no name to tell. Whose they are stands
in a key that stays with the runs: ``data`` (the role of the data set), ``what`` (frame or group), ``name`` and
``pseudonym``. It is only ever added to, so that a picture keeps its pseudonym when others come or go.
"""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.files import only_one, written
from monkey_transfer.places import runs_folder

# What a pseudonym begins with -> digits of its number, more where there are more.
_DIGITS = {"frame": 4, "group": 2}
_COLUMNS = ["data", "what", "name", "pseudonym"]


def key_of(profile: str) -> Path:
    """The file of the key of a profile's pseudonyms."""
    return runs_folder() / profile / "key.csv"


def pseudonymised(dataset: Dataset, role: str, key: Path) -> Dataset:
    """The data set under pseudonyms: those of the key, to which whatever is new is added.

    ``image_id`` becomes ``frame-0001`` and ``group`` ``group-01`` in all tables; paths, keypoints and numbers stay. New
    groups are numbered in an order that tells nothing of the alphabet, new pictures group by group; those that are left
    out come last.

    StudyError if the key is not as it was written.
    """
    images = dataset.images
    with only_one(key):
        known = _read(key)
        added = _with(known, role, "group", sorted(images["group"].unique(), key=_lot))
        place = {name: place for place, name in enumerate(_pseudonyms(added, role, "group"))}
        in_order = images.assign(place=images["group"].map(place)).sort_values(["place", "image_id"])["image_id"]
        added = _with(added, role, "frame", [*in_order, *sorted(dataset.left_out["image_id"], key=_lot)])
        if len(added) > len(known):
            with written(key) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, quoting=csv.QUOTE_ALL).writerows([_COLUMNS, *added.to_numpy()])
    frame, group = (_pseudonyms(added, role, what) for what in _DIGITS)
    tables = {name: getattr(dataset, name) for name in ("images", "labels", "reference_lengths", "left_out")}
    tables = {name: table.assign(image_id=table["image_id"].map(frame)) for name, table in tables.items()}
    tables["images"] = tables["images"].assign(group=images["group"].map(group))
    return replace(dataset, **tables)


def _with(key: pd.DataFrame, role: str, what: str, names: Iterable[str]) -> pd.DataFrame:
    """The key with the next numbers for those of the names that it does not have."""
    known = _pseudonyms(key, role, what)
    number = max((int(pseudonym.rpartition("-")[2]) for pseudonym in known.values()), default=0)
    new = [name for name in dict.fromkeys(names) if name not in known]
    rows = [(role, what, name, f"{what}-{place:0{_DIGITS[what]}d}") for place, name in enumerate(new, start=number + 1)]
    return pd.concat([key, pd.DataFrame(rows, columns=_COLUMNS, dtype=str)], ignore_index=True)


def _pseudonyms(key: pd.DataFrame, role: str, what: str) -> dict[str, str]:
    """Name -> pseudonym, in the key's order."""
    own = key[(key["data"] == role) & (key["what"] == what)]
    return dict(zip(own["name"], own["pseudonym"], strict=True))


def _lot(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _read(key: Path) -> pd.DataFrame:
    try:
        with key.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
            known = pd.DataFrame(rows, columns=header, dtype=str)
    except FileNotFoundError:
        return pd.DataFrame(columns=_COLUMNS, dtype=str)
    except (ValueError, csv.Error):  # empty, rows of different lengths, or bytes that are no text
        known = pd.DataFrame()
    whole = (
        list(known) == _COLUMNS
        and known.notna().all(axis=None)
        and known["what"].isin(_DIGITS).all()
        and known["pseudonym"].str.fullmatch(r"[a-z]+-\d+").all()
        and not known.duplicated(["data", "what", "name"]).any()
        and not known.duplicated(["data", "what", "pseudonym"]).any()
    )
    if not whole:
        raise StudyError(
            f"{key}: is no longer the key of this study's pseudonyms ({', '.join(_COLUMNS)}, each once): restore it, "
            "or delete it; pictures may then get other pseudonyms, and networks be trained again"
        )
    return known
