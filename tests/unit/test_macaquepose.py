"""MacaquePose: one picture for each monkey, made once; and what is wrong with files of its kind."""

import csv
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from monkey_transfer.datasets.assembly import GET_IT
from monkey_transfer.datasets.macaquepose import read_macaquepose
from monkey_transfer.datasets.pictures import inside
from monkey_transfer.errors import StudyError
from monkey_transfer.images import PADDING_RGB, Transform, read_picture
from monkey_transfer.skeletons import MACAQUEPOSE_17

DATA = Path(os.environ.get("MONKEY_TRANSFER_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
WIDTH, HEIGHT = 120, 90
NAN = float("nan")
GREEN, RED, BLUE = (40, 160, 40), (200, 40, 40), (40, 40, 200)
# Boxes of the painted monkeys: left, top, right, bottom, the last column and row included.
ALONE, LEFT, RIGHT = (30, 20, 69, 79), (20, 10, 49, 49), (60, 30, 99, 79)


def outline(left: int, top: int, right: int, bottom: int) -> dict:
    """The part of a mask that holds exactly the pixels of a box."""
    x0, y0, x1, y1 = left - 0.4, top - 0.4, right + 0.4, bottom + 0.4
    return {"segment": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]}


def pose(**positions: tuple[float, float]) -> list[dict]:
    """All keypoints as the release writes them; those not named have no position."""
    return [{"name": name.replace("_", " "), "position": positions.get(name)} for name in MACAQUEPOSE_17.keypoints]


def rows() -> list[list]:
    """One photograph of a monkey; one of two: the left one masked in two parts, the right one without a mask."""
    return [
        ["one.jpg", [pose(nose=(40, 30), left_eye=(45, 25), right_hip=(60, 75))], [[outline(*ALONE), {"segment": []}]]],
        [
            "two.jpg",
            [
                pose(nose=(25, 15), left_wrist=(48, 48), right_wrist=(52, 20)),
                pose(nose=(65, 35), left_ankle=(95.5, 75)),
            ],
            [[outline(20, 10, 49, 24), outline(20, 35, 49, 49)], []],
        ],
    ]


def paint(file: Path, *monkeys: tuple[tuple[int, int, int, int], tuple[int, int, int]], scale: int = 1) -> None:
    picture = np.full((HEIGHT, WIDTH, 3), GREEN, np.uint8)
    for (left, top, right, bottom), colour in monkeys:
        picture[top : bottom + 1, left : right + 1] = colour
    Image.fromarray(picture[::scale, ::scale]).save(file, quality=95, subsampling=0)


def write(folder: Path, table: list[list]) -> Path:
    """The release's layout: annotations.csv and images/."""
    (folder / "images").mkdir(parents=True)
    paint(folder / "images" / "one.jpg", (ALONE, RED))
    paint(folder / "images" / "two.jpg", (LEFT, RED), (RIGHT, BLUE))
    return annotate(folder, table)


def annotate(folder: Path, table: list[list], header=("image file name", "keypoinbts", "segmentation")) -> Path:
    with (folder / "annotations.csv").open("w", newline="", encoding="utf-8") as file:
        cells = [[cell if isinstance(cell, str) else json.dumps(cell) for cell in row] for row in table]
        csv.writer(file).writerows([header, *cells])
    return folder


@pytest.fixture
def release(tmp_path) -> Path:
    return write(tmp_path / "v1", rows())


def read(release: Path, **options):
    return read_macaquepose(release, release.parent / "prepared", **options)


def transforms(release: Path) -> pd.DataFrame:
    return pd.read_parquet(release.parent / "prepared" / "transforms.parquet").set_index("image_id")


def transform_of(release: Path, image_id: str) -> Transform:
    return Transform(*transforms(release).loc[image_id, ["scale", "dx", "dy"]].astype(float))


def made(release: Path) -> dict[str, int]:
    """When each picture was written."""
    return {file.stem: file.stat().st_mtime_ns for file in (release.parent / "prepared").glob("*.png")}


def shows(picture: np.ndarray, transform: Transform, x: float, y: float, colour: tuple[int, int, int]) -> bool:
    """Whether a point of the photograph has that colour in the picture; JPEG changes colours a little."""
    column, row = np.round(transform.apply((x, y))).astype(int)
    return bool(np.abs(picture[row, column].astype(int) - colour).max() < 25)


def test_one_record_for_each_monkey(release):
    dataset = read(release)
    images = dataset.images
    assert images["image_id"].tolist() == ["one-1", "two-1", "two-2"]
    assert images["group"].tolist() == ["one.jpg", "two.jpg", "two.jpg"]
    assert set(images["split"]) == {"all"}
    assert dataset.skeleton is MACAQUEPOSE_17
    assert dataset.left_out.empty
    for picture in images.itertuples():
        assert read_picture(picture.path).shape == (picture.height, picture.width, 3)
        assert max(picture.width, picture.height) == 640
    assert transforms(release)["photograph"].to_dict() == {"one-1": "one.jpg", "two-1": "two.jpg", "two-2": "two.jpg"}


def test_joints_go_with_the_picture_and_back(release):
    labels = read(release).labels
    assert len(labels) == 3 * 17
    second = labels[labels["image_id"] == "two-1"].set_index("keypoint")
    assert second.index[second["labelled"]].tolist() == ["nose", "left_wrist", "right_wrist"]
    assert second.index[second["visible"]].tolist() == ["nose", "left_wrist", "right_wrist"]
    back = transform_of(release, "two-1").invert(second.loc[["nose", "left_wrist", "right_wrist"], ["x", "y"]])
    np.testing.assert_allclose(back, [[25, 15], [48, 48], [52, 20]], atol=1e-9)
    assert second.loc["left_eye", ["x", "y"]].isna().all()


def test_cut_scale_and_box_by_hand(release):
    images = read(release).images.set_index("image_id")
    # The mask of one-1 reaches from (29.6, 19.6) to (69.4, 79.4), a tenth of the longer side is 5.98: the cut
    # holds columns 24 to 75 and rows 14 to 85, 52 x 72 pixels, and is enlarged 640 / 72 times.
    transform = transform_of(release, "one-1")
    assert transform.scale == pytest.approx(640 / 72)
    assert transform.apply((23.5, 13.5)) == pytest.approx([-0.5, -0.5])
    assert images.loc["one-1", ["width", "height"]].tolist() == [463, 640]
    box = images.loc["one-1", ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].astype(float)
    assert box.to_list() == pytest.approx([*transform.apply((29.6, 19.6)), 39.8 * 640 / 72, 59.8 * 640 / 72])
    # Without a mask it is the box of the joints and a tenth of its longer side, which is 40.
    transform = transform_of(release, "two-2")
    box = images.loc["two-2", ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].astype(float)
    assert box.to_list() == pytest.approx(
        [*transform.apply((61, 31)), 38.5 * transform.scale, 48 * transform.scale], abs=1e-6
    )


def test_length_of_the_box_is_its_longer_side(release):
    dataset = read(release, length="width", size=100)
    lengths = dataset.reference_lengths.query("name == 'bbox_length'").set_index("image_id")["length"]
    assert lengths["one-1"] == pytest.approx(59.8 * 100 / 52)
    assert set(dataset.images["width"]) == {100}
    assert dataset.images["height"].tolist()[0] == 139  # 72 x 100 / 52, rounded up


def test_everything_outside_its_own_mask_is_blanked(release):
    read(release)
    picture, transform = read_picture(release.parent / "prepared" / "two-1.png"), transform_of(release, "two-1")
    assert shows(picture, transform, 25, 15, RED)
    assert shows(picture, transform, 25, 45, RED)
    # What lies between the two parts of the mask, beside it, and a joint outside it.
    for point in ((35, 30), (52, 15), (52, 20), (18, 30)):
        assert shows(picture, transform, *point, PADDING_RGB)
    assert not (np.abs(picture.astype(int) - BLUE).max(axis=-1) < 60).any()


def test_without_a_mask_only_other_monkeys_are_blanked(tmp_path):
    table = rows()
    table[1][1][1] = pose(nose=(35, 35), left_ankle=(95, 75))
    release = write(tmp_path / "v1", table)
    read(release)
    picture, transform = read_picture(release.parent / "prepared" / "two-2.png"), transform_of(release, "two-2")
    assert shows(picture, transform, 40, 42, PADDING_RGB)
    assert shows(picture, transform, 55, 60, GREEN)
    assert shows(picture, transform, 70, 60, BLUE)


def test_joint_outside_the_mask_stays_and_one_beyond_the_cut_is_left_out(tmp_path):
    table = rows()
    table[0][1][0] = pose(nose=(40, 30), left_eye=(72, 25), right_eye=(50, 25), right_hip=(110, 75))
    dataset = read(write(tmp_path / "v1", table))
    labelled = dataset.labels.query("image_id == 'one-1' and labelled")["keypoint"]
    assert labelled.tolist() == ["nose", "left_eye", "right_eye"]
    assert dataset.left_out.values.tolist() == [["one-1", "right_hip", "the joint lies outside its picture"]]


def test_a_mask_at_the_edge_is_cut_off_there(tmp_path):
    table = rows()
    table[0][2] = [[outline(-10, 20, 69, 79)]]
    images = read(write(tmp_path / "v1", table)).images.set_index("image_id")
    assert transform_of(tmp_path / "v1", "one-1").apply((-0.5, 0))[0] == pytest.approx(-0.5)
    assert images.loc["one-1", "bbox_x"] == pytest.approx(-0.5)


def test_masks_that_cannot_be_theirs(tmp_path):
    release = write(tmp_path / "v1", rows())
    with refused(
        "MacaquePose file", "a mask without a joint in it", match="the mask of 1 of 2 people .* of one-1: x 1.6,"
    ):
        read(annotate(release, changed(0, 2, [[outline(2, 2, 9, 9)]])))
    with refused("MacaquePose file", "a mask outside its photograph", match="the first is that of one-1: x 499.6,"):
        read(annotate(release, changed(0, 2, [[outline(500, 20, 540, 79)]])))
    far = {"segment": [[30, 20], [1e12, 30], [40, 79]]}
    with refused(
        "MacaquePose file", "a corner at 1e12", match=r"annotations.csv: the mask of .* width 1e\+12, height 59"
    ):
        read(annotate(release, changed(0, 2, [[far]])))
    assert not made(release)


def test_one_such_mask_in_a_hundred_is_left_out_and_blanks_nobody(tmp_path):
    table = [[f"{i}.jpg", *rows()[0][1:]] for i in range(99)] + rows()[1:]
    table[-1][2][0] = [outline(60, 30, 99, 79)]  # the other monkey, who has no mask
    release = write(tmp_path / "v1", table)
    for i in range(99):
        os.link(release / "images" / "one.jpg", release / "images" / f"{i}.jpg")
    dataset = read(release, size=64)
    assert dataset.left_out.values.tolist() == [["two-1", "", "the mask cannot be theirs"]]
    assert len(dataset) == 100
    picture = read_picture(release.parent / "prepared" / "two-2.png")
    assert not (picture == PADDING_RGB).all(axis=-1).any()


def test_monkeys_of_which_nothing_is_known_are_left_out_and_said(tmp_path):
    table = rows()
    table[1][1][1] = pose()
    table[1][2] = [[{"segment": [[1, 2], [3, 4]]}], []]
    dataset = read(write(tmp_path / "v1", table))
    assert dataset.images["image_id"].tolist() == ["one-1", "two-1"]
    assert dataset.left_out.values.tolist() == [["two-2", "", "fewer than 2 labelled joints"]]
    # Two corners enclose nothing, so two-1 has no mask and keeps what is around it.
    picture = read_picture(tmp_path / "prepared" / "two-1.png")
    assert shows(picture, transform_of(tmp_path / "v1", "two-1"), 50, 30, GREEN)


def test_a_second_call_makes_nothing_and_a_change_only_what_it_concerns(release):
    first = read(release)
    times = made(release)
    assert read(release).labels.equals(first.labels)
    assert made(release) == times

    paint(release / "images" / "one.jpg", (ALONE, BLUE))
    read(release)
    assert {name for name, when in made(release).items() if when != times[name]} == {"one-1"}
    picture = read_picture(release.parent / "prepared" / "one-1.png")
    assert shows(picture, transform_of(release, "one-1"), 40, 30, BLUE)

    times, table = made(release), rows()
    table[0][1][0] = pose(nose=(41, 31), left_eye=(45, 25))
    read(annotate(release, table))
    assert made(release) == times

    table[1][2][0][1] = outline(21, 36, 49, 49)
    read(annotate(release, table))
    # The part that moved is blanked in the other monkey's picture.
    assert {name for name, when in made(release).items() if when != times[name]} == {"two-1", "two-2"}

    times = made(release)
    os.utime(release / "images" / "one.jpg", ns=(0, 0))
    (release.parent / "prepared" / "two-2.png").unlink()
    read(release)
    assert {name for name, when in made(release).items() if when != times.get(name)} == {"one-1", "two-2"}

    read(release, size=64)
    assert read_picture(release.parent / "prepared" / "two-2.png").shape[0] == 64


def test_what_was_finished_when_it_broke_off_is_kept(release):
    damaged = release / "images" / "two.jpg"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StudyError, match="two.jpg: not a whole picture"):
        read(release)
    times = made(release)
    assert times.keys() == {"one-1"}
    damaged.write_bytes(whole)
    assert len(read(release)) == 3
    assert made(release)["one-1"] == times["one-1"]


