"""The one exception this project raises on purpose, and how its programs tell people anything."""

import io
import sys


class StudyError(Exception):
    """Something the user can put right: names the file, row or key, what was expected, what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: IPython asks for this in place of a traceback."""
        return [f"error: {self}"]


def print_any_letters() -> None:
    """Let this program print letters that its terminal lacks, such as those of a title or a path, as question marks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
