"""Reports: parameters are checked first, failures are told, chapters are bound beside the answer."""

import ast
import io
import json
import re
import sys
from types import SimpleNamespace

import nbformat
import numpy as np
import papermill
import pytest
from bad_input import holds, refused

from monkey_transfer.errors import StudyError
from monkey_transfer.places import ROOT
from monkey_transfer.study.runs import run_of
from monkey_transfer.tell import parameters, reports
from monkey_transfer.tell.parameters import check_parameters, open_chapter
from monkey_transfer.tell.reports import bind, execute, opened_report

ANSWER = "<html><body><main><h1>Smoke</h1><p>Undecided.</p></main></body></html>"


@pytest.fixture
def report(tmp_path, monkeypatch):
    """The folder of the report of the profile smoke, with its answer and no chapters."""
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path))
    folder = opened_report("smoke")
    (folder / "answer.html").write_text(ANSWER, encoding="utf-8")
    return folder


def command(monkeypatch, *words: object) -> None:
    """Call the program with those words."""
    monkeypatch.setattr(sys, "argv", ["reports", *map(str, words)])
    reports.main()


def write_notebook(path, *cells):
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "monkey-transfer", "display_name": "x", "language": "python"}}
    )
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    notebook.cells[0].metadata.tags = ["parameters"]
    nbformat.write(notebook, path)
    return path


def code_cells(notebook) -> list[str]:
    return [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_every_chapter_is_opened_with_all_its_parameters(notebook):
    own, first, *_ = code_cells(notebook)
    names = {name.id for name in ast.walk(ast.parse(own)) if isinstance(name, ast.Name)}
    calls = [node for node in ast.walk(ast.parse(first)) if isinstance(node, ast.Call)]
    (opened,) = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "open_chapter")
    assert {argument.id for argument in opened.args if isinstance(argument, ast.Name)} == names
    check_parameters(notebook, names)


REFUSED_RUNS = {
    "an arm that the profile lacks": (("trnsfer", 0), "no arm 'trnsfer'; expected one of baseline, benchmark"),
    "an arm that is a list": ((["transfer"], 0), r"no arm \['transfer'\]"),
    "a seed that the profile lacks": (("transfer", 7), "no seed 7; expected one of 0"),
    "a seed below zero": (("transfer", -1), "no seed -1"),
    "a seed that is a text": (("transfer", "0"), "no seed '0'; expected one of 0"),
    "a seed that is yes or no": (("transfer", False), "no seed False"),
    "a seed that is None": (("transfer", None), "no seed None"),
    "a number of images that no arm has": (("transfer", 0, 7), "'transfer' does not learn 7 .*expected one of 10, 20"),
    "a number of images with a decimal point": (("transfer", 0, 10.0), "does not learn 10.0 pictures"),
    "a number of images as a text": (("transfer", 0, "10"), "does not learn '10' pictures"),
}


@pytest.mark.parametrize("what", REFUSED_RUNS)
def test_a_run_that_the_profile_lacks_is_refused_before_anything_is_written(what, tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    run, sentence = REFUSED_RUNS[what]
    with refused("notebook parameter", what, match=f"profile smoke.*{sentence}"):
        open_chapter("smoke", *run)
    assert list(tmp_path.iterdir()) == []


def test_a_number_out_of_a_table_is_a_number():
    assert run_of(reports.load_profile("smoke"), "transfer", np.int64(0), np.int64(10)).images == 10


@pytest.mark.parametrize("profile", [7, None, "nonsense"])
def test_a_profile_that_is_none_is_refused(profile):
    with pytest.raises(StudyError, match=f"profile '?{profile}'?"):
        open_chapter(profile, "transfer", 0)


def test_what_papermill_warns_of_is_refused_without_a_traceback(tmp_path, monkeypatch):
    first = "from monkey_transfer.tell.parameters import open_chapter\nopen_chapter(profile, 'transfer', seed)"
    notebook = write_notebook(tmp_path / "a.ipynb", "profile = 'smoke'\nseed = 0  # the first", first)
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    with pytest.raises(papermill.PapermillExecutionError) as error:
        papermill.execute_notebook(str(notebook), str(tmp_path / "out.ipynb"), {"sed": 1}, progress_bar=False)
    assert error.value.traceback == ["error: parameter 'sed' is unknown; expected one of profile, seed"]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "injected, refuses", [("seed = 1", False), ('PAPERMILL_INPUT_PATH = "a.ipynb"', False), ("seeed = 1", True)]
)
def test_only_a_parameter_that_the_notebook_lacks_is_refused(injected, refuses, monkeypatch):
    cells = ["", "profile = 'smoke'\nseed = 0\n", f"# Parameters\n{injected}\n", "open_chapter(profile)\n"]
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns={"In": cells}))
    monkeypatch.setattr(parameters, "open_study", str.upper)
    if refuses:
        with refused("notebook parameter", "a misspelt parameter", match="'seeed' is unknown; expected one of prof"):
            open_chapter("smoke")
    else:
        assert open_chapter("smoke") == "SMOKE"


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path):
    notebook = write_notebook(tmp_path / "a.ipynb", "profile = 'smoke'", "1 / 0")
    with pytest.raises(StudyError, match=r"a\.ipynb: parameter 'profil' is unknown; expected one of profile"):
        execute(notebook, tmp_path / "out" / "out.ipynb", {"profil": "demo"})
    assert list(tmp_path.iterdir()) == [notebook]


