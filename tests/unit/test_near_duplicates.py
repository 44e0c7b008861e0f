"""Copies of a picture must be found whatever was done to them within reason, other pictures must not."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import LSP_14
from monkey_transfer.study import opening
from monkey_transfer.study.near_duplicates import NEAR, kept_together, near_duplicates, picture_hashes
from monkey_transfer.study.splits import draw_people, split_people

DATA = Path(os.environ.get("MONKEY_TRANSFER_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SEEDS = st.integers(0, 2**32 - 1)


def texture(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Noise whose amplitude falls with its frequency, as that of photographs does."""
    noise = np.random.default_rng(seed).standard_normal((height, width))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width) * width)
    levels = np.fft.ifft2(np.fft.fft2(noise) / np.maximum(frequency, 1)).real
    levels = 128 + 50 * (levels - levels.mean()) / levels.std()
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")


def saved(picture: Image.Image, path: Path, **settings) -> str:
    picture.save(path, **settings)
    return str(path)


def distance(first: Image.Image, second: Image.Image, **settings) -> int:
    with TemporaryDirectory() as folder:
        one = saved(first, Path(folder, "first.png"))
        other = saved(second, Path(folder, "second.jpg"), **settings)
        return near_duplicates([one], [other], within=255)["distance"].item()


@settings(deadline=None, max_examples=20)
@given(
    seed=SEEDS,
    quality=st.integers(30, 95),
    scale=st.floats(0.4, 2),
    cut=st.floats(0, 0.015),
    brightness=st.floats(0.8, 1.2),
)
def test_copies_are_near(seed, quality, scale, cut, brightness):
    original = texture(seed)
    width, height = original.size
    copy = original.crop((round(cut * width), round(cut * height), width, height))
    copy = copy.resize((round(scale * width), round(scale * height)))
    copy = copy.point(lambda level: min(255, int(level * brightness)))
    assert distance(original, copy, quality=quality) <= NEAR


def test_pictures_of_sixteen_bits_are_seen_as_those_of_eight(tmp_path):
    paths = []
    for seed in (1, 2):
        grey = texture(seed).convert("L")
        paths += [saved(grey, tmp_path / f"{seed}.png")]
        paths += [saved(Image.fromarray(np.array(grey, np.uint16) * 257), tmp_path / f"{seed}-deep.png")]
    hashes = picture_hashes(paths)
    assert (hashes[[0, 2]] == hashes[[1, 3]]).all()
    assert (hashes[0] != hashes[2]).any()


@settings(deadline=None, max_examples=20)
@given(first=SEEDS, second=SEEDS)
def test_other_pictures_are_not(first, second):
    if first != second:
        assert distance(texture(first), texture(second)) > NEAR


def test_a_cut_is_farther_the_more_it_takes():
    original = texture(1)
    width, height = original.size
    cuts = [original.crop((round(f * width), 0, width, height)) for f in (0.01, 0.03, 0.1, 0.3)]
    distances = [distance(original, cut) for cut in cuts]
    assert distances == sorted(distances)
    assert distances[0] <= NEAR < distances[-1]


def test_pairs_name_the_pictures_and_their_distance(tmp_path):
    a, b, c = (saved(texture(seed), tmp_path / f"{seed}.png") for seed in range(3))
    copy = saved(texture(1).convert("L"), tmp_path / "copy.png")
    pairs = near_duplicates([a, b, b], [copy, a, c, a])
    assert pairs.values.tolist() == [[a, a, 0], [b, copy, 0]]
    assert len(near_duplicates([a], [a], within=0)) == 1
    assert near_duplicates([a], [c]).empty
    assert near_duplicates([], [a]).empty
    assert near_duplicates([a], []).columns.tolist() == ["first", "second", "distance"]


def test_pairs_agree_with_counting_bits(tmp_path):
    paths = [saved(texture(seed), tmp_path / f"{seed}.png") for seed in range(6)]
    hashes = picture_hashes(paths)
    assert hashes.shape == (6, 255)
    assert hashes.mean() == pytest.approx(0.5, abs=0.01)
    pairs = near_duplicates(paths, paths, within=255)
    assert pairs["distance"].tolist() == [int((a != b).sum()) for a in hashes for b in hashes]


def test_a_large_jpeg_is_found_by_its_small_copy(tmp_path):
    original = texture(5, 1280, 960)
    large = saved(original, tmp_path / "large.jpg", quality=90)
    small = saved(original.resize((160, 120), Image.Resampling.LANCZOS), tmp_path / "small.png")
    assert near_duplicates([large], [small])["distance"].item() <= 8


