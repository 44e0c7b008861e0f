"""Data sets and networks of others: found in the data folder, or fetched, checked and unpacked.

What there is to have stands in ``archives.yaml``. An archive stays in ``archives/`` of the data folder, where it may
also be put by hand; ``checksums.json`` there holds the checksum of every first download whose publisher gives none.
"""

import os
import shutil
import sys
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter, ValidationError
from tqdm.auto import tqdm

from monkey_transfer.acquire.archives import ARCHIVES, LIST, Archive
from monkey_transfer.acquire.download import download
from monkey_transfer.acquire.unpack import unpack
from monkey_transfer.errors import StudyError
from monkey_transfer.files import only_one, sha256_of, write_json

WHOLE, MISSING = "whole", "missing"
CHECKSUMS = "checksums.json"


def acquire(name: str, root: Path) -> Path:
    """The folder (or file) that the archive of that name in ``ARCHIVES`` becomes below ``root``, the data folder.

    It is fetched and unpacked if it is not there yet; what is there is used as it is and never overwritten. StudyError
    if there is no such archive, what is there is incomplete, or it cannot be fetched, is not the expected file or does
    not fit on the disk; it says from where to get the file and where to put it.
    """
    if name not in ARCHIVES:
        raise StudyError(f"archive '{name}' is unknown: expected one of {', '.join(ARCHIVES)}")
    archive = ARCHIVES[name]
    place = root / archive.place
    try:
        if state(archive, root) == WHOLE:
            return place
        with only_one(root / "archives" / archive.file):
            found = state(archive, root)
            if found == MISSING:
                _install(archive, root)
            elif found != WHOLE:
                raise StudyError(f"{place} is {found}: complete it, or move it away to have it fetched anew")
    except OSError as error:
        raise StudyError(
            f"{error.filename or root}: {error.strerror or error}: free some space there and see that it can be "
            f"written, then ask for {name} again; what was fetched so far is kept"
        ) from error
    return place


def state(archive: Archive, root: Path) -> str:
    """'whole', 'missing', or what it lacks: 'incomplete, 8,000 of 10,000 images/*.jpg'; empty files do not count."""
    place = root / archive.place
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return MISSING
    lacking = _lacking(archive, place)
    return f"incomplete, {lacking}" if lacking else WHOLE


def table(names: list[str], root: Path) -> pd.DataFrame:
    """One row per archive: archive, for, where, state, size, licence."""
    wanted = {name: ARCHIVES[name] for name in names}
    return pd.DataFrame(
        {
            "archive": name,
            "for": archive.purpose,
            "where": archive.place,
            "state": _told_state(archive, root),
            "size": f"{archive.size / 1e6:,.0f} MB" if archive.size else "not stated",
            "licence": _terms(archive),
        }
        for name, archive in wanted.items()
    )


def _terms(archive: Archive) -> str:
    return archive.licence or f"not stated, see {archive.page}"


def _told_state(archive: Archive, root: Path) -> str:
    """:func:`state`, and what ``archives/`` holds of an archive whose place is empty."""
    found, file = state(archive, root), root / "archives" / archive.file
    if found != MISSING:
        return found
    if file.is_file():
        return f"{MISSING}, {file.name} is there to be unpacked"
    if (partial := Path(f"{file}.partial")).is_file():
        return f"{MISSING}, {partial.stat().st_size / 1e6:,.1f} MB fetched so far"
    return f"{MISSING}, {file.name}.refused was put aside" if Path(f"{file}.refused").is_file() else MISSING


def _install(archive: Archive, root: Path) -> None:
    """Fetch an archive unless it lies there, unpack it and give the wanted part its place, whole or not at all.

    On what terms it is to be had is said before anything is fetched.
    """
    place, file = root / archive.place, root / "archives" / archive.file
    unpacked = place.with_name(f"{place.name}.unpacked")
    known = archive.sha256 or _recorded(root).get(archive.file)
    try:
        if not file.is_file():
            tqdm.write(f"{archive.file}: {archive.purpose}; licence: {_terms(archive)}", file=sys.stderr)
            download(archive.address, Path(f"{file}.partial"))
            os.replace(f"{file}.partial", file)
        digest = sha256_of(file)
        if digest != (known or digest):
            raise StudyError(
                f"{file}: has sha256 {digest}, expected {known} (if {archive.page} announces another version, its "
                f"checksum belongs into {LIST if archive.sha256 else root / CHECKSUMS})"
            )
        shutil.rmtree(unpacked, ignore_errors=True)
        if archive.unpacked_limit is None:
            unpacked.mkdir(parents=True)
            shutil.copyfile(file, unpacked / archive.inside)
        else:
            unpack(file, unpacked, archive.unpacked_limit)
        if lacking := _lacking(archive, unpacked / archive.inside):
            raise StudyError(f"{file}: is not the expected archive, it holds {lacking}")
    except StudyError as error:
        told = str(error)
        if file.is_file():
            os.replace(file, f"{file}.refused")
            told += f"; it was put aside as {file.name}.refused"
        sha256 = f" (sha256 {known})" if known else ""
        raise StudyError(f"{told}: get {file.name}{sha256} from {archive.page} and put it at {file}") from error
    else:
        if known is None:
            with only_one(root / CHECKSUMS):
                write_json(root / CHECKSUMS, _recorded(root) | {archive.file: digest})
        os.replace(unpacked / archive.inside, place)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _lacking(archive: Archive, content: Path) -> str:
    """What is too few or not there, in words; empty if nothing is."""
    if not content.exists():
        return f"no {archive.inside}"
    if content.is_file() and not content.stat().st_size:
        return "an empty file"
    found = {p: sum(file.is_file() and file.stat().st_size > 0 for file in content.glob(p)) for p in archive.holds}
    return ", ".join(f"{found[p]:,} of {least:,} {p}" for p, least in archive.holds.items() if found[p] < least)


def _recorded(root: Path) -> dict[str, str]:
    """Checksums of first downloads: file in ``archives/`` -> sha256."""
    file = root / CHECKSUMS
    if not file.is_file():
        return {}
    try:
        return TypeAdapter(dict[str, str]).validate_json(file.read_bytes())
    except ValidationError:
        raise StudyError(
            f"{file}: expected checksums by the names of archives in JSON; correct it or remove it"
        ) from None
