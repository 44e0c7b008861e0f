"""A cut of a picture must be where its transform says it is, and a file must be whole or refused."""

import math
import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from bad_input import holds, refused
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from monkey_transfer.errors import StudyError
from monkey_transfer.images import (
    PADDING_RGB,
    Frame,
    Transform,
    crop,
    fit,
    letterbox,
    opened,
    picture_size,
    read_picture,
    resample,
    rgb,
    stamp,
    unpadded,
    upright,
    upright_size,
    write_picture,
)

SIDES = st.integers(1, 300)
LENGTHS = st.floats(1, 300)


def made(image: np.ndarray, frame: Frame) -> tuple[np.ndarray, Transform]:
    picture = resample(image, frame)
    assert picture.shape == (frame.height, frame.width, 3)
    return picture, frame.transform


def blob(width: int, height: int, x: float, y: float, spread: float) -> np.ndarray:
    """A bright round spot centred on (x, y), on the colour of the padding."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))
    return np.round(np.array(PADDING_RGB) + 120 * spot[..., None]).astype(np.uint8)


def centroid(picture: np.ndarray) -> np.ndarray:
    weight = (picture.astype(float) - PADDING_RGB).sum(axis=-1)
    rows, columns = np.indices(weight.shape)
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("width, height", [(160, 120), (121, 201), (97, 97)])
@pytest.mark.parametrize("size", [48, 64, 97, 192, 355])
def test_letterbox_puts_a_spot_where_its_transform_says(width, height, size):
    image = blob(width, height, x=0.61 * width, y=0.37 * height, spread=6)
    picture, transform = made(image, letterbox((width, height), (size, size)))
    assert centroid(picture) == pytest.approx(transform.apply(centroid(image)), abs=0.05)


@pytest.mark.parametrize(
    "box", [(20, 30, 60, 90), (50.3, 41.7, 33.3, 20.1), (-30, -20, 110, 130), (5.5, 80, 80.25, 60)]
)
@pytest.mark.parametrize("person, size", [(40, 96), (75, 128), (150, 193)])
def test_crop_puts_a_spot_where_its_transform_says(box, person, size):
    image = blob(150, 170, x=box[0] + 0.6 * box[2], y=box[1] + 0.55 * box[3], spread=4)
    picture, transform = made(image, crop((150, 170), box, person / max(box[2:]), size))
    assert centroid(picture) == pytest.approx(transform.apply(centroid(image)), abs=0.05)


@given(width=SIDES, height=SIDES, size=st.integers(1, 64))
def test_letterbox_round_trip_and_whole_picture(width, height, size):
    transform, *_ = letterbox((width, height), (size, size))
    corners = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
    shown = transform.apply(corners)
    assert transform.invert(shown) == pytest.approx(corners, abs=1e-6)
    assert (shown > -0.5 - 1e-6).all()
    assert (shown < size - 0.5 + 1e-6).all()
    # Centred, and filled along the longer side.
    assert shown.sum(axis=0) == pytest.approx([size - 1, size - 1], abs=1e-6)
    assert (shown[1] - shown[0]).max() == pytest.approx(size)


@given(
    box=st.tuples(st.floats(-200, 60), st.floats(-200, 40), LENGTHS, LENGTHS).filter(
        lambda box: box[0] + box[2] > 0 and box[1] + box[3] > 0
    ),
    person=st.integers(16, 64),
    size=st.integers(64, 200),
    point=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_crop_round_trip_centre_and_length(box, person, size, point):
    x, y, width, height = box
    transform, *_ = crop((70, 50), box, person / max(width, height), size)
    assert transform.invert(transform.apply(point)) == pytest.approx(point, abs=1e-6)
    assert transform.apply((x + width / 2, y + height / 2)) == pytest.approx([(size - 1) / 2] * 2, abs=1e-6)
    assert transform.scale * max(width, height) == pytest.approx(person)


@given(
    left=st.integers(0, 5000),
    top=st.integers(0, 5000),
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    size=st.integers(1, 2000),
    length=st.sampled_from(["longer_side", "width"]),
    point=st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)),
)
def test_fit_round_trip_and_whole_cut(left, top, width, height, size, length, point):
    transform, new_width, new_height = fit((left, top, left + width, top + height), length, size)
    assert transform.invert(transform.apply(point)) == pytest.approx(point, abs=1e-6)
    assert (new_width if length == "width" else max(new_width, new_height)) == size
    # From corner to corner, and less than a pixel more where a side is rounded up.
    assert transform.apply((left - 0.5, top - 0.5)) == pytest.approx([-0.5, -0.5], abs=1e-6)
    end = transform.apply((left + width - 0.5, top + height - 0.5))
    room = np.array([new_width, new_height]) - 0.5 - end
    assert (room > -1e-6).all()
    assert (room < 1).all()


@pytest.mark.parametrize("cut", [(0, 0, 150, 170), (20, 30, 121, 160), (61, 40, 150, 101)])
@pytest.mark.parametrize("length", ["longer_side", "width"])
@pytest.mark.parametrize("size", [60, 131, 400])
def test_a_fitted_cut_puts_a_spot_where_its_transform_says(cut, length, size):
    image = blob(150, 170, x=0.55 * cut[0] + 0.45 * cut[2], y=0.5 * (cut[1] + cut[3]), spread=4)
    picture, transform = made(image, fit(cut, length, size))
    assert centroid(picture) == pytest.approx(transform.apply(centroid(image)), abs=0.05)


def test_a_cut_of_its_own_size_changes_no_pixel():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resample(image, fit((10, 5, 40, 25), "longer_side", 30)), image[5:25, 10:40])


@given(
    scale=st.floats(0.01, 100),
    shift=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    point=st.tuples(st.floats(-1e3, 1e4), st.floats(-1e3, 1e4)),
)
def test_transform_round_trip(scale, shift, point):
    transform = Transform(scale, *shift)
    assert transform.invert(transform.apply(point)) == pytest.approx(point, abs=1e-6)


def test_transform_takes_any_shape_and_keeps_nan():
    points = np.array([[[1.0, 2.0], [np.nan, np.nan]]])
    np.testing.assert_array_equal(Transform(2, 10, 20).apply(points), [[[12, 24], [np.nan, np.nan]]])


def test_same_size_changes_no_pixel():
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resample(image, letterbox((40, 40), (40, 40))), image)
    # This box has its centre in the middle of pixels 10 to 25, and is as long as it is to become.
    np.testing.assert_array_equal(resample(image, crop((40, 40), (12.5, 9.5, 10, 16), 1, 16)), image[10:26, 10:26])


def test_outside_the_source_there_is_padding_only():
    picture, transform = made(np.zeros((50, 100, 3), np.uint8), letterbox((100, 50), (200, 200)))
    top = transform.apply((0, -0.5))[1]
    assert top == 49.5
    assert (picture[:49] == PADDING_RGB).all()
    assert (picture[51:149, 1:-1] == 0).all()
    assert (picture[151:] == PADDING_RGB).all()


@pytest.mark.parametrize("size", [(200, 200), (100, 50), (90, 300)])
def test_what_is_not_padding_is_the_whole_photograph(size):
    """A photograph may have spots of the padding's colour, and they are not taken off."""
    photograph = np.zeros((50, 100, 3), np.uint8)
    photograph[20:30, :40] = PADDING_RGB
    picture, transform = made(photograph, letterbox((100, 50), size))
    (left, top), (right, bottom) = transform.apply([(-0.5, -0.5), (99.5, 49.5)]) + 0.5
    rows, columns = unpadded(picture)
    seams = np.abs([rows.start - top, rows.stop - bottom, columns.start - left, columns.stop - right])
    assert seams.max() <= 1  # where photograph and padding are mixed