def test_a_copy_that_was_saved_upright_is_found(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = saved(texture(7), tmp_path / "lying.jpg", exif=exif, quality=90)
    upright = saved(texture(7).transpose(Image.Transpose.ROTATE_270), tmp_path / "upright.png")
    assert near_duplicates([lying], [upright])["distance"].item() <= 8


def of_groups(*groups: str) -> pd.DataFrame:
    """An images table: pictures a, b, c ... in those groups."""
    ids = [chr(ord("a") + number) for number in range(len(groups))]
    return pd.DataFrame({"image_id": ids, "path": [f"{image_id}.png" for image_id in ids], "group": groups})


def alike(*pairs: str) -> pd.DataFrame:
    """Near duplicates as 'ab' for a.png and b.png."""
    return pd.DataFrame({"first": [f"{pair[0]}.png" for pair in pairs], "second": [f"{pair[1]}.png" for pair in pairs]})


@pytest.mark.parametrize(
    "groups, pairs, together",
    [
        ("pqrst", [], "pqrst"),
        ("pqrst", ["aa", "bb"], "pqrst"),
        ("pqrst", ["bd"], "pqrqt"),
        ("pqrst", ["db"], "pqrqt"),
        ("tsrqp", ["bd"], "tqrqp"),  # by name, not by place
        ("pqrst", ["ab", "bc", "de"], "pppss"),  # a chain, though a and c are no pair
        ("pqpqr", ["ab"], "ppppr"),  # by way of groups that were there before
        ("ppqqr", ["be"], "ppqqp"),
    ],
)
def test_what_is_nearly_the_same_is_of_one_group(groups, pairs, together):
    images = of_groups(*groups)
    found = kept_together(images, alike(*pairs))
    assert "".join(found["group"]) == together
    pd.testing.assert_frame_equal(found.drop(columns="group"), images.drop(columns="group"))


def test_people_in_one_file_are_of_one_group_and_so_are_those_in_its_copy():
    images = of_groups("p", "q", "r", "s").assign(path=["one.png", "one.png", "two.png", "three.png"])
    nothing = pd.DataFrame({"first": [], "second": []})
    assert kept_together(images, nothing)["group"].tolist() == ["p", "p", "r", "s"]
    copy = pd.DataFrame({"first": ["three.png"], "second": ["one.png"]})
    assert kept_together(images, copy)["group"].tolist() == ["p", "p", "r", "p"]


def dataset(folder: Path, name: str, groups: list[str], seed: int) -> Dataset:
    """Pictures of noise, all of people whose head is measured; the last is a copy of the first."""
    images = pd.DataFrame({"image_id": [f"{name}{number}" for number in range(len(groups))], "group": groups})
    images["path"] = [
        saved(texture(seed + i, 64, 64), folder / f"{one}.png") for i, one in enumerate(images["image_id"])
    ]
    shutil.copyfile(images["path"].iloc[0], images["path"].iloc[-1])
    lengths = pd.DataFrame({"image_id": images["image_id"], "name": "head_size", "length": 10.0})
    return Dataset(name, LSP_14, images, pd.DataFrame({"image_id": []}), lengths)


def test_a_study_keeps_near_duplicates_together_where_a_format_knows_no_groups(tmp_path, monkeypatch):
    """So that no draw has one of two copies to learn and the other for the test; frames of videos stay as they are."""
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    alone = [f"person{number}" for number in range(6)]
    filmed = ["video0", "video0", "video1", "video1", "video2", "video2"]
    target, source = dataset(tmp_path, "target", alone, 0), dataset(tmp_path, "source", filmed, 100)
    given = {"human": target, "macaque": source}
    monkeypatch.setattr(opening, "open_dataset", lambda data: given[data.species])
    opened = opening.open_study("smoke")
    assert opened.target.images["group"].tolist() == [*alone[:5], "person0"]
    monkeypatch.setattr(opening, "near_duplicates", None)  # looked for once for the same files
    assert opening.open_study("smoke").target.images["group"].tolist() == [*alone[:5], "person0"]
    assert opened.source.images["group"].tolist() == filmed
    for seed in range(20):
        split = split_people(opened.target.images, 1, seed)
        draw = draw_people(split, 1, seed)
        parts = [part for part in (split.test, draw.validation, draw.train) if {"target0", "target5"} & set(part)]
        assert len(parts) == 1


def test_files_that_are_missing_or_no_pictures(tmp_path):
    with pytest.raises(StudyError, match="gone.jpg: there is no such picture"):
        picture_hashes([str(tmp_path / "gone.jpg")])
    whole = saved(texture(0), tmp_path / "whole.jpg")
    for content in (b"", b"no picture", Path(whole).read_bytes()[:2000]):
        (tmp_path / "broken.jpg").write_bytes(content)
        with pytest.raises(StudyError, match="broken.jpg: not a whole picture") as caught:
            picture_hashes([whole, str(tmp_path / "broken.jpg")])
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not (DATA / "lspet").is_dir(), reason=f"no LSPET in {DATA}: set MONKEY_TRANSFER_DATA")
def test_photographs(tmp_path):
    def photograph(number: int) -> str:
        return str(DATA / "lspet" / "images" / f"im{number:05d}.jpg")

    # Seen by eye: one photograph twice, one in grey and in colour, one place with two people.
    pairs = near_duplicates([photograph(n) for n in (2636, 5215, 4519)], [photograph(n) for n in (3556, 6202, 5790)])
    assert pairs["distance"].tolist() == [2, 10, 40]

    originals = [photograph(n) for n in range(1, 101)]
    copies = []
    for path in originals:
        with Image.open(path) as picture:
            width, height = picture.size
            cut = picture.crop((round(0.02 * width), round(0.02 * height), round(0.98 * width), round(0.98 * height)))
        copies.append(saved(cut.resize((width, height)), tmp_path / Path(path).name, quality=50))
    assert near_duplicates(originals, originals)["distance"].tolist() == [0] * 100
    found = near_duplicates(originals, copies)
    assert [Path(path).name for path in found["first"]] == [Path(path).name for path in found["second"]]
    assert len(found) >= 98