def write_many(folder: Path, *masks: dict) -> Path:
    """A hundred and twenty photographs of a monkey with that mask."""
    table = [[f"{i:03d}.jpg", rows()[0][1], [masks]] for i in range(120)]
    write(folder, table)
    for file, *_ in table:
        os.link(folder / "images" / "one.jpg", folder / "images" / file)
    return folder


def prepare_and_be_killed(release: Path, is_time: Callable[[], bool]) -> None:
    process = multiprocessing.get_context("fork").Process(target=read, args=(release,), kwargs={"size": 64})
    process.start()
    while process.is_alive() and not is_time():
        time.sleep(0.002)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "it was finished before it could be killed"


def test_a_killed_preparation_goes_on_where_it_was(tmp_path):
    release, index = write_many(tmp_path / "v1", outline(*ALONE)), tmp_path / "prepared" / "transforms.parquet"
    prepare_and_be_killed(release, lambda: index.is_file() and len(pd.read_parquet(index)) > 0)
    recorded, times = transforms(release).index, made(release)
    assert 0 < len(recorded) < 120
    assert len(read(release, size=64)) == 120
    assert len(made(release)) == 120
    assert {image_id for image_id, when in made(release).items() if when == times.get(image_id)} >= set(recorded)


def test_a_picture_made_anew_just_before_a_kill_is_not_taken_for_the_old_one(tmp_path):
    release, prepared = write_many(tmp_path / "v1", outline(*ALONE)), tmp_path / "prepared"
    read(release, size=64)
    pictures = {file.name: file.read_bytes() for file in prepared.glob("*.png")}
    labels, times = (release / "annotations.csv").read_bytes(), made(release)
    annotate(release, [[f"{i:03d}.jpg", rows()[0][1], [[outline(30, 20, 69, 40)]]] for i in range(120)])
    prepare_and_be_killed(release, lambda: made(release)["000-1"] != times["000-1"])
    assert (prepared / "000-1.png").read_bytes() != pictures["000-1.png"]
    (release / "annotations.csv").write_bytes(labels)
    read(release, size=64)
    assert {file.name: file.read_bytes() for file in prepared.glob("*.png")} == pictures


