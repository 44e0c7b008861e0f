"""Zip and tar archives, unpacked without trusting them: files and folders only, inside one folder, up to a size.

Names and kinds are checked here and not left to the libraries. `zipfile` quietly puts a file that climbs out
somewhere else, and the filter of `tarfile` could be led outside through chains of links (CVE-2025-4517, in
Python 3.11 before 3.11.13). Without links and without ``..`` nothing leads outside, and no archive of this
study has either.
"""

import errno
import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Self, TypeVar

from tqdm.auto import tqdm

from monkey_transfer.errors import StudyError

MOST_MEMBERS = 200_000  # files and folders; MPII, the largest archive of the study, has 25,000
LONGEST_HEADER = 2**20  # bytes of a long name or of what else a tar says of a member; tarfile reads them at once

Member = TypeVar("Member")

_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,  # zipfile: encrypted
    NotImplementedError,  # zipfile: a kind of compression that it does not know
)


# What the disk says of a file below a file, two of one name, or a name that is too long.
_BAD_NAMES = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)


def unpack(archive: Path, folder: Path, limit_bytes: int) -> None:
    """Unpack a zip, tar or tar.gz into ``folder``, whole or not at all.

    The work is done in a folder beside it, which gets its name at the end.

    Parameters
    ----------
    folder : must not be there yet, or be empty.
    limit_bytes : an archive that unpacks to more is refused before more is written.

    Raises
    ------
    StudyError
        If the archive is neither a zip nor a tar, is cut short or damaged, names a file outside its folder,
        holds a link or a device, or unpacks to more than ``limit_bytes`` or :data:`MOST_MEMBERS`.
    OSError
        If the disk is full or the folder cannot be written.
    """
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        if _is_tar(archive):
            _unpack_tar(archive, unfinished, limit_bytes)
        elif zipfile.is_zipfile(archive):
            _unpack_zip(archive, unfinished, limit_bytes)
        else:
            raise StudyError(f"{archive}: neither a zip nor a tar archive")
        os.replace(unfinished, folder)
    except _DAMAGED as error:
        raise StudyError(f"{archive}: cannot be unpacked, it is cut short or damaged ({error})") from error
    except OSError as error:
        if error.errno not in _BAD_NAMES:
            raise
        raise StudyError(f"{archive}: cannot be unpacked, a name in it is no file's ({error.strerror})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


class _Member(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if not member.isreg() and not member.isdir() and member.size > LONGEST_HEADER:
            raise EOFError(f"one of its headers has {member.size:,} bytes")  # tarfile passes this on, unlike its own
        return member


def _is_tar(archive: Path) -> bool:
    try:
        with tarfile.open(archive, tarinfo=_Member):
            return True
    except tarfile.TarError:
        return False


def _unpack_tar(archive: Path, folder: Path, limit_bytes: int) -> None:
    with tarfile.open(archive, tarinfo=_Member) as opened:
        # One member after the other: they are all known only once the whole archive is decompressed.
        for member in _within(archive, opened, attrgetter("size"), limit_bytes):
            _check(archive, member.name, member.isreg() or member.isdir())
            _write(opened, member, folder / member.name)
        _read_to_the_end(opened, limit_bytes)


def _write(opened: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    """Its bytes alone: no owner, rights or times of somebody else's machine."""
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = opened.extractfile(member)
    assert content is not None
    with content, path.open("wb") as written:
        shutil.copyfileobj(content, written)


def _read_to_the_end(opened: tarfile.TarFile, limit_bytes: int) -> None:
    """Read what follows the last member: gzip tells of a wrong byte only at its end."""
    assert opened.fileobj is not None
    left = limit_bytes
    while left > 0 and (padding := opened.fileobj.read(2**20)):
        left -= len(padding)


def _unpack_zip(archive: Path, folder: Path, limit_bytes: int) -> None:
    with zipfile.ZipFile(archive) as opened:
        for member in _within(archive, opened.infolist(), attrgetter("file_size"), limit_bytes):
            # Zero where the archive was not made on Unix.
            kind = stat.S_IFMT(member.external_attr >> 16)
            _check(archive, member.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR))
            # Writes no more than the size that was counted, and fails where there is more.
            opened.extract(member, folder)


def _within(
    archive: Path, members: Iterable[Member], size_of: Callable[[Member], int], limit_bytes: int
) -> Iterator[Member]:
    """The members of an archive for as long as they keep to the limits."""
    size = 0
    for count, member in enumerate(tqdm(members, desc=f"unpacking {archive.name}", unit=" files", delay=2), start=1):
        size += abs(size_of(member))  # tar can write down a negative size
        if size > limit_bytes or count > MOST_MEMBERS:
            raise StudyError(
                f"{archive}: unpacks to more than {limit_bytes:,} bytes or {MOST_MEMBERS:,} files, "
                "which it is not known to hold"
            )
        yield member


def _check(archive: Path, name: str, is_file_or_folder: bool) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise StudyError(f"{archive}: '{name}' leads out of the folder that the archive is unpacked into")
    if not is_file_or_folder:
        raise StudyError(f"{archive}: '{name}' is a link or a device, expected files and folders only")
