"""Videos are read frame by frame as DeepLabCut reads them, and one that cannot be is said before anything starts."""

import itertools

import cv2
import numpy as np
import pytest
from bad_input import refused
from drawn_videos import ffmpeg, write_video

from monkey_transfer.errors import StudyError
from monkey_transfer.videos.reading import open_video

FRAMES, STEP = 24, 10
# More than one group of frames that hang together, and frames that hang on later ones.
GROUPS = ("-c:v", "libx264", "-g", "10", "-bf", "2", "-pix_fmt", "yuv420p")
FORMATS = {
    "a.mp4": GROUPS,
    "end first.mov": (*GROUPS, "-movflags", "+faststart"),
    "a.avi": ("-c:v", "mjpeg"),
    "b.avi": ("-c:v", "mpeg4"),
    "c.avi": GROUPS,  # which does not say when a frame is shown
    "a.mkv": GROUPS,
    "a.webm": ("-c:v", "libvpx", "-auto-alt-ref", "1"),
    "a.ts": GROUPS,
    "50%d.mp4": GROUPS,
}


def greys(count: int = FRAMES, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Each frame is brighter than the one before, and dark at the top."""
    frames = [np.full((height, width, 3), STEP * number, np.uint8) for number in range(count)]
    for frame in frames:
        frame[:10] //= 2
    return frames


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "a.mp4", greys(), *GROUPS, "-movflags", "+faststart")


def as_opencv_reads(path):
    """The loop of DeepLabCut's `VideoReader.read_frame`."""
    reader, frames = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        frames.append(read[1][..., ::-1])
    return frames


@pytest.mark.parametrize("name", FORMATS)
def test_every_frame_once_in_order(name, tmp_path):
    path = write_video(tmp_path / name, greys(), *FORMATS[name], rate="30000/1001")
    video = open_video(path)
    frames = list(video)
    assert (video.width, video.height, video.frames, len(frames)) == (64, 48, FRAMES, FRAMES)
    assert video.frames_per_second == pytest.approx(30000 / 1001, abs=0.01)
    assert video.steady
    brightness = [frame[40:].mean() for frame in frames]
    assert brightness == pytest.approx([STEP * number for number in range(FRAMES)], abs=4)
    assert frames[-1][:5].mean() == pytest.approx(STEP * (FRAMES - 1) / 2, abs=4)  # the top is at the top
    assert all(frame.shape == (48, 64, 3) and frame.dtype == np.uint8 for frame in frames)
    assert np.array_equal(frames, as_opencv_reads(path))


def test_colours_are_in_the_order_red_green_blue(tmp_path):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 250
    (frame,) = open_video(write_video(tmp_path / "a.mp4", [red]))
    assert frame.mean(axis=(0, 1)) == pytest.approx([250, 0, 0], abs=4)


def test_a_video_can_be_read_again_and_in_part(video):
    video = open_video(video)
    first = [frame.mean() for frame in itertools.islice(video, 5)]
    assert [frame.mean() for frame in video][:5] == first


def test_a_clip_trimmed_as_phones_do_it_has_the_frames_that_are_shown(tmp_path):
    """The file still holds those before; they are needed to decode the others, and OpenCV's count has them."""
    video = write_video(tmp_path / "a.mp4", greys(), *GROUPS, "-g", "99", "-sc_threshold", "0")
    ffmpeg("-ss", "0.56", "-i", video, "-c", "copy", tmp_path / "clip.mp4")
    clip = open_video(tmp_path / "clip.mp4")
    frames = list(clip)
    assert cv2.VideoCapture(str(clip.path)).get(cv2.CAP_PROP_FRAME_COUNT) > clip.frames == len(frames) == 10
    assert frames[0][40:].mean() == pytest.approx(STEP * 14, abs=4)
    assert np.array_equal(frames, as_opencv_reads(clip.path))


def test_sound_that_is_longer_is_no_promise_of_frames(video, tmp_path):
    sound = ("-f", "lavfi", "-i", "sine=duration=3")
    ffmpeg("-i", video, *sound, "-c:v", "copy", tmp_path / "a.mkv")
    assert cv2.VideoCapture(str(tmp_path / "a.mkv")).get(cv2.CAP_PROP_FRAME_COUNT) > FRAMES
    assert open_video(tmp_path / "a.mkv").frames == len(list(open_video(tmp_path / "a.mkv"))) == FRAMES


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_frames_that_come_at_no_steady_rate_are_numbered_as_they_are_stored(video, ending, tmp_path):
    gaps = ("-vf", "select='not(between(n,8,13))'", "-fps_mode", "vfr", "-c:v", "libx264")
    ffmpeg("-i", video, *gaps, tmp_path / f"gaps.{ending}")
    gaps = open_video(tmp_path / f"gaps.{ending}")
    stored = [number for number in range(FRAMES) if not 8 <= number <= 13]
    assert [frame[40:].mean() for frame in gaps] == pytest.approx([STEP * number for number in stored], abs=4)
    assert not gaps.steady
    assert gaps.frames_per_second == pytest.approx((len(stored) - 1) / (23 / 25), rel=1e-3)


def test_the_picture_of_a_cover_is_no_frame(video, tmp_path):
    cv2.imwrite(str(tmp_path / "cover.png"), greys(1, 100, 100)[0])
    cover = ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", video, "-i", tmp_path / "cover.png", *cover, tmp_path / "film.mp4")
    film = open_video(tmp_path / "film.mp4")
    assert (film.width, film.frames, len(list(film))) == (64, FRAMES, FRAMES)


def test_a_single_frame_is_a_video(tmp_path):
    assert open_video(write_video(tmp_path / "a.mp4", greys(1))).frames == 1


def refuses(what: str, path, match: str):
    with refused("video", what, match=match):
        open_video(path)


def test_what_is_no_video(video, tmp_path):
    refuses("not there", tmp_path / "b.mp4", match="b.mp4: there is no such file")
    (tmp_path / "notes.mp4").write_text("Frames of Monday")
    refuses("another kind of file", tmp_path / "notes.mp4", match="no video, or one whose beginning or end is missing")
    for name, content in {"empty.mp4": b"", "header.mp4": video.read_bytes()[:900]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(StudyError, match=f"{name}: no video"):
            open_video(tmp_path / name)
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", tmp_path / "sound.mp4")
    refuses("without frames", tmp_path / "sound.mp4", match="sound.mp4: no video")


def cut(path, name: str, share: float = 0.6):
    content = path.read_bytes()
    (path.parent / name).write_bytes(content[: int(share * len(content))])
    return path.parent / name


@pytest.mark.parametrize("share", [0.5, 0.8, 0.97])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_video_that_is_cut_short_is_seen_before_it_is_read(name, share, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (FRAMES, 48, 64, 3), dtype=np.uint8)
    whole = write_video(tmp_path / name, noise, *FORMATS[name], *(("-movflags", "+faststart") * (name == "a.mp4")))
    assert open_video(whole).frames == FRAMES
    with pytest.raises(StudyError, match=r"cut short or damaged \(FFmpeg: .+\), \d+ frames are there: copy it again"):
        open_video(cut(whole, f"cut {name}", share))


def test_a_video_that_is_cut_short(tmp_path):
    whole = write_video(tmp_path / "walk.avi", greys(), "-c:v", "mjpeg")
    refuses("cut short", cut(whole, "walk 2.avi"), match=r"ffmpeg -i 'walk 2.avi' -crf 12 'walk 2-whole.mp4'")
    recording = write_video(tmp_path / "a.mp4", greys(), *GROUPS)  # what is needed to open it comes last
    refuses("cut short, its end needed to open it", cut(recording, "recording.mp4"), match="recording.mp4: no video")


def test_a_frame_that_cannot_be_decoded(tmp_path):
    content = bytearray(write_video(tmp_path / "a.avi", greys(), "-c:v", "mjpeg").read_bytes())
    start = [at for at in range(len(content)) if content[at : at + 3] == b"\xff\xd8\xff"][20]
    content[start : start + 300] = bytes(300)
    (tmp_path / "a.avi").write_bytes(content)
    video = open_video(tmp_path / "a.avi")
    with refused(
        "video",
        "a frame that cannot be decoded",
        match="lists 24 frames, but frame 20, counted from 0, cannot be decoded",
    ):
        list(video)


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_video_that_is_to_be_shown_turned(video, turned, tmp_path):
    ffmpeg("-display_rotation", turned, "-i", video, "-c", "copy", tmp_path / "phone.mp4")
    with pytest.raises(StudyError, match=f"turned by {360 - turned} degrees.+write it upright: ffmpeg -i phone.mp4"):
        open_video(tmp_path / "phone.mp4")
    if turned == 90:
        refuses("to be shown turned", tmp_path / "phone.mp4", match="stored on its side or upside down")
    ffmpeg("-i", tmp_path / "phone.mp4", "-crf", "12", tmp_path / "phone-upright.mp4")  # as the sentence says
    upright = open_video(tmp_path / "phone-upright.mp4")
    assert (upright.width > upright.height) == (turned == 180)


@pytest.mark.parametrize("kind, name", [(("-c:v", "mjpeg"), "call.mkv"), (GROUPS, "call.mp4")], ids=["mjpeg", "h264"])
def test_frames_that_change_their_size(kind, name, tmp_path):
    """Of which OpenCV makes nonsense without a word."""
    raw = {"mjpeg": "mjpeg", "libx264": "h264"}[kind[1]]
    parts = [
        write_video(tmp_path / f"{width}.{raw}", greys(10, width, height), *kind).read_bytes()
        for width, height in ((64, 48), (96, 64))
    ]
    (tmp_path / f"call.{raw}").write_bytes(b"".join(parts))
    ffmpeg("-i", tmp_path / f"call.{raw}", "-c", "copy", tmp_path / name)
    with pytest.raises(StudyError, match=f"{name}: its frames change their size"):
        open_video(tmp_path / name)
    if name == "call.mkv":
        refuses("frames of several sizes", tmp_path / name, match="write them all in one: ffmpeg -i call.mkv")
