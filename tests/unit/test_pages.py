"""Pages: what a reader sees of an executed notebook, what the search finds, and what is left where something fails."""

import base64
import io
import json
import re

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from monkey_transfer.errors import StudyError
from monkey_transfer.images import small_png
from monkey_transfer.tell.page_tables import tidy
from monkey_transfer.tell.pages import markdown_page, site

TABLE = pd.DataFrame(
    {
        "pictures": ["rendered"] * 3,
        "arm": ["transfer", "benchmark", "mean_pose"],
        "score": ["39.3 [36.9, 41.7]", "25.8 [23.9, 27.8]", "NaN"],
    }
)


def png(width=300, height=150, dpi=150):
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "png", dpi=(dpi, dpi))
    return file.getvalue()


def ran(source, *outputs, count=1):
    return new_code_cell(source, execution_count=count, outputs=list(outputs))


def shows(kind, content):
    return new_output("execute_result", {kind: content, "text/plain": "<repr>"}, execution_count=1)


def picture(content):
    return shows("image/png", base64.b64encode(content).decode())


def write(path, *cells, **used):
    nbformat.write(new_notebook(cells=list(cells), metadata={"papermill": {"parameters": used}}), path)
    return path


@pytest.fixture
def notebooks(tmp_path):
    """Two chapters: one with parameters, code, a table and two figures, one that ends on a sentence."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "sizes.png").write_bytes(png())
    first = write(
        tmp_path / "01_first.ipynb",
        new_markdown_cell("# 1 · First\n\nAre they `equally`, large?\n\n- a point"),
        ran('profile = "smoke"'),
        ran('profile = "demo"\nseed = 7'),
        ran("import secretmodule"),
        new_markdown_cell("## Training"),
        ran("train()", new_output("stream", name="stdout", text="loss 0.5\n")),
        new_markdown_cell("## Values"),
        ran("# NBVAL_CHECK_OUTPUT\nTABLE", shows("text/html", TABLE._repr_html_())),
        new_markdown_cell("## Sizes"),
        ran('reports.save_figure(study, "sizes", figure)\nfigure', picture(png(600, 300))),
        ran("figure", picture(png(600, 300, dpi=100))),
        profile="demo",
        seed=7,
    )
    second = write(
        tmp_path / "02_second.ipynb",
        new_markdown_cell("# 2 · Second\n\nDoes it help?"),
        new_markdown_cell("## Gibbons & others\n\nA gibbon is < an ape."),
        ran("Markdown(words)", shows("text/markdown", "It **helps** </script> by 2 points.")),
    )
    return [first, second]


@pytest.fixture
def bound(notebooks, tmp_path):
    return site(notebooks, tmp_path / "chapters", "A study").parent


def soup(file):
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def searched(folder):
    text = (folder / "search_index.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("const SEARCHED = ").removesuffix(";\n"))


def tidied(table, say_constants_once=True):
    """The rows of a data frame's table as a page shows them, and what is said below it."""
    page = BeautifulSoup(table.to_html(), "html.parser")
    tidy(page.table, say_constants_once)
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]
    return rows, page.figcaption.get_text() if page.figcaption else ""


def test_there_is_no_code_nor_what_it_printed_but_the_way_to_it(bound, tmp_path):
    pages = "".join(file.read_text(encoding="utf-8") for file in bound.glob("*.*"))
    for words in ("secretmodule", "train()", "loss 0.5", "NBVAL", "smoke"):
        assert words not in pages
    note = soup(bound / "01_first.html").article.find_all("p")[-1].get_text()
    assert "The code of this page is in notebooks/" in note
    assert f"nbconvert --to html runs/{tmp_path.name}/notebooks/01_first.ipynb" in note


def test_parameters_are_shown_once_as_they_were_used(bound):
    page = soup(bound / "01_first.html")
    assert [code.get_text() for code in page.find(class_="parameters").find_all("code")] == [
        'profile = "demo"',
        "seed = 7",
    ]
    assert page.get_text().count("profile =") == 1


def test_a_heading_over_code_alone_is_left_out(bound):
    page = soup(bound / "01_first.html")
    assert [heading.get_text() for heading in page.article.find_all("h2")] == ["Values", "Sizes"]
    assert [link.get_text() for link in page.select(".contents details[open] li a")] == ["Values", "Sizes"]


def test_cells_of_a_tag_can_be_left_out_with_the_heading_above_them(notebooks, tmp_path):
    content = nbformat.read(notebooks[0], 4)
    for cell in content.cells[6:8]:  # Values, and its table
        cell.metadata["tags"] = ["audit"]
    nbformat.write(content, notebooks[0])
    whole = soup(site(notebooks, tmp_path / "whole", "A study").parent / "01_first.html")
    rest = soup(site(notebooks, tmp_path / "rest", "A study", without="audit").parent / "01_first.html")
    assert [heading.get_text() for heading in whole.article.find_all("h2")] == ["Values", "Sizes"]
    assert [heading.get_text() for heading in rest.article.find_all("h2")] == ["Sizes"]
    assert rest.table is None
    assert "benchmark" not in (tmp_path / "rest" / "search_index.js").read_text(encoding="utf-8")


