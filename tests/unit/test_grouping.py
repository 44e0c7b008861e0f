"""What the user says belongs together: folders, what a name holds, patients of a table."""

import re
from pathlib import Path

import pandas as pd
import pytest
from bad_input import refused
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.grouping import VIDEOS, grouped
from monkey_transfer.profiles.data import CocoData
from monkey_transfer.skeletons import LSP_14

NAMES = ["P01_first/img0.png", "P01_first/img1.png", "P01_again/img0.png", "P02_first/img0.png"]


def people(folder: Path, names: list[str] = NAMES, groups: str = "pictures") -> Dataset:
    ids = [name.replace("/", "-") for name in names]
    images = pd.DataFrame({"image_id": ids, "path": [str(folder / name) for name in names], "group": names})
    nothing = pd.DataFrame({"image_id": []})
    return Dataset("own", LSP_14, images, nothing, nothing, groups=groups)


def groups_of(tmp_path: Path, rule: str, names: list[str] = NAMES) -> list[str]:
    return grouped(people(tmp_path / "images", names), rule, tmp_path / "images", tmp_path).images["group"].tolist()


def table(tmp_path: Path, text: str | bytes) -> Path:
    content = text.encode() if isinstance(text, str) else text
    (tmp_path / "patients.csv").write_bytes(content)
    return tmp_path


def test_folders(tmp_path):
    assert groups_of(tmp_path, "folder") == ["P01_first", "P01_first", "P01_again", "P02_first"]
    assert groups_of(tmp_path, "folder", ["a/b/1.png", "a/c/1.png"]) == ["a/b", "a/c"]
    with refused("groups", "pictures without a folder", match="picture 1.png lies in no folder of it; expected one"):
        groups_of(tmp_path, "folder", ["a/0.png", "1.png"])


def test_two_visits_of_a_patient_are_found_by_what_the_name_holds(tmp_path):
    assert groups_of(tmp_path, r"P\d+") == ["P01", "P01", "P01", "P02"]
    assert groups_of(tmp_path, r"_(\w+)/") == ["first", "first", "again", "first"]
    assert groups_of(tmp_path, r"^P0*(\d+)") == ["1", "1", "1", "2"]
    assert grouped(people(tmp_path), "P..", tmp_path, tmp_path).groups == "groups by 'P..'"


@pytest.mark.parametrize(
    "what, rule",
    [("an expression that does not find all", "P01"), ("an expression whose part is empty", "P01_(x?)|P02")],
)
def test_an_expression_that_finds_nothing(tmp_path, what, rule):
    with refused("groups", what, match="finds nothing in the name of picture"):
        groups_of(tmp_path, rule)


def test_an_expression_that_is_none():
    with pytest.raises(ValueError, match=r"expected video, folder, the name of a .csv file or a regular expression \("):
        CocoData(format="coco", annotations="a.json", images="images", skeleton="lsp_14", group="P(")


def test_the_videos_of_a_format_stay_and_others_have_none(tmp_path):
    filmed = people(tmp_path, groups=VIDEOS)
    assert grouped(filmed, "video", tmp_path, tmp_path) is filmed
    with refused("groups", "videos of a format that names none", match="group: video: its files name no videos"):
        groups_of(tmp_path, "video")


# One table, as programs and people write it.
PATIENTS = ["ann", "ann", "ann", "007"]
WAYS = {
    "names": "picture,patient\nP01_first/img0.png,ann\nP01_first/img1.png,ann\nP01_again/img0.png,ann\n"
    "P02_first/img0.png,007\n",
    "names without their ending": "picture,patient\nP01_first/img0,ann\nP01_first/img1,ann\nP01_again/img0,ann\n"
    "P02_first/img0,007\n",
    "names of another machine": "picture,patient\nP01_first\\img0.png,ann\nimg1.png,ann\nP01_again\\img0.png,ann\n"
    "P02_first\\img0.png,007\n",
    "folders": "picture,patient\nP01_first,ann\nP01_again,ann\nP02_first,007\n",
    "a picture goes before its folder": "picture,patient\nP01_first,bob\nP01_first/img0.png,ann\nimg1.png,ann\n"
    "P01_again,ann\nP02_first,007\n",
    "other columns, order and cases": "Visit;Patient;Picture\n1;ann;P01_first\n2;ann;P01_again\n1;007;P02_first\n",
    "folders with slashes, in Excel's way": "sep=;\npicture;patient\n./P01_first/;ann\nP01_again/;ann\nP02_first;007\n",
    "tabs, blanks and rows beside": "picture\tpatient\n\nP01_first \t ann\nP01_again\tann\nP02_first\t007\nP03\tcy\n",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_of_patients(tmp_path, text, encoding):
    table(tmp_path, text.encode(encoding))
    assert groups_of(tmp_path, "patients.csv") == PATIENTS
    elsewhere = grouped(people(tmp_path / "images"), str(tmp_path / "patients.csv"), tmp_path / "images", Path("/"))
    assert (elsewhere.images["group"].tolist(), elsewhere.groups) == (PATIENTS, "patients of patients.csv")


@pytest.mark.parametrize(
    "what, text, said",
    [
        (
            "a picture without a row",
            "picture,patient\nP01_first,ann\nP01_again,ann\n",
            "no row for picture P02_first",
        ),
        (
            "one picture of two patients",
            "picture,patient\nP01_first,ann\nP01_first,bob\n",
            "is of patient 'ann'",
        ),
        (
            "a name of two pictures",
            "picture,patient\nimg0.png,ann\n",
            "img0.png may be P01_again/img0.png or",
        ),
        (
            "a table with a row without its patient",
            "picture,patient\nP01_first,\n",
            "the row of P01_first lacks the patient",
        ),
        ("a table with a row without its picture", "picture,patient\n,ann\n", "the row of ann lacks the picture"),
        (
            "other columns",
            "file,person\nP01_first,ann\n",
            "its first row is file, person; expected",
        ),
        (
            "a table with a quote that never ends",
            'picture,patient\n"' + 200_000 * "a",
            "not a table (field larger than",
        ),
        ("a table with nothing", "", "its first row is empty; expected"),
    ],
)
def test_a_table_that_does_not_say_it(tmp_path, what, text, said):
    table(tmp_path, text)
    with refused("groups", what, match=re.escape(said)):
        groups_of(tmp_path, "patients.csv")


def test_no_table(tmp_path):
    with refused("groups", "no such table", match=r"patients.csv: cannot be read \(No such file or directory\)"):
        groups_of(tmp_path, "patients.csv")


PART = st.text("ab", min_size=1, max_size=2)


@given(names=st.lists(st.lists(PART, min_size=1, max_size=3).map("/".join), min_size=1, max_size=8, unique=True))
def test_whole_names_are_never_ambiguous(tmp_path_factory, names):
    """Whatever pictures and folders are called, a table that names every picture in full gives each its own patient."""
    names = [f"in/{name}.png" for name in names]
    folder = tmp_path_factory.mktemp("names")
    rows = "".join(f"{name},patient {number}\n" for number, name in enumerate(names))
    table(folder, f"picture,patient\n{rows}")
    assert groups_of(folder, "patients.csv", names) == [f"patient {number}" for number in range(len(names))]
