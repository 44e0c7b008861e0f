"""Zip and tar archives, unpacked without trusting them: files and folders only, inside one folder, up to a size.

Names and kinds are checked here and not left to the libraries. `zipfile` quietly puts a file that climbs out
somewhere else, and the filter of `tarfile` could be led outside through chains of links (CVE-2025-4517, in
Python 3.11 before 3.11.13). Without links and without ``..`` nothing leads outside, and no archive of this
study has either.
"""

import errno
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Self

from tqdm.auto import tqdm

from monkey_transfer.errors import StudyError

MOST_MEMBERS = 200_000  # files and folders; MPII, the largest archive of the study, has 25,000
LONGEST_HEADER = 2**20  # bytes of a long name or of what else a tar says of a member; tarfile reads them at once
PIECE = 2**20  # bytes

# What the disk says of a file below a file, two of one name, or a name that is too long.
_BAD_NAMES = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)
# Names, each with what can be read of a file, or with None where it is a folder's.
_Members = Iterator[tuple[str, IO[bytes] | None]]


def unpack(archive: Path, folder: Path, limit_bytes: int) -> None:
    """Unpack a zip or a tar, compressed or not, into ``folder``, which must not be there yet, or be empty.

    It is there whole or not at all: the work is done in a folder beside it, which gets its name at the end. An archive
    that unpacks to more than ``limit_bytes`` is refused before more is written.

    StudyError if the archive is neither a zip nor a tar, is cut short or damaged, names a file outside its folder,
    holds a link or a device, or unpacks to more than ``limit_bytes`` or :data:`MOST_MEMBERS`. OSError if it cannot be
    opened, the disk is full or the folder cannot be written.
    """
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        with archive.open("rb") as file:
            for name, piece in _pieces(archive, file, limit_bytes):
                _write(unfinished / name, piece)
        os.replace(unfinished, folder)
    except OSError as error:
        if error.errno not in _BAD_NAMES:
            raise
        raise StudyError(f"{archive}: cannot be unpacked, a name in it is no file's ({error.strerror})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(path: Path, piece: bytes | None) -> None:
    """Bytes alone: no owner, rights or times of somebody else's machine."""
    if piece is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab" if piece else "wb") as written:
        written.write(piece)


def _pieces(archive: Path, file: IO[bytes], limit_bytes: int) -> Iterator[tuple[str, bytes | None]]:
    """Names, each with None if it is a folder's, else first with nothing and then with the pieces of the file.

    Here the archive is read and nothing is written: whatever fails in here is the archive's fault.
    """
    start = file.read(1000).lstrip()
    file.seek(0)
    size = 0
    try:
        members = _of_zip(file) if start.startswith(b"PK") else _of_tar(file)
        told = tqdm(members, desc=f"unpacking {archive.name}", unit=" files", delay=2)
        for count, (name, content) in enumerate(told, start=1):
            for piece in _read(content):
                size += len(piece or b"")
                if size > limit_bytes or count > MOST_MEMBERS:
                    most = f"{limit_bytes:,} bytes or {MOST_MEMBERS:,} files"
                    raise StudyError(f"unpacks to more than {most}, which it is not known to hold")
                yield name, piece
    except StudyError as error:
        raise StudyError(f"{archive}: {error}") from None
    except Exception as error:
        if start.lower().startswith((b"<!doctype", b"<html")):
            raise StudyError(
                f"{archive}: is a web page and no archive, open it to see what the server asks for"
            ) from None
        what = " ".join(str(error).split()) or type(error).__name__
        raise StudyError(f"{archive}: is cut short, damaged, or neither a zip nor a tar archive ({what})") from error


def _read(content: IO[bytes] | None) -> Iterator[bytes | None]:
    yield None if content is None else b""
    while content is not None and (piece := content.read(PIECE)):
        yield piece


def _of_zip(file: IO[bytes]) -> _Members:
    with zipfile.ZipFile(file) as opened:
        for member in opened.infolist():
            # Zero where the archive was not made on Unix.
            kind = stat.S_IFMT(member.external_attr >> 16)
            _check(member.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR))
            if member.flag_bits & 1:
                raise StudyError(f"{member.filename!r} is encrypted, expected an archive without a password")
            yield member.filename, None if member.is_dir() else opened.open(member)


def _of_tar(file: IO[bytes]) -> _Members:
    with tarfile.open(fileobj=file, tarinfo=_Member) as opened:
        # One member after the other: they are all known only once the whole archive is decompressed.
        for member in opened:
            _check(member.name, member.isreg() or member.isdir())
            yield member.name, opened.extractfile(member)
        # gzip tells of a wrong byte only at its end, which is near, unless somebody made it to swell.
        assert opened.fileobj is not None
        for _ in range(1000):
            if not opened.fileobj.read(PIECE):
                return
        raise StudyError("goes on after its last file")


class _Member(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf and not any(buf):
                raise  # the end of a whole archive
            # Which tarfile passes on; its own it takes for the end.
            raise EOFError(str(error) if buf else "its end is missing") from error
        if member.size < 0 or not member.isreg() and not member.isdir() and member.size > LONGEST_HEADER:
            raise EOFError(f"one of its headers tells of {member.size:,} bytes")
        return member


def _check(name: str, is_file_or_folder: bool) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise StudyError(f"{name!r} leads out of the folder that the archive is unpacked into")
    if not is_file_or_folder:
        raise StudyError(f"{name!r} is a link or a device, expected files and folders only")