def test_of_padding_alone_nothing_is_left():
    padding = np.full((9, 9, 3), PADDING_RGB, np.uint8)
    assert padding[unpadded(padding)].size == 0


def test_shrinking_averages_fine_texture():
    checkerboard = (np.indices((240, 240)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = resample(np.repeat(checkerboard[..., None], 3, axis=2), letterbox((240, 240), (60, 60)))
    assert np.abs(picture[2:-2, 2:-2].astype(int) - 127).max() <= 3


@pytest.mark.parametrize(
    "box, scale",
    [
        ((10, 10, 0, 0), np.nan),
        ((10, 10, 5, 5), np.inf),
        ((10, 10, 5, 5), 0),
        ((10, 10, 5, 5), -1),
        ((10, 10, 5, 5), 41),
        ((10, 10, 5, 5), 1 / 71),
        ((100, 10, 20, 20), 1),
        ((10, -40, 20, 30), 1),
        ((np.nan, 1, 2, 3), 1),
        ((1, 1, np.nan, 3), 1),
    ],
)
def test_a_box_that_shows_nothing_is_refused(box, scale):
    with pytest.raises(StudyError, match="shows nothing of a 70 x 50 picture"):
        crop((70, 50), box, scale, 40)


def old_resample(image: np.ndarray, transform: Transform, width: int, height: int) -> np.ndarray:
    """What :func:`resample` was before it knew a limit."""
    left, top = transform.invert((-0.5, -0.5)) + 0.5
    seen_width, seen_height = width / transform.scale, height / transform.scale
    margin = math.ceil(max(1 / transform.scale, 1))
    x0, y0 = math.floor(left) - margin, math.floor(top) - margin
    columns, rows = math.ceil(seen_width) + 2 * margin + 1, math.ceil(seen_height) + 2 * margin + 1
    canvas = np.full((rows, columns, 3), PADDING_RGB, np.uint8)
    seen = image[max(y0, 0) : max(y0 + rows, 0), max(x0, 0) : max(x0 + columns, 0)]
    row, column = max(-y0, 0), max(-x0, 0)
    canvas[row : row + seen.shape[0], column : column + seen.shape[1]] = seen
    region = (left - x0, top - y0, left - x0 + seen_width, top - y0 + seen_height)
    return np.array(Image.fromarray(canvas).resize((width, height), Image.Resampling.BILINEAR, box=region))


@settings(deadline=None)
@given(
    box=st.tuples(st.floats(-100, 60), st.floats(-100, 40), LENGTHS, LENGTHS).filter(
        lambda box: box[0] + box[2] > 0 and box[1] + box[3] > 0
    ),
    person=st.integers(16, 64),
    size=st.integers(64, 128),
)
def test_of_usual_people_no_pixel_is_another_than_without_a_limit(box, person, size):
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    frame = crop((70, 50), box, person / max(box[2:]), size)
    np.testing.assert_array_equal(resample(image, frame), old_resample(image, *frame))


@pytest.mark.parametrize("size, scale", [(1000, 0.1), (1000, 1 / 70), (3000, 0.2)])
def test_however_much_a_cut_shows_it_takes_little_memory(size, scale):
    """Without a limit the first would take 300 MB, the second 15 GB."""
    image = blob(70, 50, x=40, y=20, spread=9)
    tracemalloc.start()
    picture, transform = made(image, crop((70, 50), (-6000, 10, 12000, 30), scale, size))
    assert tracemalloc.get_traced_memory()[1] < 500e6
    tracemalloc.stop()
    assert centroid(picture) == pytest.approx(transform.apply(centroid(image)), abs=0.1)


@settings(deadline=None)
@given(width=SIDES, height=SIDES, size=st.tuples(st.integers(1, 64), st.integers(1, 64)))
def test_letterbox_fills_a_rectangle_along_one_side_and_comes_back(width, height, size):
    _, transform = made(np.zeros((height, width, 3), np.uint8), letterbox((width, height), size))
    corners = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
    shown = transform.apply(corners)
    assert transform.invert(shown) == pytest.approx(corners, abs=1e-6)
    extent = shown[1] - shown[0]
    assert (extent < np.array(size) + 1e-6).all()
    assert (np.abs(extent - size) < 1e-6).any()
    assert shown.sum(axis=0) == pytest.approx(np.array(size) - 1, abs=1e-6)


def photograph(height: int = 120, width: int = 160) -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def test_write_then_read(tmp_path):
    image = np.array(photograph())
    write_picture(tmp_path / "a.png", image)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), image)
    assert picture_size(tmp_path / "a.png") == (160, 120)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


