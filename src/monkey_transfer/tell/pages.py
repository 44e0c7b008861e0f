"""Pages for a browser: executed notebooks bound as a small site, and single sheets of markdown.

Nothing on them comes from elsewhere: they can be read, searched and printed from a folder, without a server and
without a network. Their looks, their layout and the search are in ``page_assets``.
"""

import base64
import itertools
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from bs4 import BeautifulSoup, Tag
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image

from monkey_transfer.errors import StudyError
from monkey_transfer.images import small_png
from monkey_transfer.tell.page_tables import ASSETS, LAYOUTS, tidy

_ANSWER = "../answer.html"
_INDEX = "search_index.js"  # no other folder holds one, so it tells a site from what must not be replaced
_KEPT = re.compile(r'^\s*(?:\w+\.)?save_figure\(\w+, "(\w+)"', re.MULTILINE)
_BEFORE_MARK = re.compile(r" ([,.:;?!)])")  # spaces that only stood between a page's elements
_SCREEN_DPI = 96  # CSS pixels in an inch


@dataclass(frozen=True)
class _Page:
    """A page of the site.

    ``entries`` are what the search knows of it: one for its start and one for each section, as ``address, chapter,
    heading, text``. ``opening``, ``closing`` and ``body`` are HTML; ``made_of`` is the notebook's name.
    """

    address: str
    title: str
    entries: Sequence[dict[str, str]] = ()
    opening: str = ""
    closing: str = ""
    body: str = ""
    parameters: Sequence[str] = ()
    made_of: str = ""


