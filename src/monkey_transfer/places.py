"""Where profiles, data, runs and reports lie: in folders of the project unless the environment names others.

A variable that is empty names nothing, and ``~`` is the user's own folder. What TensorFlow (``[``, ``]``, ``*``, ``?``,
``\\``) or the workflow (``{``, ``}``) would take for a pattern of names is refused before anything is written.
"""

import os
import re
from pathlib import Path

from monkey_transfer.errors import StudyError

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"


def data_folder() -> Path:
    """Where data and networks lie: ``data/`` of the project, or the folder that MONKEY_TRANSFER_DATA names.

    StudyError if what it names is not a folder.
    """
    folder = _folder("MONKEY_TRANSFER_DATA", "data")
    if not os.path.isdir(folder) and folder != ROOT / "data":
        raise StudyError(f"{folder}: is not there; name the folder that holds the data in MONKEY_TRANSFER_DATA")
    return folder


def runs_folder() -> Path:
    """Where runs are kept: ``runs/`` of the project, or what MONKEY_TRANSFER_RUNS names; StudyError if that is none."""
    return _folder("MONKEY_TRANSFER_RUNS", "runs")


def reports_folder() -> Path:
    """Where reports are kept: ``reports/``, or what MONKEY_TRANSFER_REPORTS names; StudyError if that is none."""
    return _folder("MONKEY_TRANSFER_REPORTS", "reports")


def plain_path(path: str | Path, named_by: str) -> Path:
    """The path in full, for libraries that look for patterns; StudyError if they would see one or it leads nowhere."""
    try:
        full = Path(path).expanduser().resolve()
        str(full).encode()
    except (RuntimeError, UnicodeError):  # nobody's ~, links in a circle, or bytes of no letter
        why = "nobody has that home, its links lead in a circle, or a byte of it is no letter"
        raise StudyError(f"{str(path)!r} cannot be used ({why}); give another path in {named_by}") from None
    if found := re.search(r"[][{}*?\\]", str(full)):
        raise StudyError(
            f"{full}: '{found[0]}' would be taken for a pattern of names; give a path without []{{}}*?\\ in {named_by}"
        )
    return full


def _folder(variable: str, usual: str) -> Path:
    folder = plain_path(os.environ.get(variable, "").strip() or ROOT / usual, variable)
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise StudyError(f"{folder}: is not a folder; name one in {variable}, or remove the variable")
    return folder