def test_how_many_are_made_at_once_changes_no_picture(release):
    read(release)
    read_macaquepose(release, release.parent / "by two", at_once=2)
    for file in (release.parent / "prepared").iterdir():
        assert (release.parent / "by two" / file.name).read_bytes() == file.read_bytes()


def changed(row: int, column: int, cell) -> list[list]:
    table = rows()
    table[row][column] = cell
    return table


def with_entry(entry) -> list[list]:
    table = rows()
    table[1][1][1][3] = entry
    return table


@pytest.mark.parametrize(
    "what, table, sentence",
    [
        (
            "a cell that is not JSON",
            changed(0, 1, "[[{'name': "),
            "annotations.csv, row 2, 'keypoinbts': not JSON: restore",
        ),
        ("an empty cell", changed(1, 2, ""), "row 3, 'segmentation': nothing is in this cell: restore"),
        (
            "no list of monkeys",
            changed(1, 2, "null"),
            "row 3, 'segmentation': Input should be a valid array, found null",
        ),
        ("nothing for a monkey", changed(1, 2, [None, []]), "row 3, 'segmentation', monkey 1: .* array, found null"),
        ("fewer masks than poses", changed(1, 1, [pose()]), "row 3: joints of 1 and segments of 2 monkeys"),
        (
            "a keypoint without position",
            with_entry({"name": "left ear"}),
            "monkey 2, entry 4, 'position': Field required",
        ),
        (
            "a keypoint that is a word",
            with_entry("left ear"),
            "row 3, 'keypoinbts', monkey 2, entry 4: .*, found \"left",
        ),
        (
            "an unknown keypoint",
            with_entry({"name": "snout", "position": None}),
            "monkey 2: keypoint 'snout' is unknown",
        ),
        ("a keypoint twice", with_entry({"name": "nose", "position": [1, 2]}), "keypoint 'nose' is labelled twice"),
        ("half a position", with_entry({"name": "left ear", "position": [1]}), "entry 4, 'position': Field required"),
        ("a word for a number", with_entry({"name": "left ear", "position": [1, "a"]}), 'valid number.*, found "a"'),
        ("NaN for a number", with_entry({"name": "left ear", "position": [1, NAN]}), "a finite number, found NaN"),
        (
            "no segment in a mask",
            changed(0, 2, [[{"outline": []}]]),
            "row 2, 'segmentation', monkey 1, entry 1, 'segment'",
        ),
        (
            "half a corner",
            changed(0, 2, [[{"segment": [[1, 2], [5]]}]]),
            "monkey 1, entry 1, 'segment': Field required",
        ),
        ("a photograph twice", [*rows(), rows()[0]], "rows 2 and 4 both label a photograph one: leave one of them out"),
        ("no photograph", changed(0, 0, "gone.jpg"), f"1 of 2 labelled pictures are missing, .*gone.jpg: {GET_IT}$"),
        ("no rows", [], "annotations.csv: the data set is empty"),
    ],
)
def test_bad_rows_are_refused_in_one_sentence(tmp_path, what, table, sentence):
    with refused("MacaquePose file", what, match=sentence):
        read(write(tmp_path / "v1", table))