def site(
    notebooks: Sequence[Path], folder: Path, title: str, answer_html: str | None = None, without: str | None = None
) -> Path:
    """Bind executed notebooks as a site in ``folder``, in the order given; returns its ``index.html``.

    Pages hold what notebooks say and show, without their code.

    Parameters
    ----------
    notebooks : executed ones, a chapter each. A figure that a cell keeps with ``save_figure(study, "<name>", figure)``
        is linked to as ``../figures/<name>.png`` where that file is there; others are written to ``folder/images``.
    folder : ``<report>/chapters``; replaced as a whole once everything is written, else left as it was.
    answer_html : the page ``../answer.html`` as :func:`markdown_page` made it: linked to, and searched with the rest.
    without : cells with this tag are left out.

    Raises StudyError if there is no notebook, one is missing or did not run to its end, or ``folder`` holds
    something else.
    """
    if not notebooks:
        raise StudyError(f"{folder}: a site needs at least one executed notebook: name those that are its chapters")
    if folder.exists() and not (folder / _INDEX).is_file():
        raise StudyError(f"{folder}: holds something other than chapters, which would be lost; delete or rename it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        new = Path(scratch, "new")
        new.mkdir()
        chapters = [_chapter(notebook, folder.parent / "figures", new / "images", without) for notebook in notebooks]
        answer = None if answer_html is None else _answer(answer_html)
        _write_pages(new, title, folder.parent.name, chapters, answer)
        if folder.exists():
            folder.rename(Path(scratch, "old"))
        new.rename(folder)
    return folder / "index.html"


def markdown_page(markdown: str, title: str, folder: Path) -> str:
    """A page of markdown that holds all it needs, to be read or printed on A4; images are looked for in ``folder``.

    Raises StudyError if an image is not a file in ``folder``.
    """
    renderer = IPythonRenderer(escape=False, embed_images=True, exclude_anchor_links=True, path=str(folder))
    soup = BeautifulSoup(MarkdownWithMath(renderer=renderer).render(markdown), "html.parser")
    for image in soup.find_all("img"):
        if not str(image["src"]).startswith("data:"):
            raise StudyError(f"{folder}: image '{image['src']}' is not there; write it before the page that shows it")
    if soup.h1 is None:
        soup.insert(0, soup.new_tag("h1", string=title))
    _name_headings(soup)
    for table in soup.find_all("table"):
        tidy(table, say_constants_once=False)
    style = (ASSETS / "page.css").read_text(encoding="utf-8")
    return LAYOUTS.get_template("sheet.html.j2").render(title=title, style=style, body=str(soup))


def _write_pages(folder: Path, title: str, profile: str, chapters: Sequence[_Page], answer: _Page | None) -> None:
    for name in ("page.css", "search.js"):
        shutil.copyfile(ASSETS / name, folder / name)
    entries = (entry for page in [*([answer] if answer else []), *chapters] for entry in page.entries)
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (folder / _INDEX).write_text(f"const SEARCHED = [\n{lines}\n];\n", encoding="utf-8")
    bound = [_Page("index.html", "Contents"), *chapters]
    shared = {"title": title, "profile": profile, "chapters": chapters, "answer": answer}
    for page, before, after in zip(bound, [None, *bound], [*bound[1:], None], strict=False):
        text = LAYOUTS.get_template("site.html.j2").render(**shared, before=before, page=page, after=after)
        (folder / page.address).write_text(text, encoding="utf-8")


def _answer(html: str) -> _Page:
    soup = BeautifulSoup(html, "html.parser")
    main = soup.main or soup
    for link in main.find_all("a", href=True):
        address = str(link["href"])
        if not urlsplit(address).scheme:
            link["href"] = f"{_ANSWER}{address}" if address.startswith("#") else f"../{address}"
    return _Page(_ANSWER, "The answer", _entries(main, _ANSWER, "The answer"), _opening(main))


def _chapter(notebook: Path, figures: Path, images: Path, without: str | None) -> _Page:
    content = _read(notebook)
    content.cells = [cell for cell in content.cells if without not in cell.metadata.get("tags", [])]
    _take_out_images(content.cells, notebook.stem, figures, images)
    exporter = HTMLExporter(
        template_name="basic", template_file=str(ASSETS / "cells.html.j2"), exclude_anchor_links=True
    )
    soup = BeautifulSoup(exporter.from_notebook_node(content)[0], "html.parser")
    title = soup.h1.extract().get_text() if soup.h1 else notebook.stem.replace("_", " ")
    for style in soup.find_all("style", scoped=True):
        style.extract()  # of pandas' tables
    for heading in soup.find_all("h2"):
        following = heading.find_next_sibling(True)
        if following is None or following.name == "h2":
            heading.extract()  # code alone stood under it
    _name_headings(soup)
    for image in soup.find_all("img", alt=""):
        above = image.find_previous(["h2", "h3"])
        image["alt"] = f"Figure: {above.get_text() if above else title}"
    for table in soup.find_all("table"):
        tidy(table, say_constants_once=True)
    used = content.metadata.get("papermill", {}).get("parameters", {})
    return _Page(
        address=f"{notebook.stem}.html",
        title=title,
        entries=_entries(soup, f"{notebook.stem}.html", title),
        opening=_opening(soup),
        closing=_closing(soup),
        body=str(soup).strip(),
        parameters=[f"{name} = {json.dumps(value)}" for name, value in used.items()],
        made_of=notebook.name,
    )


def _read(notebook: Path) -> nbformat.NotebookNode:
    """An executed notebook; StudyError if it is missing, is none, or did not run to its end."""
    try:
        content = nbformat.read(notebook, as_version=4)
    except FileNotFoundError:
        raise StudyError(f"{notebook}: there is no such notebook; execute it before its page is made") from None
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError):
        raise StudyError(f"{notebook}: is not a notebook; execute it anew") from None
    for place, cell in enumerate(content.cells, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if cell.execution_count is None:
            raise StudyError(f"{notebook}: cell {place} has not run; execute the notebook before its page is made")
        if any(output.output_type == "error" for output in cell.outputs):
            raise StudyError(f"{notebook}: cell {place} failed; mend its cause and execute the notebook anew")
    return content


def _take_out_images(cells: Sequence[nbformat.NotebookNode], stem: str, figures: Path, images: Path) -> None:
    """Put a link in place of every PNG: to the report's figure, else to a new file in ``images``."""
    written = itertools.count(1)
    for cell in cells:
        shown = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        kept = [figures / f"{name}.png" for name in _KEPT.findall(cell.source)]
        for place, output in enumerate(shown):
            # A cell that keeps some figures and shows others does not tell which are which.
            if len(kept) == len(shown) and kept[place].is_file():
                file, address = kept[place], f"../figures/{kept[place].name}"
            else:
                images.mkdir(exist_ok=True)
                file = images / f"{stem}-{next(written)}.png"
                file.write_bytes(small_png(base64.b64decode(output.data["image/png"])))
                address = f"images/{file.name}"
            output.data = nbformat.NotebookNode({"text/html": _image(address, file)})


def _image(address: str, file: Path) -> str:
    """A figure as large as it was drawn, in inches, whatever its resolution."""
    with Image.open(file) as opened:
        scale = _SCREEN_DPI / float(opened.info.get("dpi", (_SCREEN_DPI, _SCREEN_DPI))[0])
        width, height = (round(scale * side) for side in opened.size)
    return f'<figure class="plot"><img src="{address}" alt="" width="{width}" height="{height}"></figure>'


def _name_headings(soup: BeautifulSoup) -> None:
    """Give every heading an address within its page, the same for the same words."""
    taken: dict[str, int] = {}
    for heading in soup.find_all(["h1", "h2", "h3"]):
        words = re.sub(r"[^a-z0-9]+", "-", heading.get_text().lower()).strip("-") or "section"
        taken[words] = taken.get(words, 0) + 1
        heading["id"] = words if taken[words] == 1 else f"{words}-{taken[words]}"


def _entries(container: Tag, address: str, title: str) -> list[dict[str, str]]:
    """What the search knows: the text above the first heading of depth 2, and that under each."""
    parts: list[tuple[str, str, list[str]]] = [(address, title, [])]
    for child in container.find_all(True, recursive=False):
        if child.name == "h2":
            parts.append((f"{address}#{child['id']}", child.get_text(), []))
        elif child.name != "h1":
            parts[-1][2].append(child.get_text(" "))
    return [
        {
            "address": at,
            "chapter": title,
            "heading": heading,
            "text": _BEFORE_MARK.sub(r"\1", " ".join(" ".join(texts).split())),
        }
        for at, heading, texts in parts
    ]


def _opening(container: Tag) -> str:
    """What stands under the title before the first heading, figure or table, as HTML."""
    below = [child for child in container.find_all(True, recursive=False) if child.name != "h1"]
    words = itertools.takewhile(lambda child: child.name in ("p", "ul", "ol") and child.img is None, below)
    return "\n".join(map(str, words))


def _closing(container: Tag) -> str:
    """What a chapter ends on, as HTML, if the study wrote it in words; else nothing."""
    last = container.find_all(True, recursive=False)[-1:]
    return "".join(child.decode_contents().strip() for child in last if "words" in child.get_attribute_list("class"))