def test_a_table_has_no_index_and_says_once_what_is_the_same_in_every_row(bound):
    page = soup(bound / "01_first.html")
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.table.find_all("tr")]
    assert rows == [
        ["arm", "score"],
        ["transfer", "39.3 [36.9, 41.7]"],
        ["benchmark", "25.8 [23.9, 27.8]"],
        ["mean_pose", "\N{EN DASH}"],
    ]
    assert page.figcaption.get_text() == "In every row: pictures: rendered."
    assert page.table.find_parent(class_="scroll")
    assert page.find("style") is None


def test_numbers_stand_to_the_right_and_words_to_the_left(bound):
    classes = [
        [cell.get("class") for cell in row.find_all(["th", "td"])]
        for row in soup(bound / "01_first.html").table.find_all("tr")
    ]
    assert classes == [[None, ["number"]]] * 4


@pytest.mark.parametrize(
    "cell, is_number",
    [
        ("0", True),
        ("-0.174", True),
        ("+8.9 [+6.5, +11.5]", True),
        ("\N{MINUS SIGN}4.5", True),
        ("1,000", True),
        ("12.5 %", True),
        ("226 (197 to 297)", True),
        ("1e-05", True),
        ("39.3<br>[36.9,\N{NO-BREAK SPACE}41.7]", True),
        ("1 of 1", False),
        ("more than 150", False),
        ("27cda2ae4a35", False),
        ("-", False),
    ],
)
def test_what_counts_as_a_number(tmp_path, cell, is_number):
    page = BeautifulSoup(markdown_page(f"| a | b |\n|--|--|\n| x | {cell} |", "t", tmp_path), "html.parser")
    assert (page.find_all("td")[1].get("class") == ["number"]) is is_number


def test_a_column_of_which_half_are_numbers_is_one_of_words(tmp_path):
    page = BeautifulSoup(
        markdown_page("| a | b |\n|--|--|\n| x | 1 |\n| 2 | y |\n| 3 | z |", "t", tmp_path), "html.parser"
    )
    assert [cell.get("class") for cell in page.find_all("th")] == [["number"], None]
    page = BeautifulSoup(markdown_page("| a |\n|--|\n| x |\n| 2 |", "t", tmp_path), "html.parser")
    assert page.th.get("class") is None


@pytest.mark.parametrize(
    "index, is_hidden",
    [
        (pd.RangeIndex(3), True),
        (pd.Index([2, 0, 1]), True),
        (pd.RangeIndex(3, name="seed"), False),
        (pd.Index([10, 30, 100]), False),
        (pd.Index([1, 2, 3]), False),
        (pd.Index([0, 0, 1]), False),
        (pd.Index(["a", "b", "c"]), False),
    ],
)
def test_only_an_index_that_counts_rows_is_hidden(index, is_hidden):
    rows, _ = tidied(pd.DataFrame({"score": [1, 2, 3]}, index=index))
    assert rows[0] == (["score"] if is_hidden else [index.name or "", "score"])
    assert [row[-1] for row in rows[1:]] == ["1", "2", "3"]


def test_a_table_without_rows_has_no_index_either():
    assert tidied(pd.DataFrame({"a": [], "b": []})) == ([["a", "b"]], "")


def test_a_table_keeps_two_columns_and_a_single_row_all():
    assert tidied(pd.DataFrame({"a": [1, 1], "b": [1, 2], "c": [3, 3]})) == (
        [["b", "c"], ["1", "3"], ["2", "3"]],
        "In every row: a: 1.",
    )
    assert tidied(pd.DataFrame({"a": [1], "b": [2], "c": [3]})) == ([["a", "b", "c"], ["1", "2", "3"]], "")


def test_a_table_of_several_levels_stays_as_it_is():
    table = pd.DataFrame([[1, 2]] * 2, columns=pd.MultiIndex.from_product([["a"], ["x", "y"]]))
    rows, said = tidied(table)
    assert (rows[1:], said) == ([["", "x", "y"], ["0", "1", "2"], ["1", "1", "2"]], "")


values = st.sampled_from(["1", "2.5 [1, 3]", "word", "", "..x"])


