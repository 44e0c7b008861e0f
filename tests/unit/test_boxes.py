"""Boxes and lengths are held against the joints and the picture, whatever the format that they come from."""

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_transfer.datasets.assembly import BOX, assemble
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import LSP_14

WIDTH, HEIGHT = 100, 80
NAN, INF = float("nan"), float("inf")
# Fourteen joints from (30, 20) to (56, 59).
POSE = np.column_stack([30 + 2 * np.arange(14), 20 + 3 * np.arange(14)]).astype(float)


def assembled(*boxes, people: int = 0, points: np.ndarray = POSE, **lengths: float) -> Dataset:
    """People with those boxes and as many more without one as there are to be; the first has other joints, lengths."""
    boxes = [*boxes, *[[NAN] * 4] * (people - len(boxes))]
    images = pd.DataFrame(
        {
            "image_id": [f"p{number}" for number in range(len(boxes))],
            "path": "a.png",
            "width": WIDTH,
            "height": HEIGHT,
            "group": "a",
            "split": "all",
            **dict(zip(BOX, np.transpose(boxes), strict=True)),
        }
    )
    for name, length in lengths.items():
        images[name] = [length, *[NAN] * (len(images) - 1)]
    positions = np.array([points, *[POSE] * (len(boxes) - 1)])
    labelled = np.isfinite(positions).all(axis=-1)
    return assemble("labels.json", "test", LSP_14, images, positions, labelled, labelled)


@pytest.mark.parametrize(
    "box",
    [
        (28, 18, 30, 43),
        (-0.5, -0.5, WIDTH, HEIGHT),
        (-20, -30, 140, 120),  # reaches beyond every edge
        (-99, -99, 200, 200),  # by as much as it may
        (34, 24, 20, 30),  # a few joints lie beside it
        (30, 20, 11.5, 40),  # half of them
    ],
)
def test_usual_boxes_stay_as_they_are(box):
    assert assembled(box).images[BOX].to_numpy().tolist() == [list(box)]


def test_no_box_and_one_without_extent_are_that_of_the_joints():
    boxes = assembled([NAN] * 4, (5, 5, 0, 0), (5, 5, 0, 30)).images[BOX].to_numpy()
    # The joints reach 26 x 39 pixels, a tenth of the longer side is 3.9.
    assert boxes == pytest.approx(np.tile([26.1, 16.1, 33.8, 46.8], (3, 1)))


SENTENCE = "labels.json: the box of 1 of 1 people cannot be theirs, the first is that of p0: x "


def test_boxes_that_cannot_be_theirs():
    with refused("box", "a hundredth of a pixel", match=f"{SENTENCE}30, y 20, width 0.01, height 0.01 in a picture of"):
        assembled((30, 20, 0.01, 0.01))
    with refused(
        "box", "a thousand times the picture", match=f"{SENTENCE}-50000, y -50000, width 100000, height 100000"
    ):
        assembled((-50000, -50000, 100000, 100000))
    with refused(
        "box", "none of the joints in it", match=r"with joints from \(30, 20\) to \(56, 59\): correct it or take"
    ):
        assembled((75, 5, 10, 12))
    with refused(
        "box", "outside the picture", match=f"{SENTENCE}120, y 10, width 30, height 40 in a picture of 100 x 80"
    ):
        assembled((120, 10, 30, 40))
    with refused("box", "a width below zero", match="width -30, height 43"):
        assembled((58, 18, -30, 43))
    with refused("box", "a number missing", match="x nan, y 18"):
        assembled((NAN, 18, 30, 43))
    with refused("box", "an infinite width", match="width inf, height 43"):
        assembled((28, 18, INF, 43))


@pytest.mark.parametrize(
    "box",
    [
        (28, 18, 30, NAN),
        (-INF, 18, 30, 43),
        (28, 18, 1e300, 1e300),
        (28, 18, 30, -43),
        (28, 18, 11, 40),  # of 14 joints 6 lie in it
        (-101, 10, 190, 60),
        (10, 10, 60, 171),
        (-40, 10, 39, 60),  # left of the picture, joints or not
        (1e12, 1e12, 5, 5),
    ],
)
def test_other_boxes_that_cannot_be_theirs(box):
    with pytest.raises(StudyError, match=SENTENCE):
        assembled(box)


@settings(deadline=None)
@given(st.tuples(*[st.floats(width=32)] * 4))
def test_whatever_the_numbers_a_box_that_stays_shows_joints_and_is_in_proportion(box):
    try:
        x, y, width, height = assembled(box).images[BOX].to_numpy()[0]
    except StudyError:
        return
    assert 1 <= max(width, height) <= 3 * WIDTH
    assert min(width, height) > 0
    within = np.abs(POSE - (x + width / 2, y + height / 2)) < (width / 2 + 1.1, height / 2 + 1.1)
    assert within.all(axis=1).sum() >= 7


def test_one_such_box_in_a_hundred_people_is_left_out_and_said():
    dataset = assembled((1e9, 1e9, 5, 5), people=100)
    assert dataset.left_out.values.tolist() == [["p0", "", "the box cannot be theirs"]]
    assert dataset.images["image_id"].tolist() == [f"p{number}" for number in range(1, 100)]
    assert set(dataset.reference_lengths["image_id"]) == set(dataset.images["image_id"])
    with pytest.raises(
        StudyError, match="the box of 1 of 99 people cannot be theirs, the first is that of p0: x 1e.09"
    ):
        assembled((1e9, 1e9, 5, 5), people=99)


def test_joints_in_one_place_say_nothing_of_a_size():
    together = np.full((14, 2), 40.0)
    assert assembled([NAN] * 4, [NAN] * 4, points=together).left_out.values.tolist() == [
        ["p0", "", "the labelled joints lie in one place"]
    ]
    assert len(assembled((30, 30, 20, 20), points=together)) == 1  # its box does


def lengths(dataset: Dataset, image_id: str = "p0") -> dict[str, float]:
    table = dataset.reference_lengths
    return table[table["image_id"] == image_id].set_index("name")["length"].to_dict()


def test_stated_lengths_stand_beside_those_of_the_joints():
    box = (28, 18, 30, 43)
    assert (
        lengths(assembled(box, head_size=0.05, mpii_200scale=999)).items()
        >= {"head_size": 0.05, "bbox_length": 43}.items()
    )
    assert lengths(assembled(box, mpii_200scale=999))["mpii_200scale"] == 999
    assert "head_size" not in lengths(assembled(box, head_size=0))


def test_lengths_that_cannot_be_theirs():
    sentence = "labels.json: a length of 1 of 1 people cannot be theirs, the first is that of p0: "
    with refused(
        "box", "a head of a hundred thousand pixels", match=f"{sentence}head_size is 100000 pixels, the box 43"
    ):
        assembled((28, 18, 30, 43), head_size=1e5)
    with refused("box", "a head below zero", match=f"{sentence}head_size is -12 pixels"):
        assembled((28, 18, 30, 43), head_size=-12)
    with refused("box", "an infinite scale", match=f"{sentence}mpii_200scale is inf pixels"):
        assembled((28, 18, 30, 43), mpii_200scale=INF)
    close = POSE.copy()
    close[13] = close[12] + 0.01
    with refused("box", "head top and neck in one place", match=f"{sentence}head_segment is 0.0141421 pixels"):
        assembled((28, 18, 30, 43), points=close)


def test_one_such_length_in_a_hundred_people_is_not_known():
    dataset = assembled(people=100, head_size=1e9)
    assert len(dataset) == 100
    assert lengths(dataset).keys() == {"bbox_length", "head_segment", "torso"}
