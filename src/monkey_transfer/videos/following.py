"""One person followed through a video, so that a network sees every frame as it saw the people that it learnt from.

A network that was trained on crops around people, at one size, finds nothing worth having in a whole frame. So each
frame is cut out around the box of the person's joints, scaled to that size, and the joints are mapped back. The box of
a frame is known only once its joints are: it is cut by the box of the frame before, and what comes of it counts if the
frame's own box, that of its own joints, is :func:`nearly` the one that it was cut by. If not, the frame is cut again.

Frames are predicted several at a time, all cut by the last box that is known. They count up to the first whose own box
is another, and the rest is predicted again. How many are tried depends on how many counted the time before. So a person
who moves fast costs predictions, and what is found depends on how many frames go through the network at once by no more
than what is taken for nearly the same.

Of a tree, too, a network is sure of some joints, the more often the less it learnt. So it is asked whether it is as
sure of somebody as it was of people who were held out from it, and where it is less sure than of most of them, a finder
is asked as well, which is a network that others finished (:func:`_is_somebody`).

To find a person in a whole frame costs hundreds of looks. Where nobody is found, the frames that are held are looked at
where the person was last, and else the last of them is searched: if nobody is there either, nobody is in the frames
between, else it is found by halving where somebody comes in. So an empty minute is searched at a few of its frames, and
half a second may be missed of somebody who comes and goes, or moves on while the network is not sure of him.

Nothing is smoothed: a frame's joints are those that the network found in that frame.
"""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.images import Frame, crop, resample
from monkey_transfer.progress import Report
from monkey_transfer.tables import BOX

# x, y (the upper left corner), width and height in pixels of a frame.
Box = tuple[float, float, float, float]
# From RGB pictures (n, side, side, 3), uint8, to (n, keypoints, 3): x, y in their pixels (pixel centres), likelihood.
Predict = Callable[[np.ndarray], np.ndarray]

LAST_FRAME, FINDER, WHOLE_FRAME, NOBODY = "last frame", "finder", "whole frame", "nobody"
# How far the box that a frame is cut by may be from its own, as a share of its longer side, and how many times longer
# or shorter: well within what training varies people by (shifts of up to 0.06 of the crop's side, which is longer than
# the box, either way; scales of which one in three is beyond a factor of 1.2), so that the network knows all of it.
DRIFT = 0.05
GROWTH = 1.1
# How often a frame is cut out anew before its joints count as they are. The box of somebody with a joint that is sure
# in one cut and not in the next never settles.
LOOKS = 3
# Windows of a frame that go through the network at once.
_AT_ONCE = 16
# The smallest of them: so many times the square that the network sees, which would show a person of this share of the
# usual size; and this part of the longer side of the frame, or a frame of film would have thousands.
_SMALLEST, _PARTS = 2 / 3, 8


