"""The workflow: what would run, and what is refused before anything starts."""

import json
import subprocess
import sys

import nbformat
import pytest

from monkey_transfer.places import ROOT
from monkey_transfer.tell.reports import RULES

RESULTS = ("05_analysis", "06_controls_and_learning_curves", "07_rare_poses")
CHAPTERS = (
    "01_data_exploration",
    "02_baseline_replication-s0",
    "03_human_benchmark-s0",
    "04_transfer_training-transfer-n8-s0",
    *RESULTS,
)


def dry_run(tmp_path, profile: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile", "--dry-run", "--cores", "1"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MONKEY_TRANSFER_RUNS": str(tmp_path / "runs")}
    return subprocess.run(
        [*command, "--nolock", "--config", f"profile={profile}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_demo_trains_each_arm_of_each_seed_once_and_parents_first(tmp_path):
    shown = dry_run(tmp_path, "demo-seeds")
    assert shown.returncode == 0, shown.stderr
    text = shown.stdout + shown.stderr
    for seed in range(5):
        for images in (30, 100):
            assert f"04_transfer_training-transfer-n{images}-s{seed}.ipynb" in text
        assert f"02_baseline_replication-s{seed}.ipynb" in text
        assert f"03_human_benchmark-s{seed}.ipynb" in text
    jobs = {
        line.split()[0]: int(line.split()[1])
        for line in text.splitlines()
        if len(line.split()) == 2 and line.split()[1].isdigit()
    }
    # Of ten arms at one size or two, in five seeds, three are asked about at the larger one.
    assert (jobs["deciding"], jobs["curve"], jobs["training"]) == (15, 15, 40)
    assert jobs["baseline"] == jobs["benchmark"] == 5
    assert jobs["exploration"] == jobs["analysis"] == jobs["controls_and_learning_curves"] == jobs["rare_poses"] == 1
    assert jobs["bind_chapters"] == 1


# In place of all that it does, the program that runs notebooks writes down which ones it is asked for.
STUB = """
import sys
from pathlib import Path

if __name__ == "__main__":
    if sys.argv[1] == "execute":
        Path(sys.argv[3]).touch()
        with open("order.txt", "a") as order:
            print(Path(sys.argv[3]).stem, file=order)
    sys.exit()
"""


def test_what_a_study_asks_is_trained_first_with_all_seeds(project):
    program, config = project.root / "src/monkey_transfer/tell/reports.py", project.root / "config" / "tiny.yaml"
    program.write_text(STUB + program.read_text(encoding="utf-8"), encoding="utf-8")
    config.write_text(f"{config.read_text(encoding='utf-8')}\nseeds: [0, 1]\n", encoding="utf-8")
    with project.workflow("--resources", "training=1") as workflow:
        assert workflow.wait() == 0, project.said
    first, *order = (project.root / "order.txt").read_text(encoding="utf-8").splitlines()

    def next_ones(*notebooks: str) -> bool:
        """Whether these are next, each with both seeds, in any order."""
        expected = {f"{notebook}-s{seed}" for notebook in notebooks for seed in (0, 1)}
        found, order[:] = order[: len(expected)], order[len(expected) :]
        return set(found) == expected

    training = "04_transfer_training"
    assert first == "01_data_exploration"
    assert next_ones("02_baseline_replication", f"{training}-transfer-n8", f"{training}-scratch_control-n8")
    assert next_ones(f"{training}-scratch_control-n6")
    assert next_ones("03_human_benchmark")
    assert sorted(order) == list(RESULTS)


def test_an_unknown_profile_is_refused(tmp_path):
    shown = dry_run(tmp_path, "nonsense")
    assert shown.returncode != 0
    assert "profile 'nonsense' is unknown: expected one of" in shown.stdout + shown.stderr


@pytest.fixture
def executed(project):
    """The tiny study as if every notebook had run to its end and the answer were written."""
    folder, report = project.runs / "notebooks", project.root / "reports" / "tiny"
    folder.mkdir(parents=True)
    for name in (*CHAPTERS, *(f"04_transfer_training-scratch_control-n{images}-s0" for images in (6, 8))):
        cells = [nbformat.v4.new_markdown_cell(f"# {name}"), nbformat.v4.new_code_cell("1", execution_count=1)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    report.mkdir(parents=True)
    (report / "rules.json").write_text(json.dumps({"rules": RULES}), encoding="utf-8")
    (report / "answer.md").write_text("# Tiny\n", encoding="utf-8")
    (report / "answer.html").write_text("<main><h1>Tiny</h1><p>Undecided.</p></main>", encoding="utf-8")
    return project


def test_one_chapter_of_each_kind_is_bound_beside_the_answer(executed):
    with executed.workflow("--allowed-rules", "all", "bind_chapters") as workflow:
        assert workflow.wait() == 0, executed.said
    report = executed.root / "reports" / "tiny"
    pages = {page.stem for page in (report / "chapters").glob("*.html")}
    assert pages == {*CHAPTERS, "index"}
    index = (report / "chapters" / "index.html").read_text(encoding="utf-8")
    places = [index.index(f'href="{chapter}.html"') for chapter in CHAPTERS]
    assert places == sorted(places)
    assert 'href="../answer.html"' in index


def test_a_report_that_was_deleted_is_written_anew(executed):
    (executed.root / "reports" / "tiny" / "answer.md").unlink()
    analysis = executed.runs / "notebooks" / "05_analysis.ipynb"
    with executed.workflow("--dry-run") as workflow:
        assert workflow.wait() == 0, executed.said
    assert analysis.is_file()
    with executed.workflow("--allowed-rules", "all", "bind_chapters") as workflow:
        assert workflow.wait() != 0
    assert not analysis.is_file()  # so that its rule, which may not run here, would have to
    assert "05_analysis.ipynb" in executed.said
