"""Pages for a browser: executed notebooks bound as a small site, and single sheets of markdown.

Nothing on them comes from elsewhere: they can be read, searched and printed from a folder, without a server and
without a network. Their looks, their layout and the search are in ``page_assets``.
"""

import ast
import base64
import io
import itertools
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from bs4 import BeautifulSoup, Tag
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image

from monkey_transfer.errors import StudyError
from monkey_transfer.images import small_png

_ASSETS = Path(__file__).with_name("page_assets")
_LAYOUTS = Environment(
    loader=FileSystemLoader(_ASSETS), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ANSWER = "../answer.html"
_INDEX = "search_index.js"  # no other folder holds one, so it tells a site from what must not be replaced
_PROGRESS_BAR = "application/vnd.jupyter.widget-view+json"
_FOR_NBVAL = re.compile(r"^\s*#\s*(?:NBVAL|PYTEST_VALIDATE)_\w+\s*$\n?", re.MULTILINE)
_PLAIN_CODE = ", ".join(f".highlight span.{kind}" for kind in ("n", "nn", "p", "o", "w"))  # names, signs and blanks
_BEFORE_MARK = re.compile(r" ([,.:;?!)])")  # spaces that only stood between a page's elements
_SCREEN_DPI = 96  # CSS pixels in an inch
_NARROWEST_WORDS = 16  # characters in a line of a table's cell, where it has as many
_INTERVALS_ABREAST = 4  # in a table with more in a row, intervals stand under their values

_NUMBER = r"[-+\N{MINUS SIGN}]?(?:[\d,]*\d(?:\.\d*)?|\.\d+|inf)(?:e[-+]?\d+)?(?:\s?%)?"
_ESTIMATE = re.compile(rf"({_NUMBER})(\s+(?:\[[^\]]*\]|\([^)]*\)))?")
_UNDEFINED, _NONE = {"NaN", "NaT", "<NA>"}, "\N{EN DASH}"
_SHORTENED = {"...", "\N{HORIZONTAL ELLIPSIS}", "\N{VERTICAL ELLIPSIS}"}


@dataclass(frozen=True)
class _Section:
    """A part of a page: its heading, where in the page that is, and the text under it."""

    heading: str
    anchor: str
    text: str


@dataclass(frozen=True)
class _Page:
    """What is known of a page: ``start`` is the text above its sections; opening, closing and body are HTML."""

    address: str
    title: str
    start: str = ""
    opening: str = ""
    sections: tuple[_Section, ...] = ()
    closing: str = ""
    body: str = ""
    parameters: tuple[str, ...] = ()
    has_code: bool = False

    def searched(self) -> Iterator[dict[str, str]]:
        """What the search knows of the page: an entry for its start and one for each section."""
        yield {"address": self.address, "chapter": self.title, "heading": self.title, "text": self.start}
        for section in self.sections:
            address = f"{self.address}#{section.anchor}"
            yield {"address": address, "chapter": self.title, "heading": section.heading, "text": section.text}


def site(notebooks: Sequence[Path], folder: Path, title: str, answer_html: str | None = None) -> Path:
    """Bind executed notebooks as a site in ``folder``, in the order given; returns its ``index.html``.

    Parameters
    ----------
    notebooks : executed ones, a chapter each. A figure that a cell keeps with ``save_figure(study, "<name>", figure)``
        is linked to as ``../figures/<name>.png`` where that file is there; others are written to ``folder/images``.
    folder : replaced as a whole once everything is written, else left as it was.
    answer_html : the page ``../answer.html`` as :func:`markdown_page` made it: linked to, and searched with the rest.

    Raises
    ------
    StudyError
        If there is no notebook, one is missing or did not run to its end, or ``folder`` holds something else.
    """
    if not notebooks:
        raise StudyError(f"{folder}: a site needs at least one executed notebook: name those that are its chapters")
    _check_replaceable(folder)
    unfinished = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        chapters = [_chapter(notebook, folder.parent / "figures", unfinished / "images") for notebook in notebooks]
        _write_pages(unfinished, title, chapters, None if answer_html is None else _answer(answer_html))
        _replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder / "index.html"


def markdown_page(markdown: str, title: str, folder: Path) -> str:
    """A page of markdown that holds all it needs, to be read or printed on A4; images are looked for in ``folder``.

    Raises
    ------
    StudyError
        If an image is not a file in ``folder``.
    """
    renderer = IPythonRenderer(escape=False, embed_images=True, exclude_anchor_links=True, path=str(folder))
    soup = BeautifulSoup(MarkdownWithMath(renderer=renderer).render(markdown), "html.parser")
    for image in soup.find_all("img"):
        if not str(image["src"]).startswith("data:"):
            raise StudyError(f"{folder}: image '{image['src']}' is not there; write it before the page that shows it")
    if soup.h1 is None:
        heading = soup.new_tag("h1")
        heading.string = title
        soup.insert(0, heading)
    _name_headings(soup)
    for table in soup.find_all("table"):
        _tidy(soup, table, say_constants_once=False)
    style = (_ASSETS / "page.css").read_text(encoding="utf-8")
    return _LAYOUTS.get_template("sheet.html.j2").render(title=title, style=style, body=str(soup))


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and not (folder / _INDEX).is_file():
        raise StudyError(f"{folder}: holds something other than chapters, which would be lost; delete or rename it")


def _replace(unfinished: Path, folder: Path) -> None:
    former = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(former, ignore_errors=True)
    if folder.exists():
        folder.rename(former)
    unfinished.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def _write_pages(folder: Path, title: str, chapters: Sequence[_Page], answer: _Page | None) -> None:
    for name in ("page.css", "search.js"):
        shutil.copyfile(_ASSETS / name, folder / name)
    searched = [entry for page in [*([answer] if answer else []), *chapters] for entry in page.searched()]
    entries = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in searched)
    (folder / _INDEX).write_text(f"const SEARCHED = [\n{entries}\n];\n", encoding="utf-8")
    bound = [_Page("index.html", "Contents"), *chapters]
    layout = _LAYOUTS.get_template("site.html.j2")
    for place, page in enumerate(bound):
        text = layout.render(
            title=title,
            chapters=chapters,
            answer=answer,
            page=page if place else None,
            before=bound[place - 1] if place else None,
            after=bound[place + 1] if place + 1 < len(bound) else None,
        )
        (folder / page.address).write_text(text, encoding="utf-8")


