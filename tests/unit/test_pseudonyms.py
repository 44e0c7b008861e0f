"""Own data under pseudonyms: no name of a patient in a report, and the same pseudonym for the same picture for ever."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import by_hand
import own_people
import pandas as pd
import pytest
import yaml
from bad_input import refused
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure.results import measure
from monkey_transfer.profiles import loading
from monkey_transfer.study import opening
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.study.pseudonyms import pseudonymised
from monkey_transfer.tell import closing, words
from monkey_transfer.tell.publish import write_report

TABLES = ("images", "labels", "reference_lengths", "left_out")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data, runs and reports of a study of own people, all of it in one folder."""
    folder = tmp_path_factory.mktemp("own")
    own_people.write_project(folder)
    others = {**own_people.PROFILE, "own_data": False}
    for name, profile in {"own": own_people.PROFILE, "as_it_was": others}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_DATA", str(folder))
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setenv("MONKEY_TRANSFER_REPORTS", str(folder / "reports"))
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, folder))
        yield folder


@pytest.fixture(scope="module")
def study(folder):
    return opening.open_study("own")


@pytest.fixture(scope="module")
def report(study):
    """The report of the study, as if its runs were finished."""
    own_people.finish(study)
    with by_hand.resampled(50):
        return write_report(measure(study)).parent


def key(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "runs" / "own" / "key.csv", dtype=str)


def test_nothing_but_the_path_of_a_picture_has_a_name(study):
    said = {name: getattr(study.target, name).drop(columns="path", errors="ignore").to_csv() for name in TABLES}
    said |= {"name": study.target.name, "splits": repr(study.splits), "draws": repr(study.draws)}
    assert own_people.named({Path(name): text.lower() for name, text in said.items()}) == {}
    assert set(study.target.left_out["image_id"]) == {"frame-0057"}
    assert study.target.images["image_id"].str.fullmatch(r"frame-\d{4}").all()
    assert study.target.images["group"].str.fullmatch(r"group-\d{2}").all()
    assert all(own_people.PROJECT in path for path in study.target.images["path"])


def test_they_are_the_same_people_under_the_same_joints_as_without_pseudonyms(study, folder):
    plain = opening.open_study("as_it_was")
    name_of = key(folder).query("what == 'frame' and data == 'target'").set_index("pseudonym")["name"]
    for table in TABLES[1:]:
        own = getattr(study.target, table)
        pd.testing.assert_frame_equal(own.assign(image_id=own["image_id"].map(name_of)), getattr(plain.target, table))
    kept = ["path", "width", "height", "bbox_x", "bbox_w"]
    pd.testing.assert_frame_equal(study.target.images[kept], plain.target.images[kept])
    together = [data.target.images.groupby("group")["path"].apply(frozenset) for data in (study, plain)]
    assert set(together[0]) == set(together[1])
    assert study.skeleton("transfer").keypoints == plain.skeleton("transfer").keypoints
    assert plain.target.images["image_id"].tolist() == name_of[study.target.images["image_id"]].tolist()


def test_published_and_rendered_pictures_keep_their_names(study, folder):
    assert set(key(folder)["data"]) == {"target"}
    assert not study.source.images["image_id"].str.startswith("frame").any()


def test_the_key_says_whose_they_are_and_numbers_go_group_by_group(study, folder):
    table = key(folder)
    assert list(table) == ["data", "what", "name", "pseudonym"]
    groups = table[table["what"] == "group"]
    assert sorted(groups["name"]) == sorted(f"{patient}_visit1" for patient in own_people.PATIENTS)
    assert groups["name"].tolist() != sorted(groups["name"])  # numbers would tell the alphabet
    group_of = study.target.images.sort_values("image_id")["group"]
    assert group_of.tolist() == sorted(group_of)
    frames = table[table["what"] == "frame"]["name"].str.rpartition("-")[0]
    assert frames.iloc[:-1].tolist() == groups["name"].repeat(own_people.FRAMES).tolist()


def test_no_file_of_a_report_has_a_name(report):
    texts = own_people.told(report)
    assert {file.parent.name for file in texts} >= {"tables", "predictions", "figures"}
    assert own_people.named(texts) == {}
    assert "frame-0001" in texts[report / "tables" / "splits.json"]
    assert "frame-0057" in texts[report / "tables" / "left_out.csv"]


def test_the_page_is_one_file_that_says_what_was_measured_and_nothing_of_the_paper(report, study):
    page = BeautifulSoup((report / "answer.html").read_text(encoding="utf-8"), "html.parser")
    text = " ".join(page.get_text(" ").split())
    assert "on 40 test frames of 10 videos with 3 seeds" in text
    assert "with 12 labelled frames" in text
    assert f"Its 12 joints: {', '.join(study.skeleton('transfer').keypoints)}." in text
    assert not re.search(r"\bpaper|chapter|docs/|predictions/|labelled people|test people", text)
    assert not page.find_all(["script", "link", "a"])
    assert all(image["src"].startswith("data:") for image in page.find_all("img"))
    assert not {"paper_comparison.csv", "readings.csv"} & {file.name for file in report.rglob("*.csv")}