GREYS = np.linspace(0, 65535, 48 * 64).round().astype(np.uint16).reshape(48, 64)
COLOURS = np.dstack([GREYS, GREYS[::-1], GREYS[:, ::-1]])
EIGHT_BITS = (COLOURS >> 8).astype(np.uint8)
LIGHT = np.dstack([EIGHT_BITS[..., 0]] * 3)


def png(file: Path, values: np.ndarray, colour_type: int) -> None:
    """A PNG of 16 bits a channel, of every colour type; Pillow does not write them."""
    height, width = values.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    content = (struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(content))


def with_alpha(values: np.ndarray) -> np.ndarray:
    """The left half of a picture opaque, the right half transparent."""
    opaque = np.zeros(values.shape[:2], values.dtype)
    opaque[:, :32] = np.iinfo(values.dtype).max
    return np.dstack([values, opaque])


def over_padding(shown: np.ndarray) -> np.ndarray:
    expected = np.full_like(shown, PADDING_RGB)
    expected[:, :32] = shown[:, :32]
    return expected


def save(mode: str, **options):
    return lambda file: Image.fromarray(EIGHT_BITS).convert(mode).save(file, **options)


def few_colours() -> Image.Image:
    return Image.fromarray(EIGHT_BITS).quantize(8)


@pytest.mark.parametrize(
    "name, write, expected",
    [
        ("colours.png", save("RGB"), EIGHT_BITS),
        ("colours.bmp", save("RGB"), EIGHT_BITS),
        ("colours.tif", save("RGB"), EIGHT_BITS),
        ("printing.tif", save("CMYK"), EIGHT_BITS),
        ("opaque.png", save("RGBA"), EIGHT_BITS),
        ("grey.png", lambda file: Image.fromarray(LIGHT).convert("L").save(file), LIGHT),
        ("one-bit.png", lambda file: Image.fromarray(LIGHT[..., 0] > 99).save(file), 255 * (LIGHT > 99)),
        ("palette.png", lambda file: few_colours().save(file), np.array(few_colours().convert("RGB"))),
        ("palette.gif", lambda file: few_colours().save(file), np.array(few_colours().convert("RGB"))),
        ("alpha.png", lambda file: Image.fromarray(with_alpha(EIGHT_BITS)).save(file), over_padding(EIGHT_BITS)),
        ("grey-alpha.png", lambda file: Image.fromarray(with_alpha(LIGHT[..., 0])).save(file), over_padding(LIGHT)),
        ("grey-16.png", lambda file: png(file, GREYS, 0), LIGHT),
        ("grey-16.tif", lambda file: cv2.imwrite(str(file), GREYS), LIGHT),
        ("colours-16.png", lambda file: png(file, COLOURS, 2), EIGHT_BITS),
        ("colours-16.tif", lambda file: cv2.imwrite(str(file), COLOURS[..., ::-1]), EIGHT_BITS),
        ("grey-alpha-16.png", lambda file: png(file, with_alpha(GREYS), 4), over_padding(LIGHT)),
        ("alpha-16.png", lambda file: png(file, with_alpha(COLOURS), 6), over_padding(EIGHT_BITS)),
    ],
)
def test_pictures_of_every_kind_have_their_colours(tmp_path, name, write, expected):
    write(tmp_path / name)
    np.testing.assert_array_equal(read_picture(tmp_path / name), expected)


