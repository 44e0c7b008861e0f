"""Data sets and networks of others: found in the data folder, or fetched, checked and unpacked.

What there is to have stands in :mod:`monkey_transfer.acquire.archives`. An archive stays in ``archives/`` of the data
folder, where it may also be put by hand; ``checksums.json`` there holds the checksum of every first download whose
publisher gives none.
"""

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pooch

from monkey_transfer.acquire import archives
from monkey_transfer.acquire.archives import ARCHIVES, Archive
from monkey_transfer.acquire.download import download
from monkey_transfer.acquire.unpack import unpack
from monkey_transfer.errors import StudyError
from monkey_transfer.files import only_one

WHOLE, MISSING = "whole", "missing"
CHECKSUMS = "checksums.json"


def acquire(name: str, root: Path) -> Path:
    """The folder (or file) of an archive, fetched and unpacked if it is not there yet.

    What is there already is used as it is and never overwritten.

    Parameters
    ----------
    name : of the archive in ``ARCHIVES``.
    root : the data folder.

    Raises
    ------
    StudyError
        If there is no such archive, what is there is incomplete, or it cannot be fetched, is not the expected
        file or does not fit on the disk; it says from where to get the file and where to put it.
    """
    archive = _archive(name)
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
    wanted = {name: _archive(name) for name in names}
    return pd.DataFrame(
        {
            "archive": name,
            "for": archive.purpose,
            "where": archive.place,
            "state": _told_state(archive, root),
            "size": f"{archive.size / 1e6:,.0f} MB" if archive.size else "not stated",
            "licence": archive.licence or f"not stated, see {archive.page}",
        }
        for name, archive in wanted.items()
    )


def _told_state(archive: Archive, root: Path) -> str:
    """:func:`state`, and what ``archives/`` holds of an archive whose place is empty."""
    found, file = state(archive, root), root / "archives" / archive.file
    if found != MISSING:
        return found
    if file.is_file():
        return f"{MISSING}, {file.name} is there to be unpacked"
    if (partial := _partial(file)).is_file():
        return f"{MISSING}, {partial.stat().st_size / 1e6:,.1f} MB fetched so far"
    return f"{MISSING}, {refused.name} was put aside" if (refused := _refused(file)).is_file() else MISSING


def _partial(file: Path) -> Path:
    """Where the part of an archive lies that has been fetched."""
    return file.with_name(f"{file.name}.partial")


def _refused(file: Path) -> Path:
    """Where a file goes that is not the expected archive."""
    return file.with_name(f"{file.name}.refused")


def _install(archive: Archive, root: Path) -> None:
    """Fetch an archive, unpack it and give the part that is wanted its place, whole or not at all."""
    place = root / archive.place
    file = _fetched(archive, root)
    unpacked = place.with_name(f"{place.name}.unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        unpack(file, unpacked, archive.unpacked_limit)
        if lacking := _lacking(archive, unpacked / archive.inside):
            raise StudyError(f"{file}: is not the expected archive, it holds {lacking}")
        if archive.sha256 is None:
            _record(archive, file, root)
        os.replace(unpacked / archive.inside, place)
    except StudyError as error:
        refused = _refused(file)
        os.replace(file, refused)
        raise StudyError(f"{error}; it was put aside as {refused.name}: {_by_hand(archive, root)}") from error
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _fetched(archive: Archive, root: Path) -> Path:
    """The archive's file with the right checksum, as far as one is known; fetched if it is not there."""
    folder = root / "archives"
    partial = _partial(folder / archive.file)
    keeper = pooch.create(
        folder,
        base_url="",
        registry={archive.file: None},  # checked here, so that a file with another checksum is kept and hashed once
        urls={archive.file: archive.address},
    )

    def resume(address: str, target: str, _: pooch.Pooch) -> None:
        download(address, partial)
        os.replace(partial, target)
        check(Path(target))

    def check(file: Path) -> None:
        known = _known_digest(archive, root)
        if known and file.is_file() and (found := pooch.file_hash(str(file))) != known:
            refused = _refused(folder / archive.file)
            os.replace(file, refused)
            raise StudyError(
                f"{archive.address}: {archive.file} has sha256 {found}, expected {known}; it was put aside as "
                f"{refused.name}: if {archive.page} announces another version, its checksum belongs into "
                f"{Path(archives.__file__) if archive.sha256 else root / CHECKSUMS}, else"
            )

    try:
        check(folder / archive.file)
        return Path(keeper.fetch(archive.file, downloader=resume))
    except StudyError as error:
        raise StudyError(f"{error}: {_by_hand(archive, root)}") from error


def _lacking(archive: Archive, content: Path) -> str:
    """What is too few or not there, in words; empty if nothing is."""
    if not content.exists():
        return f"no {archive.inside}"
    if content.is_file() and not content.stat().st_size:
        return "an empty file"
    found = {
        pattern: sum(1 for file in content.glob(pattern) if file.is_file() and file.stat().st_size)
        for pattern in archive.holds
    }
    return ", ".join(f"{found[p]:,} of {least:,} {p}" for p, least in archive.holds.items() if found[p] < least)


def _by_hand(archive: Archive, root: Path) -> str:
    digest = _known_digest(archive, root)
    known = f" (sha256 {digest})" if digest else ""
    return f"get {archive.file}{known} from {archive.page} and put it at {root / 'archives' / archive.file}"


def _known_digest(archive: Archive, root: Path) -> str | None:
    return archive.sha256 or _recorded(root).get(archive.file)


def _recorded(root: Path) -> dict[str, str]:
    """Checksums of first downloads: file in ``archives/`` -> sha256."""
    file = root / CHECKSUMS
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StudyError(f"{file}: not valid JSON ({error}): correct it or remove it") from None


def _record(archive: Archive, file: Path, root: Path) -> None:
    with only_one(root / CHECKSUMS):
        digests = _recorded(root) | {archive.file: pooch.file_hash(str(file))}
        unfinished = root / f".{CHECKSUMS}.unfinished"
        unfinished.write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(unfinished, root / CHECKSUMS)


def _archive(name: str) -> Archive:
    if name not in ARCHIVES:
        raise StudyError(f"archive '{name}' is unknown: expected one of {', '.join(ARCHIVES)}")
    return ARCHIVES[name]