def test_a_frame_that_shows_several_people_is_not_one_person(study):
    images = study.target.images.assign(path=study.target.images["path"].iloc[0])
    several = replace(study, target=replace(study.target, images=images))
    assert words.tested(several) == "40 test people of 10 videos"
    alone = replace(study, target=replace(study.target, images=images.assign(group=images["image_id"])))
    assert words.tested(alone) == "40 test people"


def test_how_groups_are_called(study):
    def of(groups: str) -> str:
        return words.tested(replace(study, target=replace(study.target, groups=groups)))

    assert of("patients of Muellerin.csv") == "40 test frames of 10 patients"
    assert of("groups by '^(Muellerin|Novakova)'") == of("near duplicates") == "40 test frames of 10 groups"


def test_the_chapter_on_the_data_counts_frames(study):
    assert closing.on_the_data(study).startswith("Every arm is tested on the same **40 test frames of 10 videos**; of ")
    assert closing.on_the_data(study).endswith(
        " 1 frame of the files is left out. What these chapters call a person is one frame."
    )


# The key


@pytest.fixture(scope="module")
def everybody(study):
    """The people of the study's files, under their own names."""
    return open_dataset(study.profile.target.data)


def first(everybody: Dataset, count: int) -> Dataset:
    return everybody.subset(everybody.images["image_id"].iloc[:count])


@pytest.fixture
def people(everybody, tmp_path):
    return first(everybody, 12), tmp_path / "key.csv"


def test_a_picture_keeps_its_pseudonym_when_others_come_and_go(everybody, people):
    few, file = people
    before = pseudonymised(few, "target", file).images.set_index("path")
    more = pseudonymised(first(everybody, 30), "target", file).images.set_index("path")
    columns = ["image_id", "group"]
    pd.testing.assert_frame_equal(more.loc[before.index, columns], before[columns])
    fewer = pseudonymised(few.subset(few.images["image_id"].iloc[::-2]), "target", file).images.set_index("path")
    pd.testing.assert_frame_equal(fewer[columns], before.loc[fewer.index, columns])
    table = pd.read_csv(file)
    assert not table.duplicated(["what", "pseudonym"]).any()
    assert len(table) == 30 + 8 + 1


def test_data_sets_have_numbers_of_their_own(people):
    few, file = people
    here, there = (pseudonymised(few, role, file) for role in ("target", "elsewhere"))
    pd.testing.assert_frame_equal(here.images, there.images)
    assert pd.read_csv(file)["data"].value_counts().nunique() == 1


def test_the_key_is_not_written_again_where_nothing_is_new(people):
    few, file = people
    pseudonymised(few, "target", file)
    before = file.stat()
    pseudonymised(few, "target", file)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=12, max_size=12
    )
)
@settings(max_examples=25, deadline=None)
def test_any_name_comes_back_from_the_key(everybody, tmp_path_factory, names):
    """Commas, quotes, line breaks and NA are names of folders as well."""
    few, file = first(everybody, 12), tmp_path_factory.mktemp("key") / "key.csv"
    few = replace(few, images=few.images.assign(group=names), left_out=few.left_out.head(0))
    once, again = (pseudonymised(few, "target", file).images["group"] for _ in range(2))
    assert once.tolist() == again.tolist()
    assert once.groupby(names).nunique().eq(1).all()
    assert once.nunique() == len(set(names))


@pytest.mark.parametrize(
    "what, spoil",
    [
        ("a key of other columns", lambda text: text.replace(",", ";")),
        ("a key with one pseudonym twice", lambda text: text.replace("frame-0002", "frame-0001")),
        ("a key whose pseudonym has no number", lambda text: text.replace("frame-0002", "Anna")),
        ("a key that is empty", lambda text: ""),
        ("a key that is no text", lambda text: "\x80\x81"),
    ],
)
def test_a_key_that_is_damaged_is_refused_and_left_as_it_is(people, what, spoil):
    few, file = people
    pseudonymised(few, "target", file)
    file.write_bytes(spoil(file.read_text(encoding="utf-8")).encode("latin-1"))
    before = file.read_bytes()
    with refused("key of pseudonyms", what, match="is no longer the key of this study's pseudonyms"):
        pseudonymised(few, "target", file)
    assert file.read_bytes() == before


def test_without_its_key_a_study_is_the_same_again(study, folder):
    shutil.copy(folder / "runs" / "own" / "key.csv", folder / "kept.csv")
    (folder / "runs" / "own" / "key.csv").unlink()
    again = opening.open_study("own")
    assert (folder / "runs" / "own" / "key.csv").read_bytes() == (folder / "kept.csv").read_bytes()
    assert again.data_digest == study.data_digest