@given(
    st.lists(st.tuples(values, values, values), min_size=1, max_size=4),
    st.sampled_from([None, "named"]),
)
def test_no_value_is_lost(cells, name):
    table = pd.DataFrame(cells, columns=["a", "b", "c"])
    table.index.name = name
    rows, said = tidied(table)
    names, *body = rows
    for place, column in enumerate("abc"):
        expected = [row[place] for row in cells]
        if column in names:
            assert [row[names.index(column)] for row in body] == expected
        else:
            assert f"{column}: {expected[0]}" in said
            assert len(set(expected)) == 1


def test_a_kept_figure_is_linked_to_and_another_written_beside_the_page(bound):
    kept, other = soup(bound / "01_first.html").find_all("img")
    assert kept["src"] == "../figures/sizes.png"
    assert other["src"] == "images/01_first-1.png"
    assert [file.name for file in (bound / "images").iterdir()] == ["01_first-1.png"]
    assert (bound / "images" / "01_first-1.png").read_bytes() == small_png(png(600, 300, dpi=100))
    assert kept["alt"] == other["alt"] == "Figure: Sizes"
    # 300 pixels at 150 to the inch are 2 inches; 600 at 100 are 6; of 96 CSS pixels each
    assert (kept["width"], kept["height"]) == ("192", "96")
    assert (other["width"], other["height"]) == ("576", "288")
    assert "data:image" not in (bound / "01_first.html").read_text()


def test_a_figure_is_not_linked_to_where_the_file_is_not_there_or_a_cell_shows_more_than_it_keeps(tmp_path, notebooks):
    keeps = 'save_figure(study, "{}", figure)'
    notebook = write(
        tmp_path / "a.ipynb",
        ran(keeps.format("missing"), picture(png())),
        ran(keeps.format("sizes"), picture(png()), picture(png())),
        ran("# " + keeps.format("sizes"), picture(png())),
    )
    page = soup(site([notebook], tmp_path / "chapters", "A study").parent / "a.html")
    assert [image["src"] for image in page.find_all("img")] == [f"images/a-{place}.png" for place in (1, 2, 3, 4)]


def test_the_search_knows_a_word_of_the_second_chapter_and_where_it_stands(bound):
    found = [entry for entry in searched(bound) if "gibbon" in entry["text"]]
    assert found == [
        {
            "address": "02_second.html#gibbons-others",
            "chapter": "2 · Second",
            "heading": "Gibbons & others",
            "text": "A gibbon is < an ape. It helps by 2 points.",
        }
    ]
    assert soup(bound / "02_second.html").find(id="gibbons-others").name == "h2"


def test_the_search_knows_tables_and_no_code(bound):
    text = " ".join(entry["text"] for entry in searched(bound))
    assert "benchmark 25.8 [23.9, 27.8]" in text
    assert "Are they equally, large?" in text
    assert "secretmodule" not in text
    assert "loss 0.5" not in text


def test_the_answer_is_linked_to_shown_first_and_searched(notebooks, tmp_path):
    answer = markdown_page(
        "# Do they?\n\nYes, see [there](chapters/01_first.html) and [limits](#limits).\n\n## Limits\n\nOrangutans.",
        "t",
        tmp_path,
    )
    (tmp_path / "answer.html").write_text(answer)
    folder = site(notebooks, tmp_path / "chapters", "A study", answer).parent
    card = soup(folder / "index.html").select_one(".card.answer")
    assert [link["href"] for link in card.find_all("a")] == [
        "../answer.html",
        "../chapters/01_first.html",
        "../answer.html#limits",
    ]
    assert [entry["address"] for entry in searched(folder) if "Orangutans" in entry["text"]] == [
        "../answer.html#limits"
    ]


def test_contents_tell_what_each_chapter_asks_and_what_it_ends_on(bound):
    first, second = soup(bound / "index.html").select(".card")
    assert "Are they equally, large?" in first.get_text()
    assert "a point" in first.get_text()
    assert first.find(class_="closing") is None
    assert second.find(class_="closing").get_text().startswith("It helps")


def test_chapters_are_bound_in_the_order_given(bound):
    def neighbours(name):
        page = soup(bound / name)
        return [link["href"] if (link := page.find("a", rel=kind)) else None for kind in ("prev", "next")]

    assert neighbours("index.html") == [None, "01_first.html"]
    assert neighbours("01_first.html") == ["index.html", "02_second.html"]
    assert neighbours("02_second.html") == ["01_first.html", None]


def test_every_link_leads_somewhere_and_nothing_comes_from_elsewhere(bound):
    for file in bound.glob("*.html"):
        page = soup(file)
        addresses = [element[name] for name in ("href", "src") for element in page.find_all(attrs={name: True})]
        assert len(addresses) > 5
        for address in addresses:
            assert not re.match(r"\w+:|//", address), address
            name, _, anchor = address.partition("#")
            assert (file.parent / name).is_file(), address
            assert not anchor or soup(file.parent / name).find(id=anchor), address
    for name in ("page.css", "search.js"):
        assert not re.search(r"https?:|url\(|@import", (bound / name).read_text())


