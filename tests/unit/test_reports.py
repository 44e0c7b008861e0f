"""Reports: parameters are checked first, failures are told, chapters are bound beside the answer."""

import json
import sys

import nbformat
import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.places import ROOT
from monkey_transfer.tell import reports
from monkey_transfer.tell.reports import bind, check_parameters, execute, opened_report

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


def test_every_notebook_knows_the_parameters_that_the_workflow_gives_it():
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        check_parameters(notebook, {"profile": "smoke"})


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path):
    notebook = write_notebook(tmp_path / "a.ipynb", "profile = 'smoke'", "1 / 0")
    with pytest.raises(StudyError, match=r"a\.ipynb: parameter 'profil' is unknown.*profile"):
        execute(notebook, tmp_path / "out.ipynb", {"profil": "demo"})
    assert not (tmp_path / "out.ipynb").exists()


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


def test_a_report_that_is_not_there_ends_in_one_line(report, monkeypatch):
    with pytest.raises(SystemExit, match=r"error: .*answer\.md"):
        command(monkeypatch, "show", "smoke")


def test_every_chapter_is_compared_in_its_numbers_and_ends_on_a_sentence_that_is_compared():
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
        checked = ["NBVAL_CHECK_OUTPUT" in cell.source for cell in cells]
        assert sum(checked) >= 3, notebook.name
        assert checked[-1], notebook.name
        assert "closing." in cells[-1].source, notebook.name


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
    (folder / "rules.json").unlink()
    (folder / "summary.md").write_text("older than the rules")
    with pytest.raises(StudyError, match="made by other rules"):
        opened_report("mine")