def test_numbers_in_quotes_are_numbers(tmp_path):
    release = write(tmp_path / "v1", with_entry({"name": "left ear", "position": ["70", 40]}))
    assert read(release).labels.set_index(["image_id", "keypoint"]).loc[("two-2", "left_ear"), "labelled"]


def test_missing_column(release):
    annotate(release, rows(), header=("image file name", "keypoints", "segmentation"))
    with refused(
        "MacaquePose file", "a missing column", match="there is no column 'keypoinbts': expected the file of the"
    ):
        read(release)


def test_no_file(tmp_path):
    with refused("MacaquePose file", "no file", match=rf"annotations.csv: cannot be read \(No such file.*; {GET_IT}$"):
        read_macaquepose(tmp_path, tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    "what, content",
    [
        ("an empty file", b""),
        ("an open quote", b'image file name,"'),
        ("rows longer than the first", b"a,b\n1,2,3\n4,5,6,7\n"),
        ("bytes that are no text", b"\xff\xfe\x00"),
    ],
)
def test_files_that_are_no_csv(tmp_path, what, content):
    (tmp_path / "annotations.csv").write_bytes(content)
    with refused("MacaquePose file", what, match="annotations.csv: (empty, or not a CSV file|there is no column)"):
        read_macaquepose(tmp_path, tmp_path / "prepared")