def test_a_site_is_replaced_as_a_whole(notebooks, tmp_path, bound):
    before = (bound / "index.html").read_text()
    site(notebooks[1:], bound, "A study")
    assert sorted(file.name for file in bound.iterdir()) == [
        "02_second.html",
        "index.html",
        "page.css",
        "search.js",
        "search_index.js",
    ]
    assert (bound / "index.html").read_text() != before
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_a_failure_leaves_the_site_as_it_was(notebooks, tmp_path, bound):
    before = {file: file.read_bytes() for file in bound.rglob("*") if file.is_file()}
    with pytest.raises(StudyError):
        site([notebooks[0], tmp_path / "missing.ipynb"], bound, "Another")
    assert {file: file.read_bytes() for file in bound.rglob("*") if file.is_file()} == before
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_a_folder_that_holds_something_else_is_left_alone(notebooks, tmp_path):
    with pytest.raises(StudyError, match="figures: holds something other than chapters.*rename"):
        site(notebooks, tmp_path / "figures", "A study")
    assert (tmp_path / "figures" / "sizes.png").is_file()


def test_the_same_notebooks_give_the_same_pages(notebooks, tmp_path, bound):
    before = {file.name: file.read_bytes() for file in bound.glob("*.*")}
    site(notebooks, bound, "A study")
    assert {file.name: file.read_bytes() for file in bound.glob("*.*")} == before


@pytest.mark.parametrize(
    "cell, words",
    [
        (ran("1", count=None), r"a\.ipynb: cell 2 has not run; execute"),
        (ran("1", new_output("error", ename="E", evalue="", traceback=[])), r"a\.ipynb: cell 2 failed; mend"),
    ],
)
def test_a_notebook_that_did_not_run_to_its_end_is_refused(tmp_path, cell, words):
    notebook = write(tmp_path / "a.ipynb", new_markdown_cell("# A"), cell)
    with pytest.raises(StudyError, match=words):
        site([notebook], tmp_path / "chapters", "A study")


def test_what_is_no_notebook_or_none_at_all_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"b\.ipynb: there is no such notebook; execute"):
        site([tmp_path / "b.ipynb"], tmp_path / "chapters", "A study")
    (tmp_path / "c.ipynb").write_text("words")
    with pytest.raises(StudyError, match=r"c\.ipynb: is not a notebook; execute"):
        site([tmp_path / "c.ipynb"], tmp_path / "chapters", "A study")
    with pytest.raises(StudyError, match="chapters: a site needs at least one executed notebook"):
        site([], tmp_path / "chapters", "A study")


def test_progress_bars_and_warnings_are_on_no_page(tmp_path):
    bar = new_output(
        "display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "0%"}
    )
    noise = new_output("stream", name="stderr", text="a warning")
    folder = site([write(tmp_path / "a.ipynb", ran("wait()", bar, noise))], tmp_path / "chapters", "A study").parent
    text = soup(folder / "a.html").get_text()
    assert "0%" not in text
    assert "a warning" not in text


def test_a_sheet_holds_its_images_and_its_style(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.png").write_bytes(png())
    page = BeautifulSoup(markdown_page("Words.\n\n![A](figures/a.png)", "The answer", tmp_path), "html.parser")
    assert page.img["src"] == "data:image/png;base64," + base64.b64encode(png()).decode()
    assert page.img["alt"] == "A"
    assert page.h1.get_text() == page.title.get_text() == "The answer"
    assert "size: A4" in page.style.get_text()
    assert page.find(["link", "script"]) is None


def test_a_sheet_has_its_own_heading_and_all_its_columns(tmp_path):
    rows = ["arm | kind | score", "-- | -- | --", "a | x | 1.5 [1, 2]", "b | x | **9** [8, 20]", "c | x | 2<br>[1, 3]"]
    text = "# Mine\n\n" + "\n".join(f"| {row} |" for row in rows)
    page = BeautifulSoup(markdown_page(text, "The answer", tmp_path), "html.parser")
    assert [heading.get_text() for heading in page.find_all("h1")] == ["Mine"]
    assert [cell.get_text() for cell in page.find_all("th")] == ["arm", "kind", "score"]
    assert page.find_all("td")[2].find(class_="interval").get_text() == "[1, 2]"
    assert page.find_all("td")[5].strong.get_text() == "9"
    assert page.find_all("td")[8].decode_contents() == '2 <span class="interval">[1, 3]</span>'


def test_a_sheet_whose_image_is_missing_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"image 'figures/b\.png' is not there; write it"):
        markdown_page("![B](figures/b.png)", "The answer", tmp_path)
