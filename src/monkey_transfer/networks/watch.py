"""The process in which a network watches a video: ``python -m monkey_transfer.networks.watch <folder>``.

The folder is that of a job whose network is finished, and holds ``watch.json`` (:class:`Watch`) beside. A folder
``finder`` in it, if there is one, holds the same for the finder of :func:`monkey_transfer.videos.following.follow`.
What the network saw is left in ``poses.parquet`` and ``people.parquet``, the tables of that function.
"""

import os
import sys
from functools import partial
from pathlib import Path

from monkey_transfer import tables
from monkey_transfer.networks.child import main
from monkey_transfer.networks.engines import engine_of
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.progress import Reporter
from monkey_transfer.settings import Settings
from monkey_transfer.videos.following import Sight, follow
from monkey_transfer.videos.reading import open_video


class Watch(Settings):
    """How a network is to see a video: the file, and what :class:`monkey_transfer.videos.following.Sight` says."""

    video: str
    size: int
    person: int
    margin: float
    sure: float
    joints: int
    judged: tuple[str, ...]
    held_out: tuple[float, ...]


def do(folder: JobFolder) -> None:
    """Follow the person in the video of a job."""
    report = Reporter(folder.progress)
    report("starting", 0, 1)
    asked, sight = _opened(folder)
    other = JobFolder(folder.path / "finder")
    finder = _opened(other)[1] if other.job.is_file() else None
    video = open_video(asked.video)
    poses, people = follow(video, video.frames, sight, finder, report=partial(report, "watching"))
    tables.write(poses, folder.path / "poses.parquet")
    tables.write(people, folder.path / "people.parquet")


def _opened(folder: JobFolder) -> tuple[Watch, Sight]:
    """What is asked of a network, and the network as it sees."""
    asked = Watch.model_validate_json((folder.path / "watch.json").read_text(encoding="utf-8"))
    engine = engine_of(folder.read()[0].training)
    os.environ.update(engine.environment)  # it is read when the engine's packages are loaded, which is below
    network, _ = engine.finished(folder)
    seen = asked.model_dump(exclude={"video"})
    return asked, Sight(network.poses, tuple(network.keypoints), **seen)


if __name__ == "__main__":
    main(JobFolder(Path(sys.argv[1])), do)
