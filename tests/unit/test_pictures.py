"""Pictures as networks see them: made once for a framing, anew when something changed, and refused in a sentence."""

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from PIL import Image

from monkey_transfer.datasets.assembly import assemble
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.pictures import framed, in_network_pixels, in_original_pixels
from monkey_transfer.errors import StudyError
from monkey_transfer.images import read_picture
from monkey_transfer.profiles.framing import PersonCrop, ScaledPerson, WholePicture
from monkey_transfer.skeletons import LSP_14

# Fourteen joints along the diagonal of a picture of 100 x 80, a white spot at the seventh.
POSE = np.column_stack([20 + 4 * np.arange(14), 10 + 4 * np.arange(14)]).astype(float)
BOX = {"bbox_x": 14.5, "bbox_y": 4.5, "bbox_w": 64.0, "bbox_h": 64.0}
FRAMINGS = {
    "square": (WholePicture(framing="whole", size=50), 0.5),
    "rectangle": (WholePicture(framing="whole", size=(300, 160)), 2),
    "person": (PersonCrop(framing="person", size=96, person=32), 0.5),
    "scaled": (ScaledPerson(framing="scaled", size=96, yardstick="head_size", length=30), 3),
}


@pytest.fixture
def people(tmp_path) -> Dataset:
    """Three people, each with a picture; their heads are 10 pixels."""
    for name in "abc":
        picture = np.zeros((80, 100, 3), np.uint8)
        picture[31:38, 41:48] = 255
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    images = pd.DataFrame({"image_id": list("abc"), "path": [str(tmp_path / f"{name}.png") for name in "abc"]})
    images = images.assign(width=100, height=80, group=images["image_id"], split="all", head_size=10.0, **BOX)
    everything = np.ones((3, 14), bool)
    return assemble("labels", "test", LSP_14, images, np.array([POSE] * 3), everything, everything)


@pytest.mark.parametrize("framing, scale", FRAMINGS.values(), ids=FRAMINGS)
def test_joints_go_with_the_pictures_and_back(people, tmp_path, framing, scale):
    frames = framed(people, framing, tmp_path / "frames")
    assert frames["image_id"].tolist() == ["a", "b", "c"]
    assert frames["scale"].tolist() == [scale] * 3
    moved = in_network_pixels(people.labels, frames)
    seventh = moved[moved["image_id"] == "c"].iloc[6]
    picture = read_picture(frames["path"].iloc[2])
    size = framing.size if isinstance(framing.size, tuple) else (framing.size, framing.size)
    assert picture.shape == (size[1], size[0], 3)
    assert (picture[round(seventh["y"]), round(seventh["x"])] == 255).all()
    back = in_original_pixels(moved, frames)
    np.testing.assert_allclose(back[["x", "y"]], people.labels[["x", "y"]], atol=1e-9)


def written(folder) -> dict[str, int]:
    return {file.stem: file.stat().st_mtime_ns for file in folder.glob("*.png")}


def test_only_what_changed_is_made_anew_and_other_people_stay(people, tmp_path):
    framing, folder = FRAMINGS["scaled"][0], tmp_path / "frames"
    framed(people.subset(["a", "b"]), framing, folder)
    first = written(folder)
    framed(people.subset(["b", "c"]), framing, folder)
    assert framed(people, framing, folder)["image_id"].tolist() == ["a", "b", "c"]
    times = written(folder)
    assert {name: times[name] for name in first} == first
    people.images.loc[0, "bbox_x"] += 1
    people.reference_lengths.loc[people.reference_lengths["image_id"] == "b", "length"] *= 2
    assert framed(people, framing, folder)["scale"].tolist() == [3, 1.5, 3]
    assert {name for name, when in written(folder).items() if when != times[name]} == {"a", "b"}


def test_what_is_made_before_a_damaged_picture_is_kept(people, tmp_path):
    framing, folder = FRAMINGS["person"][0], tmp_path / "frames"
    whole = (tmp_path / "c.png").read_bytes()
    (tmp_path / "c.png").write_bytes(whole[:60])
    with pytest.raises(StudyError, match="c.png: not a whole picture"):
        framed(people, framing, folder)
    times = written(folder)
    (tmp_path / "c.png").write_bytes(whole)
    assert len(framed(people, framing, folder)) == 3
    assert {name: written(folder)[name] for name in times} == times


def test_pictures_that_changed_since_they_were_read(people, tmp_path):
    framing = FRAMINGS["person"][0]
    Image.new("RGB", (50, 40)).save(tmp_path / "b.png")
    with refused(
        "picture", "another size than was labelled", match="b.png: is 50 x 40 pixels, but its labels are for 100"
    ):
        framed(people, framing, tmp_path / "frames")
    (tmp_path / "b.png").unlink()
    with pytest.raises(StudyError, match="b.png: there is no such picture"):
        framed(people, framing, tmp_path / "frames")


def test_a_scale_that_shows_nothing_or_is_not_known(people, tmp_path):
    enormous = ScaledPerson(framing="scaled", size=96, yardstick="head_size", length=4096)
    with refused(
        "box", "a framing of one pixel", match=r"a.png: the person's box .*, 409.6 times as large, shows nothing"
    ):
        framed(people, enormous, tmp_path / "frames")
    unknown = ScaledPerson(framing="scaled", size=96, yardstick="mpii_200scale", length=30)
    with pytest.raises(StudyError, match="a.png: the length mpii_200scale that its scale comes from is not known"):
        framed(people, unknown, tmp_path / "frames")
    assert not (tmp_path / "frames").exists()
