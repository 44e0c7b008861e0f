"""MATLAB files as releases of data sets come in."""

from pathlib import Path
from typing import Any

from monkey_transfer.datasets.assembly import GET_IT
from monkey_transfer.errors import StudyError


def read_variable(source: Path, name: str, expected: str) -> Any:
    """The variable of that name in a .mat file, unsqueezed.

    Raises StudyError, with what was ``expected``, if the file is missing or no .mat file, or lacks the variable.
    """
    from scipy.io import loadmat

    if not source.is_file():
        raise StudyError(f"{source}: there is no such file: {expected}; {GET_IT}")
    try:
        # Without squeezing: that takes a third longer, and lists of one would look unlike all others.
        content = loadmat(source)
    # SciPy raises half a dozen kinds of exception for bytes that are no .mat file.
    except Exception as error:
        raise StudyError(f"{source}: not a readable .mat file: {expected}; {GET_IT}") from error
    if name not in content:
        raise StudyError(f"{source}: there is no '{name}' in it: {expected}")
    return content[name]