def _answer(html: str) -> _Page:
    soup = BeautifulSoup(html, "html.parser")
    main = soup.main or soup
    for link in main.find_all("a", href=True):
        address = str(link["href"])
        if not urlsplit(address).scheme:
            link["href"] = f"{_ANSWER}{address}" if address.startswith("#") else f"../{address}"
    start, sections = _sections(main)
    return _Page(_ANSWER, "The answer", start, _opening(main), sections)


def _chapter(notebook: Path, figures: Path, images: Path) -> _Page:
    content = _read(notebook)
    parameters = _used_parameters(content.cells)
    content.cells = [cell for cell in content.cells if not _tags(cell) & {"parameters", "injected-parameters"}]
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.source = _FOR_NBVAL.sub("", cell.source).strip("\n")
            cell.outputs = [output for output in cell.outputs if _PROGRESS_BAR not in output.get("data", {})]
    _take_out_images(content.cells, notebook.stem, figures, images)
    exporter = HTMLExporter(
        template_name="basic",
        template_file=str(_ASSETS / "cells.html.j2"),
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, _ = exporter.from_notebook_node(content)
    soup = BeautifulSoup(body, "html.parser")
    title = soup.h1.extract().get_text() if soup.h1 else notebook.stem.replace("_", " ")
    for span in soup.select(_PLAIN_CODE):
        span.unwrap()  # a third of a page, to no effect
    for style in soup.find_all("style", scoped=True):
        style.extract()  # of pandas' tables
    _hide_headings_of_code(soup)
    _name_headings(soup)
    _name_images(soup, title)
    for table in soup.find_all("table"):
        _tidy(soup, table, say_constants_once=True)
    start, sections = _sections(soup)
    return _Page(
        address=f"{notebook.stem}.html",
        title=title,
        start=start,
        opening=_opening(soup),
        sections=sections,
        closing=_closing(soup),
        body=str(soup).strip(),
        parameters=parameters,
        has_code=soup.find(class_="code") is not None,
    )


def _read(notebook: Path) -> nbformat.NotebookNode:
    """An executed notebook; StudyError if it is missing, is none, or did not run to its end."""
    try:
        content = nbformat.read(notebook, as_version=4)
    except FileNotFoundError:
        raise StudyError(f"{notebook}: there is no such notebook; execute it before its page is made") from None
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError) as error:
        raise StudyError(f"{notebook}: is not a notebook ({error}); execute it anew") from None
    for place, cell in enumerate(content.cells, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if cell.execution_count is None:
            raise StudyError(f"{notebook}: cell {place} has not run; execute the notebook before its page is made")
        if any(output.output_type == "error" for output in cell.outputs):
            raise StudyError(f"{notebook}: cell {place} failed; mend its cause and execute the notebook anew")
    return content


def _tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _used_parameters(cells: Sequence[nbformat.NotebookNode]) -> tuple[str, ...]:
    """Each parameter as it was used, such as ``seed = 0``: papermill leaves the defaults above what it puts in."""
    used: dict[str, str | None] = {}
    for tag in ("parameters", "injected-parameters"):
        for cell in cells:
            if tag in _tags(cell):
                used |= dict(_assignments(cell.source))
    return tuple(f"{name} = {value}" for name, value in used.items())


def _assignments(source: str) -> Iterator[tuple[str, str | None]]:
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, ast.get_source_segment(source, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, ast.get_source_segment(source, value)


def _take_out_images(cells: Sequence[nbformat.NotebookNode], stem: str, figures: Path, images: Path) -> None:
    """Put a link in place of every PNG: to the report's figure, else to a new file in ``images``."""
    written = 0
    for cell in cells:
        if cell.cell_type != "code":
            continue
        shown = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        kept = _figures_kept(cell.source) if shown else []
        for place, output in enumerate(shown):
            # A cell that keeps some figures and shows others does not tell which are which.
            name = kept[place] if len(kept) == len(shown) else ""
            file = figures / f"{name}.png"
            if name and file.is_file():
                address, content = f"../figures/{file.name}", file.read_bytes()
            else:
                written += 1
                content = base64.b64decode(output.data["image/png"])
                images.mkdir(exist_ok=True)
                address = f"images/{stem}-{written}.png"
                (images.parent / address).write_bytes(small_png(content))
            output.data = nbformat.NotebookNode({"text/html": _image(address, content)})


def _figures_kept(source: str) -> list[str]:
    """The names under which a cell's source keeps figures, from top to bottom."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # IPython's own syntax
        return []
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="save_figure") | ast.Attribute(attr="save_figure"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                found.append((node.lineno, name))
    return [name for _, name in sorted(found)]


def _image(address: str, content: bytes) -> str:
    """A figure as large as it was drawn, in inches, whatever its resolution."""
    with Image.open(io.BytesIO(content)) as opened:
        scale = _SCREEN_DPI / float(opened.info.get("dpi", (_SCREEN_DPI, _SCREEN_DPI))[0])
        width, height = (round(scale * side) for side in opened.size)
    return f'<figure class="plot"><img src="{address}" alt="" width="{width}" height="{height}"></figure>'


def _hide_headings_of_code(soup: BeautifulSoup) -> None:
    """Let a heading come and go with what stands under it, if that is code alone."""
    for child, following in itertools.pairwise([*_children(soup), None]):
        if child is not None and child.name == "h2" and (following is None or following.name == "h2"):
            child["class"] = "code"


def _name_headings(soup: BeautifulSoup) -> None:
    """Give every heading an address within its page, the same for the same words."""
    taken: dict[str, int] = {}
    for heading in soup.find_all(["h1", "h2", "h3"]):
        words = re.sub(r"[^a-z0-9]+", "-", heading.get_text().lower()).strip("-") or "section"
        taken[words] = taken.get(words, 0) + 1
        heading["id"] = words if taken[words] == 1 else f"{words}-{taken[words]}"


def _name_images(soup: BeautifulSoup, title: str) -> None:
    """Say to those who cannot see a figure what it is about: the heading that it stands under."""
    for image in soup.find_all("img", alt=""):
        heading = image.find_previous(["h2", "h3"])
        image["alt"] = f"Figure: {heading.get_text() if heading else title}"


def _sections(container: Tag) -> tuple[str, tuple[_Section, ...]]:
    """The text above the first heading of depth 2, and the sections from there on; code is in neither."""
    texts: list[list[str]] = [[]]
    found: list[Tag] = []
    for child in _children(container):
        if child.name == "h2":
            found.append(child)
            texts.append([])
        elif child.name != "h1":
            texts[-1].append(child.get_text(" "))
    start, *under = (_BEFORE_MARK.sub(r"\1", " ".join(" ".join(parts).split())) for parts in texts)
    sections = (
        _Section(heading.get_text(), str(heading["id"]), text) for heading, text in zip(found, under, strict=True)
    )
    return start, tuple(sections)


def _opening(container: Tag) -> str:
    """What stands under the title before the first heading, figure, table or code, as HTML."""
    below = [child for child in container.find_all(True, recursive=False) if child.name != "h1"]
    words = itertools.takewhile(lambda child: child.name in ("p", "ul", "ol") and child.img is None, below)
    return "\n".join(str(child) for child in words)


def _closing(container: Tag) -> str:
    """What a chapter ends on, as HTML, if the study wrote it in words; else nothing."""
    last = _children(container)[-1:]
    return "".join(child.decode_contents().strip() for child in last if "words" in child.get_attribute_list("class"))


def _children(container: Tag) -> list[Tag]:
    """The elements directly in the container, without code and what it printed."""
    children = container.find_all(True, recursive=False)
    return [child for child in children if "code" not in child.get_attribute_list("class")]


def _tidy(soup: BeautifulSoup, table: Tag, say_constants_once: bool) -> None:
    """Numbers to the right, no default index, and a box that a wide table scrolls in.

    With ``say_constants_once`` a column that is the same in every row becomes a line under the table.
    """
    for element in [table, *table.find_all(True)]:
        for attribute in ("style", "border", "class"):
            del element[attribute]
    for row in table.find_all("tr"):
        for blank in row.find_all(string=re.compile(r"^\s+$"), recursive=False):
            blank.extract()  # half of what pandas writes
    rows = [list(row.find_all(["th", "td"], recursive=False)) for row in table.find_all("tr")]
    head = [row for row in rows if row and row[0].find_parent("thead")]
    body = rows[len(head) :]
    for cell in itertools.chain(*body):
        if cell.get_text().strip() in _UNDEFINED:
            cell.string = _NONE
    said: list[str] = []
    if table.find(colspan=True) or table.find(rowspan=True) or len(set(map(len, rows))) != 1:
        for cell in itertools.chain(*body):  # what stands above what is not told by its place in the row
            _align(soup, [], [cell])
    else:
        _join_head(table, head)
        if _has_default_index(head, body):
            _drop([0], [*head, *body])
        if say_constants_once and head:
            constant = _constant_columns(body)
            said = [f"{head[0][place].get_text()}: {body[0][place].get_text()}" for place in constant]
            _drop(constant, [*head, *body])
        for column in zip(*head, *body, strict=True):
            _align(soup, column[: len(head)], column[len(head) :])
    _box(soup, table, said)


def _join_head(table: Tag, head: list[list[Tag]]) -> None:
    """Make one row of the two that pandas writes where the index has a name: each fills what the other leaves empty."""
    if len(head) != 2:
        return
    upper, lower = ([cell.get_text().strip() for cell in row] for row in head)
    if not any(above and below for above, below in zip(upper, lower, strict=True)):
        for cell, above, below in zip(head[0], upper, lower, strict=True):
            cell.string = above or below
        table.find_all("tr")[1].extract()
        head.pop()


def _has_default_index(head: Sequence[Sequence[Tag]], body: Sequence[Sequence[Tag]]) -> bool:
    """Whether the first column has no name and counts the rows from 0, in whatever order they now are."""
    if not head or any(row[0].get_text().strip() for row in head):
        return False
    counted = [row[0].get_text().strip() for row in body]
    if _is_shortened(body):  # the numbers of rows that pandas left out are missing
        return "0" in counted and all(count.isdecimal() or count in _SHORTENED for count in counted)
    return sorted(counted) == sorted(map(str, range(len(body))))


def _is_shortened(body: Sequence[Sequence[Tag]]) -> bool:
    return any(all(cell.get_text().strip() in _SHORTENED for cell in row) for row in body)


def _constant_columns(body: Sequence[Sequence[Tag]]) -> list[int]:
    """The columns that are the same in every row, but never so many that one column alone would remain."""
    if len(body) < 2:
        return []
    columns = {place: cells for place, cells in enumerate(zip(*body, strict=True)) if cells[0].name == "td"}
    constant = [place for place, cells in columns.items() if len({cell.get_text().strip() for cell in cells}) == 1]
    return constant[: max(0, len(body[0]) - 2)]


def _drop(places: Sequence[int], rows: Sequence[list[Tag]]) -> None:
    for row in rows:
        for place in sorted(places, reverse=True):
            row.pop(place).extract()


def _align(soup: BeautifulSoup, head: Sequence[Tag], body: Sequence[Tag]) -> None:
    """Put a column to the right if most of its cells are numbers, and mark their intervals as such."""
    told = [cell for cell in body if cell.get_text().strip() not in {*_SHORTENED, _NONE, ""}]
    numbers = [(cell, found) for cell in told if (found := _ESTIMATE.fullmatch(cell.get_text(" ").strip()))]
    if 2 * len(numbers) <= len(told):
        for cell in head:
            longest = max((len(cell.get_text().strip()) for cell in body), default=0)
            cell["style"] = f"min-width: {min(longest, _NARROWEST_WORDS)}ch"
        return
    for cell in (*head, *body):
        cell["class"] = "number"
    for cell, found in numbers:
        if found[2] and {element.name for element in cell.find_all(True)} <= {"br"}:
            cell.string = f"{found[1]} "
            cell.append(soup.new_tag("span", string=found[2].strip(), attrs={"class": "interval"}))


def _box(soup: BeautifulSoup, table: Tag, said: Sequence[str]) -> None:
    """Let a table that is wider than its page scroll by itself, and say below it what is the same in every row."""
    counted = table.find_next_sibling("p")
    if counted and (found := re.fullmatch(r"(\d+) rows × \d+ columns", counted.get_text().strip())):
        counted.string, counted["class"] = f"{found[1]} rows in all", "note"
    figure = table.wrap(soup.new_tag("figure"))
    table.wrap(soup.new_tag("div", attrs={"class": "scroll", "tabindex": "0"}))
    if any(len(row.find_all(class_="interval")) > _INTERVALS_ABREAST for row in table.find_all("tr")):
        table["class"] = "dense"
    if said:
        figure.append(soup.new_tag("figcaption", string=f"In every row: {'; '.join(said)}."))