def test_what_is_not_a_notebook_is_refused(tmp_path):
    (tmp_path / "a.ipynb").write_text("not one")
    with refused(
        "command line", "a file that is not a notebook", match="a.ipynb: cannot be read as a notebook; expected"
    ):
        execute(tmp_path / "a.ipynb", tmp_path / "out.ipynb", {})
    with refused(
        "command line", "a notebook that is not there", match="b.ipynb: cannot be read as a notebook; expected"
    ):
        execute(tmp_path / "b.ipynb", tmp_path / "out.ipynb", {})


def test_a_notebook_that_names_no_kernel(tmp_path):
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "a.ipynb")
    with refused("command line", "a notebook without a kernel", match="a.ipynb: names no kernel; open it in Jupyter"):
        execute(tmp_path / "a.ipynb", tmp_path / "out.ipynb", {})


@pytest.mark.parametrize(
    "cell", ["profile: str = 'demo'", "%time profile = 1\nprofile = 'demo'", "profile = (\nseed=="]
)
def test_a_parameter_is_known_however_its_cell_is_written(tmp_path, cell):
    notebook = write_notebook(tmp_path / "a.ipynb", cell)
    check_parameters(notebook, ["profile"])
    with pytest.raises(StudyError, match="'seed' is unknown; expected one of profile$"):
        check_parameters(notebook, ["seed"])


def test_an_executed_notebook_has_its_parameters_and_no_path_of_the_machine(tmp_path):
    cells = "number = 1", "import sys; print(number * 21); print('noise', file=sys.stderr)"
    execute(write_notebook(tmp_path / "a.ipynb", *cells), tmp_path / "out.ipynb", {"number": 2})
    written = (tmp_path / "out.ipynb").read_text()
    assert "42" in written
    assert str(tmp_path) not in written
    assert all(output.name != "stderr" for cell in nbformat.reads(written, 4).cells for output in cell.outputs)


def test_a_failing_cell_is_told_and_leaves_no_result(tmp_path):
    cell = "from monkey_transfer.errors import StudyError\nraise StudyError('row 3 is empty: fill it')"
    notebook = write_notebook(tmp_path / "a.ipynb", "number = 1", cell)
    with pytest.raises(StudyError, match=r"a\.ipynb: row 3 is empty: fill it \("):
        execute(notebook, tmp_path / "out.ipynb", {})
    assert not (tmp_path / "out.ipynb").exists()
    assert (tmp_path / "out.failed.ipynb").exists()
    # No traceback: the sentence says all.
    assert "runs.py" not in (tmp_path / "out.failed.ipynb").read_text()


def test_a_notebook_on_a_full_disk(tmp_path):
    """/dev/full is a disk that is always full."""
    (tmp_path / "out.failed.ipynb").symlink_to("/dev/full")
    notebook = write_notebook(tmp_path / "a.ipynb", "number = 1")
    with refused("disk", "full when a notebook is executed", match="out.ipynb: No space left on device; free some"):
        execute(notebook, tmp_path / "out.ipynb", {})
    assert {file.name for file in tmp_path.iterdir()} == {"a.ipynb", "out.log"}


@pytest.mark.parametrize(
    "cell, kernel, sentence",
    [
        ("import os; os._exit(1)", "monkey-transfer", r"a\.ipynb: its kernel was killed.*out\.log"),
        ("1", "monkey", r"a\.ipynb: kernel 'monkey' is not installed; make setup installs it"),
    ],
    ids=["dies", "is not installed"],
)
def test_a_kernel_that(cell, kernel, sentence, tmp_path):
    notebook = write_notebook(tmp_path / "a.ipynb", cell)
    notebook.write_text(notebook.read_text().replace('"monkey-transfer"', f'"{kernel}"'))
    with pytest.raises(StudyError, match=sentence):
        execute(notebook, tmp_path / "out.ipynb", {})
    assert not (tmp_path / "out.ipynb").exists()


def test_chapters_are_bound_beside_the_answer(tmp_path, report, monkeypatch):
    chapters = [tmp_path / f"{name}.ipynb" for name in ("01_first", "02_second")]
    for number, chapter in enumerate(chapters):
        execute(write_notebook(tmp_path / "a.ipynb", "number = 0", "print(number)"), chapter, {"number": number})
    command(monkeypatch, "bind", "smoke", *chapters)
    index = (report / "chapters" / "index.html").read_text(encoding="utf-8")
    for page in ("01_first.html", "02_second.html", "../answer.html"):
        assert f'href="{page}"' in index
        assert (report / "chapters" / page).is_file()
    assert reports.load_profile("smoke").title in index
    assert (report / "answer.html").read_text(encoding="utf-8") == ANSWER
    assert "Undecided." in (report / "chapters" / "search_index.js").read_text(encoding="utf-8")