@dataclass(frozen=True)
class Sight:
    """How a network is to see a person, and what in its answer is one.

    Attributes
    ----------
    predict : the network, for any number of pictures.
    keypoints : the names of what it finds, in its order.
    size, person : side of the square that it sees, and of it the longer side of the person's box, in pixels.
    margin : how far a person's box reaches beyond the outermost joints on every side, as a share of the longer side of
        the joints' box: that of the boxes that the network was trained with.
    sure : the likelihood from which on a joint counts.
    joints : how many joints have to count for a person's box, at least two.
    judged : the keypoints whose mean likelihood says whether somebody is there.
    held_out : that mean for each of the people who were held out from the network, in ascending order.
    """

    predict: Predict
    keypoints: tuple[str, ...]
    size: int
    person: int
    margin: float
    sure: float
    joints: int
    judged: tuple[str, ...]
    held_out: tuple[float, ...]

    def share(self, pose: np.ndarray) -> float:
        """The share of held-out people of whom the network was less sure than it is of this pose (keypoints, 3)."""
        mean = pose[[self.keypoints.index(name) for name in self.judged], 2].mean()
        return bisect_left(self.held_out, mean) / len(self.held_out)

    def look(self, frames: Iterable[np.ndarray], box: Box) -> np.ndarray:
        """(frames, keypoints, 3): x, y in pixels of the frames and likelihood, seen in crops around the box."""
        scale = self.person / max(box[2:])
        return self._seen([(frame, crop(_size(frame), box, scale, self.size)) for frame in frames])

    def search(self, frame: np.ndarray) -> Iterator[Box]:
        """Boxes that may be a person's: in the whole frame, then in smaller and smaller :func:`windows` of it.

        Of the windows of one size it is what the network is surest of; on what shows nobody, or part of somebody at
        another size, it is sure of little.
        """
        for boxes in windows(_size(frame), max(_SMALLEST * self.size, max(_size(frame)) / _PARTS)):
            cuts = [(frame, crop(_size(frame), box, self.size / box[2], self.size)) for box in boxes]
            seen = np.concatenate([self._seen(cuts[i : i + _AT_ONCE]) for i in range(0, len(cuts), _AT_ONCE)])
            pose = seen[seen[:, :, 2].mean(axis=1).argmax()]
            if (box := self.box_of(pose, frame)) is not None:
                yield box

    def _seen(self, cuts: list[tuple[np.ndarray, Frame]]) -> np.ndarray:
        poses = np.array(self.predict(np.stack([resample(*cut) for cut in cuts])), float)
        for pose, (_, made) in zip(poses, cuts, strict=True):
            pose[:, :2] = made.transform.invert(pose[:, :2])
        return poses

    def box_of(self, pose: np.ndarray, frame: np.ndarray) -> Box | None:
        """The box of the joints (keypoints, 3) that count, with its margin; None if that is no person.

        Nobody is a box that is shorter than a pixel, or one that does not lie in the frame by half.
        """
        joints = pose[pose[:, 2] >= self.sure, :2]
        if len(joints) < self.joints:
            return None
        low, high = joints.min(axis=0), joints.max(axis=0)
        margin = self.margin * (high - low).max()
        (x, y), (width, height) = (low - margin).tolist(), (high - low + 2 * margin).tolist()
        return _if_it_fits((x, y, width, height), frame)


class Doubt(NamedTuple):
    """When somebody is there, by the :meth:`Sight.share` of the network and of a finder.

    ``alone``: the least share if there is no finder; ``surely``: the least with which the finder is not asked;
    ``together``: the least of the mean of both, unless the finder sees nobody (:data:`_BLIND`).
    """

    alone: float
    surely: float
    together: float


# A finder sees nobody of whom it is less sure than of all but so many held-out people.
_BLIND = 0.05
# Of somebody who was there a moment ago less is asked, or people of whom the network is now more and now less sure
# would come and go.
NEWCOMER, FOLLOWED = Doubt(alone=0.05, surely=0.5, together=0.1), Doubt(alone=0.02, surely=0.2, together=0.05)


class Found(NamedTuple):
    """What is known of a frame: the pose (keypoints, 3), the box of its own joints, and how it was found."""

    pose: np.ndarray
    box: Box | None
    by: str


