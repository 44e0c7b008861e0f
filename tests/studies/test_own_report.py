"""The chapters of own data, executed and bound: no name of a patient, and nothing of the paper."""

import os
import re
import shutil
import subprocess
import sys

import own_people
import pytest
import yaml
from bs4 import BeautifulSoup

from monkey_transfer.places import ROOT
from monkey_transfer.profiles import loading
from monkey_transfer.study import opening

pytestmark = pytest.mark.slow

# Those that train would make again what no training left.
CHAPTERS = ("01_data_exploration", "05_analysis", "07_rare_poses")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a study whose runs are there, in a copy of the project."""
    root = tmp_path_factory.mktemp("project")
    for part in ("src", "config", "notebooks"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "data").mkdir()
    own_people.write_project(root / "data")
    (root / "config" / "my_gait.yaml").write_text(yaml.safe_dump(own_people.PROFILE, sort_keys=False))
    folders = {f"MONKEY_TRANSFER_{name.upper()}": str(root / name) for name in ("data", "runs", "reports")}
    with pytest.MonkeyPatch.context() as patch:
        for variable, folder in folders.items():
            patch.setenv(variable, folder)
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, root / "config"))
        own_people.finish(opening.open_study("my_gait"))

    def do(*words: str) -> None:
        command = [sys.executable, "-m", "monkey_transfer.tell.reports", *words]
        subprocess.run(command, cwd=root, env={**os.environ, **folders, "PYTHONPATH": str(root / "src")}, check=True)

    executed = [str(root / "runs" / f"{name}.ipynb") for name in CHAPTERS]
    for name, output in zip(CHAPTERS, executed, strict=True):
        do("execute", str(root / "notebooks" / f"{name}.ipynb"), output, "--profile", "my_gait")
    do("bind", "my_gait", *executed)
    return root / "reports" / "my_gait"


def test_no_file_has_a_name(report):
    texts = own_people.told(report)
    assert {file.stem for file in texts} > {*CHAPTERS, "index", "search_index", "left_out", "labelled_twice", "answer"}
    assert own_people.named(texts) == {}


def test_no_page_speaks_of_the_paper(report):
    for page in report.rglob("*.html"):
        text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ")
        assert re.findall(r".{30}\bpaper.{30}", text) == [], page.name


def test_chapters_say_what_was_measured(report):
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (report / "chapters").glob("*.html")}
    assert "40 test frames of 10 videos" in pages["01_data_exploration"]
    assert own_people.PROFILE["title"] in pages["01_data_exploration"]
    assert "What came out" in pages["05_analysis"]
    assert "Table 1" not in pages["05_analysis"]
