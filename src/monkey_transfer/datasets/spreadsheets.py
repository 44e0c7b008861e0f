"""Tables as spreadsheets save them as text."""

import csv
import io
import re


def cells_of(text: str) -> tuple[list[list[str]], str]:
    """The rows of cells and the sign that separates them: comma, semicolon or tab, whichever the text has most of.

    Raises csv.Error if it is no such table.
    """
    text = re.sub(r"^sep=.\s*", "", text)  # by which Excel's first line may name the separator
    separator = max(",;\t", key=text.count)
    return list(csv.reader(io.StringIO(text, newline=None), delimiter=separator)), separator