def follow(
    frames: Iterable[np.ndarray],
    of: int,
    sight: Sight,
    finder: Sight | None = None,
    batch: int = 16,
    report: Report = lambda *_: None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The poses of one person in the frames of a video, and how the person was found in each.

    A frame is cut by the last box of the person. Where nobody is found by that, the finder and the network itself
    search the whole frame (:meth:`Sight.search`); of all that the network finds by these, it is the one of which it is
    surest. Where it finds nobody, nobody is there. Nothing is smoothed, and nothing filled in.

    Parameters
    ----------
    frames : (height, width, 3), RGB, uint8, all of one size, such as a :class:`monkey_transfer.videos.reading.Video`.
    of : how many there are, for ``report``.
    finder : another network, which looks for people where nobody is followed, and is asked where the network is not
        sure that somebody is there.
    batch : the most frames that are held, and go through the network at once.
    report : called as ``report(frames done, of)`` now and then.

    Returns
    -------
    poses : ``frame`` (counted from 0), ``keypoint``, ``x``, ``y`` (pixels of the frame, from the centre of the upper
        left one, right and down), ``likelihood``; a row for each keypoint of each frame, NaN where nobody is.
    people : ``frame``, ``bbox_x``, ``bbox_y``, ``bbox_w``, ``bbox_h`` (the box of that frame's own joints with its
        margin, NaN where nobody is), ``found_by``: 'last frame', 'finder', 'whole frame' or 'nobody'.
    """
    found: list[Found] = []
    for one in _followed(iter(frames), sight, finder, batch):
        found.append(one)
        report(len(found), of)
    count = len(sight.keypoints)
    numbers = np.arange(len(found))
    poses = pd.DataFrame(
        {"frame": numbers.repeat(count), "keypoint": np.tile(np.array(sight.keypoints, object), len(found))}
    )
    poses[["x", "y", "likelihood"]] = np.reshape([one.pose for one in found], (-1, 3))
    people = pd.DataFrame({"frame": numbers})
    people[BOX] = np.reshape([one.box or [np.nan] * 4 for one in found], (-1, 4))
    return poses, people.assign(found_by=[one.by for one in found])


def nearly(box: Box, other: Box) -> bool:
    """Whether a network sees the same person by either box: :data:`DRIFT` and :data:`GROWTH`."""
    length, longer = max(box[2:]), max(other[2:])
    moved = math.hypot(*(box[i] + box[i + 2] / 2 - other[i] - other[i + 2] / 2 for i in (0, 1)))
    return moved <= DRIFT * longer and longer / GROWTH <= length <= longer * GROWTH


def _followed(source: Iterator[np.ndarray], sight: Sight, finder: Sight | None, batch: int) -> Iterator[Found]:
    """What is found in one frame after the other."""
    waiting: deque[np.ndarray] = deque()
    box: Box | None = None
    tried = 1
    while True:
        waiting.extend(islice(source, batch - len(waiting)))
        if not waiting:
            return
        back = 0
        counted = [] if box is None else _counting(list(islice(waiting, tried)), box, sight, finder)
        if counted:
            tried = min(batch, 2 * tried if len(counted) == tried else len(counted) + 1)
        else:
            counted, tried = [_alone(waiting[0], box, sight, finder)], 1
            if counted[0].box is None:
                back = _back_again(waiting, box, sight, finder)
                counted *= back or _first_with_somebody(waiting, sight, finder)
        if not back:  # else the next frame is cut by the same box
            box = counted[-1].box
        for one in counted:
            waiting.popleft()
            yield one


def _back_again(frames: Sequence[np.ndarray], last: Box | None, sight: Sight, finder: Sight | None) -> int:
    """The number of the next frame in which the person, who is not found in the first, is where he was last; 0 if he is
    not there again. So who was not sure enough for a moment is not lost for longer."""
    if last is None:
        return 0
    numbers = range(1, len(frames))
    return next((number for number in numbers if _settled(frames[number], last, sight, finder, FOLLOWED)), 0)


def _first_with_somebody(frames: Sequence[np.ndarray], sight: Sight, finder: Sight | None) -> int:
    """The number of the first frame in which somebody is, where nobody is in the first of all; found by halving.

    It is the number of frames where nobody is in the last one either.
    """
    empty, there = 0, len(frames) - 1
    if there == 0 or _alone(frames[there], None, sight, finder).box is None:
        return len(frames)
    while there - empty > 1:
        middle = (empty + there) // 2
        if _alone(frames[middle], None, sight, finder).box is None:
            empty = middle
        else:
            there = middle
    return there


def _counting(frames: list[np.ndarray], box: Box, sight: Sight, finder: Sight | None) -> list[Found]:
    """What is found in the frames by one box, up to the first whose own box is another one or none."""
    counted = []
    for frame, pose in zip(frames, sight.look(frames, box), strict=True):
        own = sight.box_of(pose, frame)
        if own is None or not nearly(own, box) or not _is_somebody(frame, pose, own, sight, finder, FOLLOWED):
            break
        counted.append(Found(pose, own, LAST_FRAME))
    return counted


def _alone(frame: np.ndarray, last: Box | None, sight: Sight, finder: Sight | None) -> Found:
    """What is found in a frame by itself, by the last box of the person or by another way."""
    if last is not None and (found := _settled(frame, last, sight, finder, FOLLOWED)):
        return Found(*found, LAST_FRAME)
    searched = [(FINDER, box) for box in finder.search(frame)] if finder else []
    searched += [(WHOLE_FRAME, box) for box in sight.search(frame)]
    settled = [Found(*found, by) for by, box in searched if (found := _settled(frame, box, sight, finder, NEWCOMER))]
    # Part of a person, seen at a size at which it fills the crop, is a person of whom the network is less sure.
    if settled:
        return max(settled, key=lambda found: found.pose[:, 2].mean())
    return Found(np.full((len(sight.keypoints), 3), np.nan), None, NOBODY)


def _settled(
    frame: np.ndarray, around: Box, sight: Sight, finder: Sight | None, doubt: Doubt
) -> tuple[np.ndarray, Box] | None:
    """The pose in a frame and its own box, once that is nearly the one that the frame was cut by; None for nobody."""
    box = _if_it_fits(around, frame)
    for look in range(LOOKS):
        if box is None:
            break
        (pose,) = sight.look([frame], box)
        own = sight.box_of(pose, frame)
        if own is not None and (nearly(own, box) or look == LOOKS - 1):
            return (pose, own) if _is_somebody(frame, pose, own, sight, finder, doubt) else None
        box = own
    return None


def _is_somebody(
    frame: np.ndarray, pose: np.ndarray, box: Box, sight: Sight, finder: Sight | None, doubt: Doubt
) -> bool:
    """Whether what the network found in a frame is a person."""
    share = sight.share(pose)
    if finder is None:
        return share >= doubt.alone
    if share >= doubt.surely:
        return True
    (seen,) = finder.look([frame], box)
    seen_share = finder.share(seen)
    return seen_share >= _BLIND and (share + seen_share) / 2 >= doubt.together


def windows(size: tuple[int, int], smallest: float) -> Iterator[list[Box]]:
    """Squares that cover a picture of that (width, height): one as long as its longer side, around it; then squares
    whose side is shorter by the root of two, and so on down to the ``smallest`` side in pixels, each half a square or
    less from the next."""
    side = float(max(size))
    while True:
        places = []
        for length in size:
            steps = math.ceil(2 * max(0.0, length - side) / side)
            first, last = (-0.5, length - side - 0.5) if steps else ((length - side) / 2 - 0.5,) * 2
            places.append(np.linspace(first, last, steps + 1).tolist())
        yield [(x, y, side, side) for y in places[1] for x in places[0]]
        side /= math.sqrt(2)
        if side < smallest:
            return


def _size(frame: np.ndarray) -> tuple[int, int]:
    return frame.shape[1], frame.shape[0]


def _if_it_fits(box: Box, frame: np.ndarray) -> Box | None:
    """The box if it can be that of a person in the frame: at least a pixel long, and half of each side within."""
    if not np.isfinite(box).all():
        return None
    x, y, width, height = box
    across, down = (
        min(start + length, side - 0.5) - max(start, -0.5)
        for start, length, side in zip((x, y), (width, height), _size(frame), strict=True)
    )
    return box if max(width, height) >= 1 and across >= width / 2 and down >= height / 2 else None