def test_photographs_smaller_than_they_were_labelled(release):
    paint(release / "images" / "two.jpg", (LEFT, RED), (RIGHT, BLUE), scale=3)
    sentence = "most joints of 1 of 2 pictures lie outside them, the first is .*two.jpg with 40 x 30 pixels"
    with refused("MacaquePose file", "photographs of another size", match=sentence):
        read(release)


def test_one_missing_photograph_in_a_hundred_is_left_out_and_said(tmp_path):
    table = [[f"{i}.jpg", *rows()[0][1:]] for i in range(100)]
    release = write(tmp_path / "v1", table)
    for i in range(100):
        paint(release / "images" / f"{i}.jpg", (ALONE, RED))
    (release / "images" / "7.jpg").unlink()
    dataset = read(release, size=32)
    assert len(dataset) == 99
    assert dataset.left_out.values.tolist() == [["7-1", "", "the picture is missing"]]


@settings(deadline=None)
@given(
    box=st.tuples(st.floats(-60, 90), st.floats(-60, 90), st.floats(1, 120), st.floats(1, 120)),
    second=st.tuples(st.floats(-60, 90), st.floats(-60, 90), st.floats(1, 120), st.floats(1, 120)),
)
def test_a_mask_holds_the_pixels_whose_centre_its_parts_enclose(box, second):
    rows, columns = np.indices((40, 50))

    def depth(x: float, y: float, width: float, height: float) -> np.ndarray:
        """How far inside the box a pixel's centre lies; negative outside."""
        return np.minimum.reduce([columns - x, x + width - columns, rows - y, y + height - rows])

    parts = [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]) for x, y, w, h in (box, second)]
    mask, enclosed = inside(parts, 50, 40), np.maximum(depth(*box), depth(*second))
    assert mask[enclosed > 0.35].all()
    assert not mask[enclosed < -0.35].any()


