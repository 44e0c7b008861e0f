"""Other people than the study's: who of them is shown to a run's network, and whom it may know."""

from dataclasses import replace
from pathlib import Path

import pytest
from bad_input import refused
from test_leaks import opened  # noqa: F401

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.profiles.data import OtherPeople
from monkey_transfer.profiles.framing import ScaledPerson, WholePicture
from monkey_transfer.profiles.loading import load_people, load_profile
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.study import others
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.study.opening import Study
from monkey_transfer.study.others import with_people

ASKED = {"data": {"format": "synthetic", "species": "human", "images": 12, "size": 64}, "yardstick": "torso"}


@pytest.fixture
def write(tmp_path):
    """``write(text)`` is a file that names people."""

    def write(text: str):
        (tmp_path / "people.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "people.yaml"

    return write


def test_people_are_named_by_the_keys_of_elsewhere_and_all_are_meant_unless_a_number_is_said(write):
    data = "data: {format: lsp, folder: lsp}\nyardstick: head_segment\n"
    people = load_people(write(data))
    assert people.test is None
    said = load_profile("lsp").elsewhere
    assert said is not None
    assert (people.data, people.yardstick) == (said.data, said.yardstick)
    assert load_people(write(f"{data}test: 2000\n")).model_dump() == said.model_dump()


@pytest.mark.parametrize(
    "what, text, said",
    [
        ("a list", "- lsp\n", "expected keys and values, such as 'yardstick: head_segment'"),
        ("nothing", "", "expected keys and values"),
        ("no yardstick", "data: {format: lsp, folder: lsp}", "key 'yardstick' is missing and required"),
        ("no data", "yardstick: torso", "key 'data' is missing and required"),
        (
            "a format that nobody reads",
            "{yardstick: torso, data: {format: png, folder: lsp}}",
            "key 'data': 'format' is 'png', expected one of 'synthetic', 'lsp'",
        ),
        (
            "a key of another format",
            "{yardstick: torso, data: {format: lsp, folder: lsp, project: mine}}",
            "key 'data.project' is unknown; remove it",
        ),
        (
            "a length that is no yardstick",
            "{yardstick: head, data: {format: lsp, folder: lsp}}",
            r"key 'yardstick': expected 'head_size', .*\(found 'head'\)",
        ),
        (
            "nobody is asked for",
            "{yardstick: torso, test: 0, data: {format: lsp, folder: lsp}}",
            r"key 'test': expected more than 0 \(found 0\)",
        ),
    ],
)
def test_a_file_that_names_nobody_is_refused(what, text, said, write):
    with refused("people to predict", what, match=f"people.yaml: {said}"):
        load_people(write(text))


@pytest.fixture
def people(tmp_path, monkeypatch) -> Dataset:
    """A dozen drawn people, of whom the first has no torso; they are what a file names."""
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    drawn = open_dataset(OtherPeople(**ASKED).data)
    lengths = drawn.reference_lengths
    first = lengths["image_id"].eq(drawn.images["image_id"].iloc[0]) & lengths["name"].eq("torso")
    drawn = replace(drawn, reference_lengths=lengths[~first])
    monkeypatch.setattr(others, "open_dataset", lambda data: drawn)
    return drawn


def shown(study: Study, **asked) -> Dataset:
    """The people that a network of ``transfer`` would be shown."""
    people = OtherPeople(**{**ASKED, **asked})
    return with_people(study, "transfer", people, Path("/data/people.yaml")).dataset("elsewhere")


def test_whose_size_is_not_known_is_shown_all_the_same(opened, people):  # noqa: F811
    found = with_people(opened, "transfer", OtherPeople(**ASKED), Path("people.yaml"))
    assert list(found.dataset("elsewhere").images["image_id"]) == list(people.images["image_id"])
    assert found.profile.elsewhere_yardstick == "torso"
    assert found.profile.data_of("elsewhere") == OtherPeople(**ASKED).data
    assert found.splits == opened.splits
    assert len(shown(opened, test=5)) == 5


def test_whom_a_framing_cannot_scale_is_left_out(opened, people):  # noqa: F811
    arms = dict(opened.profile.arms)
    scaled = ScaledPerson(framing="scaled", size=64, yardstick="torso", length=20)
    arms["transfer"] = arms["transfer"].model_copy(update={"picture": scaled})
    study = replace(opened, profile=opened.profile.model_copy(update={"arms": arms}))
    assert list(shown(study).images["image_id"]) == list(people.images["image_id"])[1:]
    assert study.profile.framing("baseline") == WholePicture(framing="whole", size=160)


def test_people_who_cannot_be_measured_are_refused_before_anything_is_predicted(opened, people):  # noqa: F811
    with refused(
        "people to predict", "a yardstick that nobody has", match="people.yaml: yardstick 'mpii_200scale' is not known"
    ):
        shown(opened, yardstick="mpii_200scale")
    with refused("people to predict", "more than there are", match="people.yaml: 13 test .* there are only 12"):
        shown(opened, test=13)


def test_a_network_that_finds_none_of_the_labelled_joints_is_refused(opened, people, monkeypatch):  # noqa: F811
    tails = replace(
        people,
        skeleton=Skeleton("tails", (("tip", "tail_tip"), ("ankle", "right_ankle"))),
        labels=people.labels.drop_duplicates("image_id").assign(keypoint="tip", x=1.0, y=1.0, labelled=True),
    )
    monkeypatch.setattr(others, "open_dataset", lambda data: tails)
    with refused("people to predict", "joints that the network lacks", match=r"joints \(tip\) is one that arm 'tran"):
        shown(opened)