def test_chapters_without_an_answer_are_not_bound(report):
    (report / "answer.html").unlink()
    with pytest.raises(StudyError, match=r"smoke/answer\.html: is not there; execute 05_analysis, which writes it"):
        bind("smoke", [])
    assert [file.name for file in report.iterdir()] == ["rules.json"]


def test_a_notebook_that_did_not_run_is_not_bound(tmp_path, report, monkeypatch):
    notebook = write_notebook(tmp_path / "a.ipynb", "number = 1")
    with pytest.raises(SystemExit, match=r"error: .*a\.ipynb: cell 1 has not run") as ended:
        command(monkeypatch, "bind", "smoke", notebook)
    assert "\n" not in str(ended.value)
    assert not (report / "chapters").exists()


def test_a_terminal_shows_the_answer_without_what_only_a_page_can(report, monkeypatch, capsys):
    answer = (
        "# Smoke\n\n- **Yes.** +2.0 [+1.0, +3.0]\n\n![curves](figures/answer.png)\n\n| a<br>b |\n<small>Runs</small>\n"
    )
    (report / "answer.md").write_text(answer, encoding="utf-8")
    command(monkeypatch, "show", "smoke")
    said = capsys.readouterr().out
    assert "- **Yes.** +2.0 [+1.0, +3.0]\n" in said
    assert "| a b |\nRuns\n" in said
    assert "<" not in said
    assert "answer.png" not in said
    last = said.splitlines()[-1]
    assert str(report / "answer.html") in last
    assert str(report / "chapters" / "index.html") in last


def test_a_terminal_without_the_letters_of_a_title_shows_question_marks(report, monkeypatch):
    (report / "answer.md").write_text(
        "# \N{CJK UNIFIED IDEOGRAPH-733F}, na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve\n", "utf-8"
    )
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", terminal)
    command(monkeypatch, "show", "smoke")
    terminal.flush()
    assert terminal.buffer.getvalue().decode("latin-1").startswith("# ?, na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve\n")


@pytest.mark.parametrize("words", [("show", "nonsense"), ("bind", "nonsense", "a.ipynb"), ("weights", "nonsense")])
def test_a_profile_that_is_unknown_ends_in_one_line_and_leaves_nothing(words, report, monkeypatch):
    with pytest.raises(SystemExit, match="error: profile 'nonsense' is unknown: expected one of"):
        command(monkeypatch, *words)
    assert [folder.name for folder in report.parent.iterdir()] == ["smoke"]


def test_a_report_that_is_not_there_ends_in_one_line(report, monkeypatch):
    with pytest.raises(SystemExit) as ended:
        command(monkeypatch, "show", "smoke")
    holds("command line", "an answer that is not written yet", str(ended.value))


def test_every_chapter_is_compared_in_its_numbers_and_ends_on_a_sentence_that_is_compared():
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
        checked = ["NBVAL_CHECK_OUTPUT" in cell.source for cell in cells]
        assert sum(checked) >= 3, notebook.name
        assert checked[-1], notebook.name
        assert "closing." in cells[-1].source, notebook.name


def test_what_is_said_of_the_paper_is_said_in_cells_that_reports_of_own_data_leave_out():
    cells = [cell for file in NOTEBOOKS for cell in nbformat.read(file, as_version=4).cells]
    tagged = [reports.OF_THE_PAPER in cell.metadata.get("tags", []) for cell in cells]
    assert sum(tagged) >= 15
    for cell, own in zip(cells, tagged, strict=True):
        if cell.cell_type == "markdown" and not own:
            assert "paper" not in cell.source.lower(), cell.source
    for cell, own in zip(cells, tagged, strict=True):
        if cell.cell_type == "code" and re.search(r"\b(paper_table|arithmetic|from_paper)\(", cell.source):
            assert own, cell.source


def test_every_checked_cell_holds_what_it_is_compared_with():
    cells = [
        cell
        for notebook in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in nbformat.read(notebook, as_version=4).cells
        if cell.cell_type == "code" and "NBVAL_CHECK_OUTPUT" in cell.source
    ]
    assert len(cells) >= 8
    # nbval passes over a cell without a count, and compares nothing with a cell that has no output
    assert all(cell.outputs and cell.execution_count for cell in cells)


def test_reports_of_other_rules_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path))
    folder = opened_report("mine")
    assert json.loads((folder / "rules.json").read_text()) == {"rules": reports.RULES}
    assert opened_report("mine") == folder
    (folder / "rules.json").write_text('{"rules": 1}')
    with pytest.raises(StudyError, match=rf"mine: was made by other rules \(1, these are {reports.RULES}\).*delete it"):
        opened_report("mine")
    (folder / "rules.json").write_text('{"rules": ')
    with refused("report", "its stamp is not whole", match="mine: was made by other rules"):
        opened_report("mine")
    (folder / "rules.json").unlink()
    (folder / "summary.md").write_text("older than the rules")
    with pytest.raises(StudyError, match="made by other rules"):
        opened_report("mine")