FAR = st.one_of(st.floats(-60, 110), st.floats(-1e12, 1e12))


@settings(deadline=None)
@given(corners=st.tuples(*[st.tuples(FAR, FAR)] * 3))
def test_corners_may_be_anywhere(corners):
    rows, columns = np.indices((40, 50))
    ahead = [b - a for a, b in zip(np.array(corners), np.roll(corners, -1, axis=0), strict=True)]
    turn = np.cross(ahead[0], ahead[1])
    assume(abs(turn) > max(np.hypot(*edge) for edge in ahead))  # no needle
    beside = [
        np.sign(turn) * (edge[0] * (rows - y) - edge[1] * (columns - x)) / np.hypot(*edge)
        for (x, y), edge in zip(corners, ahead, strict=True)
    ]
    mask, depth = inside([np.array(corners)], 50, 40), np.minimum.reduce(beside)
    assert mask[depth > 0.5].all()
    assert not mask[depth < -0.5].any()


@pytest.mark.skipif(not (DATA / "macaquepose_sample").is_dir(), reason=f"no sample in {DATA}: set MONKEY_TRANSFER_DATA")
def test_real_monkeys(tmp_path):
    dataset = read_macaquepose(DATA / "macaquepose_sample" / "v1", tmp_path)
    assert len(dataset) == 2
    assert dataset.left_out.empty
    labels = dataset.labels.set_index(["image_id", "keypoint"])
    assert labels["labelled"].groupby("image_id", sort=False).sum().to_dict() == {
        "d47f1b1ee9d3217e-1": 16,
        "PRI_1473-1": 15,
    }
    # By hand for the first: the outline reaches from (143.87, 147.04) to (765.88, 681.26) in 1024 x 710 pixels, a
    # tenth of the longer side is 62.2, so the cut holds columns 82 to 828 and rows 85 to 709.
    scale = 640 / 747
    first = dataset.images.iloc[0]
    assert (first["width"], first["height"]) == (640, 536)
    nose = labels.loc[("d47f1b1ee9d3217e-1", "nose"), ["x", "y"]].astype(float)
    assert nose.tolist() == pytest.approx([(641.06 + 0.5 - 82) * scale - 0.5, (308.89 + 0.5 - 85) * scale - 0.5])
    lengths = dataset.reference_lengths.query("name == 'bbox_length'").set_index("image_id")["length"]
    assert lengths["d47f1b1ee9d3217e-1"] == pytest.approx((765.88 - 143.87) * scale)
    # The outline encloses 138,068 square pixels of the photograph by the shoelace formula.
    shown = (read_picture(first["path"]) != PADDING_RGB).any(axis=-1)
    assert shown.sum() == pytest.approx(138_068 * scale**2, rel=0.002)
    # Of the 31 joints only the left ankle, hidden behind the other leg, lies outside its mask.
    blanked = [
        joint.Index
        for joint in labels[labels["labelled"]].itertuples()
        if (read_picture(tmp_path / f"{joint.Index[0]}.png")[round(joint.y), round(joint.x)] == PADDING_RGB).all()
    ]
    assert blanked == [("d47f1b1ee9d3217e-1", "left_ankle")]
