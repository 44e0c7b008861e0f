"""Large files over HTTP: a download that is cut goes on where it was, in this process or in the next one."""

import re
import sys
import time
from pathlib import Path

import requests
import urllib3
from tqdm.auto import tqdm

from monkey_transfer.errors import StudyError

ATTEMPTS = 5  # in a row that bring nothing new
PAUSE = 0.5  # seconds after a cut, doubled with every attempt in a row that brought nothing new
TIMEOUT = 60  # seconds without a byte
CHUNK = 2**16  # bytes; up to as many are lost when the connection is cut


class _Cut(Exception):
    """An answer that did not bring the file to its end, although asking again may."""


def download(address: str, partial: Path) -> None:
    """Fetch ``address`` into ``partial``, going on from what an earlier call left in it.

    The server's name for the version (a strong ETag, else Last-Modified) is kept in ``<partial>.version`` and
    sent along with If-Range (RFC 9110, 13.1.5): where the file has changed meanwhile, and where the server sends
    no parts or names no version, the download starts again from nothing.

    StudyError if the server refuses, or :data:`ATTEMPTS` in a row bring nothing new; ``partial`` stays.
    """
    failures, largest = 0, 0
    while True:
        try:
            _fetch_rest(address, partial)
        except (_Cut, requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            reason = str(error) if isinstance(error, _Cut) else "no connection, or it was cut"
            size = _size(partial)
            failures, largest = (0, size) if size > largest else (failures + 1, largest)
            if failures == ATTEMPTS:
                raise StudyError(f"{address}: {reason}") from error
            pause = PAUSE * 2**failures
            tqdm.write(f"{address}: {reason} at {size:,} bytes, going on in {pause:g} s", file=sys.stderr)
            time.sleep(pause)
        except OSError as error:
            if error.errno is not None:  # the disk's
                raise
            raise StudyError(
                f"{address}: no connection ({error})"
            ) from error  # certificates are not where they should be
        else:
            break
    Path(f"{partial}.version").unlink(missing_ok=True)


def _fetch_rest(address: str, partial: Path) -> None:
    """One request for what is missing of ``partial``; raises _Cut, or what requests and urllib3 raise, if cut."""
    version = Path(f"{partial}.version")
    known = version.read_text(encoding="utf-8") if version.is_file() else ""
    start = _size(partial) if known else 0
    # An archive is kept as it is: nobody may take its compression off on the way.
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": known}
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        part = answer.headers.get("Content-Range", "")
        if answer.status_code == 416 and part == f"bytes */{start}":
            return  # nothing is missing: an earlier process was killed just before its end
        if answer.status_code in (408, 429) or answer.status_code >= 500:
            raise _Cut(f"the server answers {answer.status_code} {answer.reason}")
        if answer.status_code not in (200, 206, 416):
            raise StudyError(f"{address}: the server answers {answer.status_code} {answer.reason}")
        start = start if answer.status_code == 206 else 0
        if answer.status_code != 200 or part:
            sent = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", part)
            if not sent or int(sent[1]) != start:
                version.unlink(missing_ok=True)
                raise _Cut(f"the server sent '{part}' of the file instead of what follows byte {start:,}")
        if not start:
            partial.unlink(missing_ok=True)
            named = (answer.headers.get(header, "") for header in ("ETag", "Last-Modified"))
            strong = next((name for name in named if name and not name.startswith("W/")), "")  # a version byte for byte
            version.write_text(strong, encoding="utf-8")
        total = part.rpartition("/")[2] if part else answer.headers.get("Content-Length", "")
        size = int(total) if total.isdecimal() else None
        with (
            partial.open("ab") as file,
            tqdm(total=size, initial=start, unit="B", unit_scale=True, desc=partial.stem, mininterval=2) as progress,
        ):
            for chunk in answer.raw.stream(CHUNK, decode_content=False):
                file.write(chunk)
                progress.update(len(chunk))
    if size is not None and _size(partial) != size:
        if _size(partial) > size:
            version.unlink(missing_ok=True)
        raise _Cut(f"the server told of {size:,} bytes and sent another number")


def _size(partial: Path) -> int:
    return partial.stat().st_size if partial.is_file() else 0
