"""Files that are there whole or not at all, one process at a time, and what to say when a disk refuses."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from monkey_transfer.errors import StudyError
from monkey_transfer.places import runs_folder


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Wait until no other process works on ``folder``, and keep others waiting meanwhile."""
    with _locked(folder, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def unless_another(folder: Path) -> Iterator[bool]:
    """The same without waiting: whether no other process works on ``folder``, and if so keep others waiting."""
    try:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield True
    except BlockingIOError:
        yield False


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, how)
        except BlockingIOError:
            raise
        except OSError as error:
            raise StudyError(
                f"{lock.name}: files cannot be locked there ({error.strerror}); "
                "set MONKEY_TRANSFER_RUNS to a folder of a file system that locks files"
            ) from error
        yield


@contextlib.contextmanager
def clear_disk_errors(place: Path | None = None) -> Iterator[None]:
    """Turn what a disk refuses, such as a full one, into one sentence: it names the file, or else ``place``.

    Errors that are not the system's, or of a connection, stay what they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or isinstance(error, ConnectionError):
            raise
        where = error.filename or place or runs_folder()
        if isinstance(error, FileNotFoundError):
            raise StudyError(f"{where}: is no longer there; run this again to have it made anew") from error
        problem = f"{error.strerror or error}; free some space there and see that it can be read and written"
        if isinstance(error, FileExistsError | NotADirectoryError):
            problem = "a file is where a folder should be; move it away"
        raise StudyError(
            f"{where}: {problem}, or keep runs and reports elsewhere (MONKEY_TRANSFER_RUNS, MONKEY_TRANSFER_REPORTS)"
        ) from error


def refuse_full_disk(folder: Path) -> None:
    """StudyError if not even a megabyte is left there: why something failed that could not write down why."""
    with clear_disk_errors():
        if shutil.disk_usage(folder).free < 1e6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


@contextlib.contextmanager
def written(file: Path) -> Iterator[Path]:
    """Where to write what ``file`` is to hold: afterwards it is there whole, or, if anything failed, as it was before.

    Its folder is made if it is not there. StudyError if the disk refuses.
    """
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.unfinished")
    with clear_disk_errors():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            yield unfinished
            unfinished.replace(file)
        except OSError as error:
            if error.filename in (None, str(unfinished)):
                error.filename = str(file)
            raise
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()


def listed(module: str | Path) -> Any:
    """What the YAML file of a module's name beside it lists; libyaml reads it, six times as fast as PyYAML's own."""
    return yaml.load(Path(module).with_suffix(".yaml").read_bytes(), yaml.CSafeLoader)


def digest_of(specification: dict[str, Any]) -> str:
    """sha256 of a specification, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(specification, sort_keys=True).encode()).hexdigest()


def file_if_there(name: str) -> list[Path]:
    """The one file of that name; none if it is not there."""
    return [Path(name)] if os.path.isfile(name) else []


def sha256_of(file: Path) -> str:
    """sha256 of a file's content, of which only a part is in memory at a time."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_text(file: Path) -> str:
    """A text of somebody else's program: in UTF-8, or UTF-16 as in Excel's Unicode text, or else in the encoding of
    Western Windows, in which DeepLabCut's own config.yaml is there."""
    content = file.read_bytes()
    try:
        return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def write_text(file: Path, text: str) -> None:
    """Write ``text`` as :func:`written` does."""
    with written(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(file: Path, content: object) -> None:
    """Write ``content`` as :func:`written` does."""
    write_text(file, json.dumps(content, indent=1, sort_keys=True))
