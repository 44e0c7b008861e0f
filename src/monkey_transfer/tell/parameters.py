"""A chapter's parameters, such as papermill sets them: checked before anything is written."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monkey_transfer.errors import StudyError
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.opening import Study, open_study
from monkey_transfer.study.runs import run_of


def open_chapter(profile: str, *run: Any) -> Study:
    """The study of a chapter, opened in its first cell.

    Parameters
    ----------
    run : arm, seed and, unless it is the arm's largest, number of images of the run that the chapter is about, if any.

    Raises
    ------
    StudyError
        If the profile, the run or a parameter is unknown, of which last papermill only warns: before data is opened.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    match shell.user_ns["In"] if shell else []:
        case [_, own, injected, *_] if injected.startswith("# Parameters\n"):  # papermill's cell, after the notebook's
            _refuse_unknown(_assigned(injected), own)
    if run:
        run_of(load_profile(profile), *run)
    return open_study(profile)


def check_parameters(notebook: Path, parameters: Iterable[str]) -> None:
    """StudyError if a file is not a notebook, or its parameters cell does not know one of the parameters."""
    import nbformat

    try:
        content = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):
        raise StudyError(f"{notebook}: cannot be read as a notebook; expected one of the folder notebooks") from None
    if "kernelspec" not in content.metadata:
        raise StudyError(
            f"{notebook}: names no kernel; open it in Jupyter (make lab), choose monkey-transfer and save it"
        )
    own = [cell.source for cell in content.cells if "parameters" in cell.metadata.get("tags", [])]
    _refuse_unknown(parameters, own[0] if own else "", f"{notebook}: ")


def _refuse_unknown(parameters: Iterable[str], own_cell: str, where: str = "") -> None:
    known = _assigned(own_cell)
    unknown = [name for name in parameters if name not in known and not name.startswith("PAPERMILL_")]
    if unknown:
        raise StudyError(f"{where}parameter '{unknown[0]}' is unknown; expected one of {', '.join(known) or 'none'}")


def _assigned(cell: str) -> list[str]:
    """The names that a cell gives values, with a type or without; a cell may hold what is not Python, such as %time."""
    return re.findall(r"^(\w+) *(?::[^=\n]+)?=(?!=)", cell, re.MULTILINE)
