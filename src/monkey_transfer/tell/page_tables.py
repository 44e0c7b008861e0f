"""Tables of pages: numbers to the right, intervals paler, no default index, and what is the same in every row once."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from jinja2 import Environment, FileSystemLoader, StrictUndefined

ASSETS = Path(__file__).with_name("page_assets")
LAYOUTS = Environment(
    loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_NARROWEST_WORDS = 16  # characters in a line of a cell, where it has as many
_INTERVALS_ABREAST = 4  # in a table with more in a row, intervals stand under their values

_NUMBER = r"[-+\N{MINUS SIGN}]?(?:[\d,]*\d(?:\.\d*)?|\.\d+|inf)(?:e[-+]?\d+)?(?:\s?%)?"
_ESTIMATE = re.compile(rf"({_NUMBER})(?:\s+(\[[^\]]*\]|\([^)]*\)))?")
_UNDEFINED, _NONE = {"NaN", "NaT", "<NA>"}, "\N{EN DASH}"


@dataclass(eq=False)
class _Column:
    name: str
    cells: tuple[Tag, ...]

    @cached_property
    def texts(self) -> list[str]:
        texts = (cell.get_text(" ").strip() for cell in self.cells)
        return [_NONE if text in _UNDEFINED else text for text in texts]

    @property
    def element(self) -> str:
        """``th`` of an index, else ``td``."""
        return self.cells[0].name

    @cached_property
    def is_numeric(self) -> bool:
        """Whether most of its cells, but for those that hold nothing, are numbers."""
        told = [text for text in self.texts if text not in (_NONE, "")]
        return 2 * sum(_ESTIMATE.fullmatch(text) is not None for text in told) > len(told)

    @property
    def is_constant(self) -> bool:
        return len(self.cells) > 1 and self.element == "td" and len(set(self.texts)) == 1

    @property
    def is_default_index(self) -> bool:
        """Whether it has no name and counts the rows from 0, in whatever order they now are."""
        return not self.name and sorted(self.texts) == sorted(map(str, range(len(self.texts))))

    @property
    def width(self) -> int:
        """Characters that a cell of words has room for in a line."""
        return min(_NARROWEST_WORDS, max(map(len, self.texts), default=0))

    @cached_property
    def intervals(self) -> list[str]:
        """The intervals behind its numbers; '' where there is none, and where a cell is more than text."""
        found = [
            _ESTIMATE.fullmatch(text) if {tag.name for tag in cell.find_all(True)} <= {"br"} else None
            for cell, text in zip(self.cells, self.texts, strict=True)
        ]
        return [one[2] or "" if one and self.is_numeric else "" for one in found]

    @property
    def contents(self) -> list[str]:
        """Its cells as HTML, apart from their intervals."""
        return [
            text.removesuffix(interval).strip() if interval or text == _NONE else cell.decode_contents().strip()
            for cell, text, interval in zip(self.cells, self.texts, self.intervals, strict=True)
        ]


def tidy(table: Tag, say_constants_once: bool) -> None:
    """Put in the table's place a figure of it that scrolls by itself; a table of several levels stays as it is.

    With ``say_constants_once`` columns that are the same in every row become a line under the table, unless a single
    column would remain.
    """
    rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
    if len(set(map(len, rows))) != 1:
        return
    heads = sum(row[0].find_parent("thead") is not None for row in rows)
    columns = [
        # Pandas gives the name of an index a row of its own, in which the others have nothing.
        _Column(" ".join(text for cell in column[:heads] if (text := cell.get_text().strip())), column[heads:])
        for column in zip(*rows, strict=True)
    ]
    if columns[0].is_default_index:
        del columns[0]
    constant = [column for column in columns if say_constants_once and column.is_constant][: max(0, len(columns) - 2)]
    columns = [column for column in columns if column not in constant]
    abreast = [sum(map(bool, row)) for row in zip(*(column.intervals for column in columns), strict=True)]
    figure = LAYOUTS.get_template("table.html.j2").render(
        columns=columns,
        rows=len(rows) - heads,
        said="; ".join(f"{column.name}: {column.texts[0]}" for column in constant),
        is_dense=max(abreast, default=0) > _INTERVALS_ABREAST,
    )
    table.replace_with(BeautifulSoup(figure, "html.parser"))
