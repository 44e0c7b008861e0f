"""Bad input gets one sentence; ``docs/bad_input.md`` lists which, and every test that uses this holds one of its rows.

A test that changes a sentence, or adds one, writes its rows anew with ``BAD_INPUT=write pytest ...``;
``make bad-input`` does so for all of them.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from monkey_transfer.errors import StudyError

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "bad_input.md"
HEAD = """# What is said of bad input

One sentence that names the file, row or key, says what was expected and what to do. Each row is what a test saw
(`tests/bad_input.py`); `make bad-input` writes them anew. `.../` stands for a folder. What is said of an archive or
its server goes on with the name under which it was put aside, where to get it anew and where to put it.

| where | what is wrong | what is said |
|---|---|---|
"""
# Folders say nothing to a reader, and those of tests have other names each time.
_OF_TESTS = re.compile(r"(?:/[\w.+-]+)*/pytest-\d+/[\w.-]+")
# Those of paths in full only: what an address, a key or a name has before its slash belongs to the sentence.
_FOLDERS = re.compile(r"(?:(?<![\w.])\.\.\.|(?<![\w:/.~\]-]))(?:/[\w.+-]+)*/(?=[\w.{}+-])")


@contextlib.contextmanager
def refused(where: str, what: str, match: str) -> Iterator[pytest.ExceptionInfo]:
    """Expect a StudyError of one sentence, and the row of it in the table.

    Parameters
    ----------
    where : the kind of thing that is read, such as 'COCO file'; one name for each kind.
    what : what is wrong with it, in a few words; once in the table for each ``where``.
    match : what the sentence has to contain, as a regular expression.
    """
    with pytest.raises(StudyError, match=match) as caught:
        yield caught
    holds(where, what, str(caught.value))


def holds(where: str, what: str, sentence: str) -> None:
    """Assert that the table has the row of a sentence, or write it where BAD_INPUT=write is set."""
    assert "Traceback" not in sentence
    assert "\n" not in sentence, f"more than one line: {sentence}"
    row = f"| {where} | {what} | {_cell(sentence)} |"
    if os.environ.get("BAD_INPUT") == "write":
        _write(where, what, row)
    assert row in TABLE.read_text(encoding="utf-8").splitlines(), f"not in {TABLE.name}, see tests/bad_input.py: {row}"


def _cell(sentence: str) -> str:
    return _FOLDERS.sub(".../", _OF_TESTS.sub("...", sentence)).replace("|", "\\|")


def _write(where: str, what: str, row: str) -> None:
    with TABLE.with_name(".bad_input.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = TABLE.read_text(encoding="utf-8").splitlines()[HEAD.count("\n") :] if TABLE.is_file() else []
        others = [other for other in rows if not other.startswith(f"| {where} | {what} | ")]
        TABLE.write_text(HEAD + "\n".join(sorted([*others, row])) + "\n", encoding="utf-8")