def test_a_jpeg_of_printing_colours(tmp_path):
    photograph().convert("CMYK").save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert np.abs(read_picture(tmp_path / "a.jpg").astype(int) - np.array(photograph())).max() <= 8


def test_a_transparent_colour_of_a_palette_is_padding(tmp_path):
    few_colours().save(tmp_path / "a.png", transparency=3)
    transparent = np.array(few_colours()) == 3
    picture = read_picture(tmp_path / "a.png")
    assert (picture[transparent] == PADDING_RGB).all()
    np.testing.assert_array_equal(picture[~transparent], np.array(few_colours().convert("RGB"))[~transparent])


def test_a_dark_picture_of_eight_bits_is_read(tmp_path):
    save("RGB")(tmp_path / "a.png")
    write_picture(tmp_path / "a.png", EIGHT_BITS // 64)
    assert read_picture(tmp_path / "a.png").max() == 3


def test_sixteen_bits_that_were_not_filled(tmp_path):
    file = tmp_path / "deep.png"
    png(file, COLOURS >> 8, 2)
    with refused("picture", "8 bits stored in 16", match="deep.png: .* no value above 255 of 65535"):
        read_picture(file)
    png(file, GREYS >> 4, 0)
    with refused("picture", "12 bits stored in 16", match="deep.png: .* no value above 4095 of 65535"):
        read_picture(file)
    png(file, with_alpha(COLOURS >> 4), 6)
    with pytest.raises(StudyError, match=r"deep.png: .* no value above 4095 of 65535"):
        read_picture(file)


def test_pixels_that_do_not_say_their_colours(tmp_path):
    file = tmp_path / "heights.tif"
    Image.fromarray(GREYS.astype(np.float32) / 65535).save(file)
    with refused("picture", "floating-point pixels", match=r"heights.tif: its pixels \(Pillow's mode F\) do not say"):
        read_picture(file)
    Image.fromarray(GREYS.astype(np.int32)).save(file)
    with refused("picture", "32-bit pixels", match=r"heights.tif: its pixels \(Pillow's mode I\) do not say"):
        read_picture(file)
    Image.frombytes("LAB", (4, 4), bytes(48)).save(file)
    with refused("picture", "LAB colours", match=r"heights.tif: its pixels \(Pillow's mode LAB\) do not say"):
        read_picture(file)


def tagged(path: Path, tag: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = tag
    photograph().save(path, exif=exif)
    return path


@pytest.mark.parametrize("tag", range(1, 9))
def test_an_orientation_tag_is_followed_only_to_the_size_of_the_labels(tmp_path, tag):
    path = tagged(tmp_path / "tagged.jpg", tag)
    stored = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)[..., ::-1]
    turned = cv2.imread(str(path))[..., ::-1]
    assert picture_size(path) == (160, 120)
    for size in (None, (160, 120), (320, 240)):
        np.testing.assert_allclose(read_picture(path, size), stored, atol=2)
    np.testing.assert_allclose(read_picture(path, (120, 160)), turned if tag > 4 else stored, atol=2)
    with opened(path) as picture:
        assert upright_size(picture) == turned.shape[1::-1]
        np.testing.assert_allclose(np.array(upright(rgb(picture))), turned, atol=2)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0no tags", b"Exif\0\0MM\0*\0\0\0\x08\0\x01", b"x"])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_damaged_tags_are_no_tags(tmp_path, block, suffix):
    path = tmp_path / f"a.{suffix}"
    photograph().save(path, exif=block)
    assert read_picture(path, (120, 160)).shape == (120, 160, 3)


def test_the_tag_of_a_png(tmp_path):
    path = tagged(tmp_path / "a.png", 8)
    np.testing.assert_array_equal(read_picture(path, (120, 160)), np.rot90(np.array(photograph())))


def test_missing_picture(tmp_path):
    for read in (read_picture, picture_size, stamp):
        with refused("picture", "missing", match="gone.jpg: there is no such picture"):
            read(tmp_path / "gone.jpg")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", [{"suffix": "jpg"}, {"suffix": "jpg", "progressive": True}, {"suffix": "png"}])
def test_truncated_picture(tmp_path, share, kind):
    options = dict(kind)
    path = tmp_path / f"cut.{options.pop('suffix')}"
    photograph().save(path, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(StudyError, match=f"{path.name}: not a whole picture") as caught:
        read_picture(path)
    if (kind, share) == ({"suffix": "jpg"}, 0.6):
        holds("picture", "cut short", str(caught.value))


def test_tiffs_of_which_other_programs_make_another_picture(tmp_path):
    file = tmp_path / "deep.tif"
    for what, values, kind in (
        ("16 bits of which 0 is white", GREYS, {"photometric": "miniswhite"}),
        ("16 bits in planes", np.moveaxis(COLOURS, 2, 0), {"photometric": "rgb", "planarconfig": "separate"}),
    ):
        tifffile.imwrite(file, values, **kind)
        with refused("picture", what, match="deep.tif: a TIFF of 16 bits is not read if it has planes or 0 for white"):
            read_picture(file)
    Image.fromarray(EIGHT_BITS).save(file, tiffinfo={ExifTags.Base.Orientation: 6})
    for read in (read_picture, picture_size):
        with refused("picture", "a turned TIFF", match="deep.tif: a TIFF with an orientation tag is not read"):
            read(file)
    tifffile.imwrite(file, 255 - EIGHT_BITS[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_picture(file), LIGHT)


@pytest.mark.parametrize("content", [b"", b"these are words", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"])
def test_not_a_picture(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    for read in (read_picture, picture_size):
        with refused("picture", "another file under a picture's name", match="a.jpg: not a whole picture"):
            read(tmp_path / "a.jpg")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_picture(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(StudyError, match="a.png: No space left on device; free some space"):
        write_picture(tmp_path / "a.png", np.ones((4, 4, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (read_picture(tmp_path / "a.png") == 0).all()
