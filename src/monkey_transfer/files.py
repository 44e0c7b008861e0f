"""Files that are there whole or not at all, one process at a time, and what to say when a disk refuses."""

import contextlib
import errno
import fcntl
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monkey_transfer.errors import StudyError
from monkey_transfer.places import runs_folder

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Wait until no other process works on ``folder``, and keep others waiting meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise StudyError(
                f"{lock.name}: files cannot be locked there ({error.strerror}); "
                "set MONKEY_TRANSFER_RUNS to a folder of a file system that locks files"
            ) from error
        yield


@contextlib.contextmanager
def clear_disk_errors() -> Iterator[None]:
    """Turn a full disk or a folder that cannot be written into one sentence for the user."""
    try:
        yield
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename}: is no longer there; run this again to have it made anew") from error
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        where = error.filename or runs_folder()
        raise StudyError(
            f"{where}: {error.strerror or error}; free some space there and see that it can be written, "
            "or set MONKEY_TRANSFER_RUNS to another folder"
        ) from error


def digest_of(specification: dict[str, Any]) -> str:
    """sha256 of a specification, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(specification, sort_keys=True).encode()).hexdigest()


def write_json(file: Path, content: object) -> None:
    """Write ``content`` so that ``file`` is either the old one or the new one, never half of it."""
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
    temporary.replace(file)
