"""A study of three people, small enough for a pencil: what a network predicts is a letter for each joint.

Ann, Bob and Cid are tested. A letter says by how much a prediction is off and how sure the network was; distances are
those of 3-4-5 triangles. With heads of 10 pixels (Ann) and 20 (Bob and Cid), half a head is 5 pixels for Ann and 10 for
the two others, so that each letter is

======  =============  ========  ==========  ====================  ==========================================
letter  off by         distance  confidence  Ann                   Bob, Cid
======  =============  ========  ==========  ====================  ==========================================
``.``   (0, 0)         0         0.875       correct               correct
``t``   (1.5, 2)       2.5       0.875       correct (0.25 heads)  correct (0.125 heads)
``n``   (3, 4)         5         0.75        correct (0.5 heads)   correct (0.25 heads)
``b``   the same and a ten millionth, which a prediction that is kept in single precision does not hold
``o``   (6, 8)         10        0.5         jitter (1 head)       correct (0.5 heads)
``f``   (12, 16)       20        0.25        miss (2 heads)        jitter (1 head)
``m``   (30, 40)       50        0.125       miss (5 heads)        miss (2.5 heads); of a right wrist it is the pelvis
``s``   other wrist    40        0.875       swap (4 heads)        swap (Bob 50 px, Cid 80 px)
``-``   the network does not have the joint
======  =============  ========  ==========  ====================  ==========================================

Ann and Bob have a head top, a right and a left wrist and a pelvis, in that order; Cid two wrists. So there are ten
labelled joints, eight of which a PCK counts. Ann's and Bob's pictures are 128 pixels wide, Cid's 256; networks see 64,
the benchmark 128: a pixel of theirs is half a pixel there, a quarter, and one and a half for the benchmark.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure import scores
from monkey_transfer.measure.budgets import budgets
from monkey_transfer.measure.comparisons import comparisons
from monkey_transfer.measure.leaks import audited
from monkey_transfer.measure.results import Results, measure
from monkey_transfer.metrics.bootstrap import replicate
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.study import runs
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.study.splits import Draw, Split

HUMAN = Skeleton("hand_human", tuple((name, name) for name in ("head_top", "right_wrist", "left_wrist", "pelvis")))
MONKEY = Skeleton("hand_monkey", tuple((name, name) for name in ("right_wrist", "left_wrist", "tail")))

OFF_BY = {
    ".": (0, 0),
    "t": (1.5, 2),
    "n": (3, 4),
    "b": (3 + 1e-7, 4),
    "o": (6, 8),
    "f": (12, 16),
    "m": (30, 40),
}
SURE = {".": 0.875, "t": 0.875, "n": 0.75, "b": 0.75, "o": 0.5, "f": 0.25, "m": 0.125, "s": 0.875}
_OTHER_WRIST = {"right_wrist": "left_wrist", "left_wrist": "right_wrist"}


class Person(NamedTuple):
    """Somebody's picture and labels: joints in the skeleton's order, None where unlabelled; lengths in pixels."""

    joints: tuple[tuple[float, float] | None, ...]
    lengths: dict[str, float]
    width: int = 128
    group: str = ""
    picture: str = ""  # that of somebody else


# Ann's wrists are level, Bob's rise by 3 for every 4 to the side, Cid's are one above the other.
TESTED = {
    "ann": Person(((60, 20), (40, 60), (80, 60), (70, 100)), {"head_size": 10, "head_segment": 20, "bbox_length": 80}),
    "bob": Person(
        ((80, 20), (60, 60), (100, 90), (90, 100)), {"head_size": 20, "head_segment": 16, "bbox_length": 100}
    ),
    "cid": Person((None, (80.5, 120.5), (80.5, 200.5), None), {"head_size": 20, "bbox_length": 160}, width=256),
}


def moved(x: float, y: float, group: str = "", picture: str = "") -> Person:
    """Ann's pose elsewhere in a picture, with a head of 10 pixels."""
    joints = tuple((a + x, b + y) for a, b in ((60, 20), (40, 60), (80, 60), (70, 100)))
    return Person(joints, {"head_size": 10, "bbox_length": 80}, group=group, picture=picture)


# The three whom a seed learns first are moved by (0, 0) on average, by (20, 0) with seed 1 and (-20, 0) with seed 2.
POOL = {
    "dan": moved(-4, -3),
    "eve": moved(0, 0),
    "fay": moved(4, 3),
    "gus": moved(20, 0),
    "hal": moved(12, 6),
    "ian": moved(28, -6),
    "jon": moved(-20, 0),
    "kim": moved(-12, 5),
    "lea": moved(-28, -5),
    "max": moved(0, 0, group="bob"),
    "ned": moved(0, 0, picture="ann"),
}
DRAWS = {
    0: Draw(0, ("max", "ned"), ("dan", "eve", "fay", "gus", "hal", "ian", "jon"), 0),
    1: Draw(1, ("eve", "max"), ("gus", "hal", "ian", "jon", "kim", "lea", "dan"), 0),
    2: Draw(2, ("hal", "max"), ("jon", "kim", "lea", "dan", "eve", "fay", "ned"), 0),
}
_MONKEY = Person(((40, 60), (80, 60), (60, 100)), {"bbox_length": 100})
MONKEYS = {
    "m1": _MONKEY,
    "m2": _MONKEY,
    "m3": _MONKEY,
    "m4": _MONKEY,
    "m5": _MONKEY._replace(picture="cid", width=256),
}
MONKEY_DRAWS = {
    0: Draw(0, ("m5",), ("m1", "m2"), 0),
    1: Draw(1, ("m5",), ("m2", "m3"), 0),
    2: Draw(2, ("m5",), ("m3", "m1"), 0),
}
# Zoe is in Dan's picture, Yan in that of a monkey; a torso of 50 pixels, so that 10 are correct.
ELSEWHERE = {
    "zoe": Person(((60, 20), (40, 60), (80, 60), (70, 100)), {"torso": 50}, picture="dan"),
    "yan": Person((None, (40, 60), (80, 60), None), {"torso": 50}, picture="m1"),
}


class Cast(NamedTuple):
    """Who may be learnt besides those who are tested, and whom each seed learns of them."""

    pool: Mapping[str, Person] = POOL
    draws: Mapping[int, Draw] = DRAWS
    monkeys: Mapping[str, Person] = MONKEYS
    monkey_draws: Mapping[int, Draw] = MONKEY_DRAWS


CAST = Cast()


class Letters(NamedTuple):
    """What a network of one seed predicts of Ann, Bob and Cid, and of the person on whom its threshold is chosen."""

    tested: str
    threshold: str = "...."


Predicted = Mapping[tuple[str, int], tuple[Letters, ...]]
# Arm and number of images -> its three seeds.
PREDICTED: Predicted = {
    ("baseline", 2): (Letters("-.s- -ss- .m", "-ff-"), *[Letters("-.s- -ss- .m", "-..-")] * 2),
    ("benchmark", 7): (Letters(".... fff. .."),) * 3,
    ("transfer", 1): (Letters(".... .ff. ff"),) * 3,
    ("transfer", 3): (
        Letters("..o. .t.. .n", "...f"),
        Letters(".oon .... n.", "..bf"),
        Letters("b.s. ..m. s.", "onon"),
    ),
    ("scratch_control", 1): (Letters("fff. fff. .f"),) * 3,
    ("scratch_control", 3): (
        Letters(".ff. ..f. .m"),
        Letters(".o.n f... nf", "nfff"),
        Letters("fms. n.m. sn", "ooo."),
    ),
    ("scratch_control", 7): (Letters(".... .... ff"),) * 3,
}
# Of the held-out monkey, and of the people of another data set.
OF_THE_MONKEY = "nfm"
OF_OTHERS = {"baseline": "-.s- ..", "benchmark": ".... ..", "transfer": "..o. ff", "scratch_control": "fff. .."}
ITERATIONS = {
    ("baseline", 2): (100, 200, 300),
    ("benchmark", 7): (90, 90, 90),
    ("transfer", 1): (10, 10, 10),
    ("transfer", 3): (50, 50, 80),
    ("scratch_control", 1): (20, 20, 20),
    ("scratch_control", 3): (60, 60, 60),
    ("scratch_control", 7): (70, 70, 70),
    ("scratch_longer", 3): (130, 130, 130),
}
# Validation scores in percent and errors in pixels after 10, 20 and 30 iterations. By its score transfer comes up to
# the control's best after 20, 10 and never; by its error it would after 10, 30 and 10.
CURVES = {
    "scratch_control": (((30, 40, 50), (9, 8, 7)),) * 3,
    "transfer": (((45, 50, 55), (7, 8, 9)), ((60, 20, 20), (9, 8, 7)), ((10, 20, 40), (6, 8, 9))),
}
_CURVE = ((20, 30, 25), (9, 7, 8))

_DATA: dict[str, Any] = {"format": "synthetic", "species": "human", "images": 14, "size": 128}
TRAINING: dict[str, Any] = {
    "net_type": "mobilenet_v2_0.35",
    "batch_size": 4,
    "iterations": 90,
    "multi_step": [[0.005, 90]],
    "global_scale": 1.0,
    "augmentation": {"scale_jitter_lo": 1.0},
}
ARMS: dict[str, dict[str, Any]] = {
    "baseline": {"learns": "source", "images": 2, "init": "scratch"},
    "benchmark": {
        "learns": "target",
        "images": 7,
        "init": "scratch",
        "picture": {"framing": "whole", "size": 128},
    },
    "transfer": {
        "learns": "target",
        "images": [1, 3],
        "init": "arm:baseline",
        "against": {"scratch_control": "Do monkeys help?", "benchmark": "Do they beat many people?"},
    },
    "scratch_control": {"learns": "target", "images": [1, 3, 7], "init": "scratch"},
}
# Enough people for intervals: ten like each, of 27.8 groups of one size. By letters of the large numbers of images each
# seed does the same, so that transfer - scratch_control is two joints of each Ann, one fewer of each Bob and one more
# of each Cid; transfer - scratch_longer one more of each Ann and one fewer of each Bob; transfer - benchmark one fewer
# of everybody. With one image seeds differ: 37.5, 25 and 12.5 % of transfer, 12.5, 25 and 0 % of its control.
COPIES = 10
ENOUGH: Predicted = {
    ("baseline", 2): (Letters("-ff- -ff- .f", "-..-"),) * 3,
    ("benchmark", 7): (Letters(".... .... .."),) * 3,
    ("transfer", 1): (Letters("..f. .ff. ff"), Letters(".ff. .ff. ff"), Letters(".ff. fff. ff")),
    ("transfer", 3): (Letters("..f. ..f. .f"),) * 3,
    ("scratch_control", 1): (Letters(".ff. fff. ff"), Letters(".ff. .ff. ff"), Letters("fff. fff. ff")),
    ("scratch_control", 3): (Letters("fff. .... ff"),) * 3,
    ("scratch_longer", 3): (Letters(".ff. .... .f"),) * 3,
}
ENOUGH_ARMS: dict[str, dict[str, Any]] = {
    **{name: ARMS[name] for name in ("baseline", "benchmark")},
    "transfer": {
        **ARMS["transfer"],
        "against": {
            "scratch_control": "Do monkeys help?",
            "scratch_longer": "More than longer training?",
            "benchmark": "Do they beat many people?",
        },
    },
    "scratch_control": {**ARMS["scratch_control"], "images": [1, 3]},
    "scratch_longer": {**ARMS["scratch_control"], "images": 3},
}
# The benchmark is a finished network of the zoo.
FINISHED_BENCHMARK = ARMS | {
    "benchmark": {
        "learns": "nothing",
        "init": "zoo:full_human",
        "picture": {"framing": "whole", "size": 128},
        "training": {**TRAINING, "net_type": "resnet_101"},
    }
}
PROFILE: dict[str, Any] = {
    "name": "by_hand",
    "title": "Worked out by hand",
    "source": {"data": {**_DATA, "species": "macaque"}, "test": 1},
    "target": {"data": _DATA, "test": 3},
    "elsewhere": {"data": {**_DATA, "seed": 1}, "test": 2, "yardstick": "torso"},
    "picture": {"framing": "whole", "size": 64},
    "yardstick": "head_size",
    "seeds": [0, 1, 2],
    "smallest_validation": 1,
}


def profile(arms: Mapping[str, dict] = ARMS, **changed: object) -> Profile:
    """The study's profile, with some keys changed."""
    trained = {name: {"training": TRAINING, **arm} for name, arm in arms.items()}
    return Profile.model_validate({**PROFILE, "arms": trained, **changed})


@contextmanager
def opened(
    folder: Path,
    chosen: Profile | None = None,
    predicted: Predicted = PREDICTED,
    copies: int = 1,
    cast: Cast = CAST,
) -> Iterator[Study]:
    """The study with all its runs finished, as long as the context lasts.

    Parameters
    ----------
    copies : how many people there are like Ann, like Bob and like Cid, each a group of their own.
    """
    with _runs_in(folder / "runs"):
        study = _study(folder, chosen or profile(), copies, cast)
        for point, of_seeds in predicted.items():
            for seed, letters in zip(study.profile.seeds, of_seeds, strict=False):
                _finish(study, study.runs_of(point[0], seed, point[1])[0], letters)
        yield study


@contextmanager
def resampled(times: int) -> Iterator[None]:
    """What is measured as long as the context lasts takes so many resamples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "replicate", lambda arms, groups, _, seed: replicate(arms, groups, times, seed))
        yield


@contextmanager
def measured() -> Iterator[Results]:
    """The study of three people, measured; once for all tests of a process. Of three people no interval is printed."""
    with resampled(10):
        folder, results = _measured()
        with _runs_in(Path(folder.name) / "runs"):
            yield results


@contextmanager
def enough() -> Iterator[Results]:
    """The study of three times ten people, PCK alone; once for all tests of a process."""
    folder, results = _enough()
    with _runs_in(Path(folder.name) / "runs"):
        yield results


@cache
def _enough() -> tuple[tempfile.TemporaryDirectory, Results]:
    folder = tempfile.TemporaryDirectory()
    asked = profile(ENOUGH_ARMS, margin=20, elsewhere=None)
    with opened(Path(folder.name), asked, ENOUGH, COPIES) as study:
        found = scores.Scores(scores.read_scores(study).runs, pck_scores)
        people = partial(scores.people_of, study)
        return folder, Results(
            study, found, found.table(people), comparisons(study, found), budgets(study), audited(study)
        )


@cache
def _measured() -> tuple[tempfile.TemporaryDirectory, Results]:
    folder = tempfile.TemporaryDirectory()
    with opened(Path(folder.name)) as study:
        return folder, measure(study)


def with_data(
    study: Study, profile: Profile | None = None, source: pd.DataFrame | None = None, target: pd.DataFrame | None = None
) -> Study:
    """The same people drawn by the same seeds, with another profile or other images tables."""
    data = {"source": study.source, "target": study.target}
    for role, images in {"source": source, "target": target}.items():
        if images is not None:
            data[role] = replace(data[role], images=images)
    changed = Study(profile or study.profile, data["source"], data["target"], study.elsewhere)
    changed.__dict__.update({name: study.__dict__[name] for name in ("splits", "draws")})
    return changed


def errors_of(person: Person, letters: str, skeleton: Skeleton = HUMAN) -> dict[str, tuple[float, float]]:
    """Keypoint -> (dx, dy) of what the letters say of a person's labelled joints."""
    labelled = {name: place for name, place in zip(skeleton.keypoints, person.joints, strict=True) if place}
    chosen = zip(labelled, letters, strict=True)
    return {name: _off_by(labelled, name, letter) for name, letter in chosen if letter != "-"}


def _off_by(labelled: dict[str, tuple[float, float]], name: str, letter: str) -> tuple[float, float]:
    if letter != "s":
        return OFF_BY[letter]
    (x, y), (other_x, other_y) = labelled[name], labelled[_OTHER_WRIST[name]]
    return other_x - x, other_y - y


@contextmanager
def _runs_in(folder: Path) -> Iterator[None]:
    before = os.environ.get("MONKEY_TRANSFER_RUNS")
    os.environ["MONKEY_TRANSFER_RUNS"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["MONKEY_TRANSFER_RUNS"]
        else:
            os.environ["MONKEY_TRANSFER_RUNS"] = before


def _study(folder: Path, chosen: Profile, copies: int, cast: Cast) -> Study:
    everybody = {**TESTED, **cast.pool, **cast.monkeys}
    pictures = _pictures(folder, {name: person.width for name, person in everybody.items() if not person.picture})
    tested = {f"{name}{copy or ''}": name for copy in range(copies) for name in TESTED}
    people = {
        **{name: TESTED[like]._replace(picture=TESTED[like].picture or like) for name, like in tested.items()},
        **cast.pool,
    }
    left_out = pd.DataFrame(
        [("ron", "", "no head"), ("cid", "head_top", "outside"), ("cid", "pelvis", "outside")],
        columns=["image_id", "keypoint", "reason"],
    )
    study = Study(
        chosen,
        _dataset("monkeys by hand", MONKEY, cast.monkeys, pictures),
        _dataset("people by hand", HUMAN, people, pictures, left_out=left_out),
        _dataset("others by hand", HUMAN, ELSEWHERE, pictures) if chosen.elsewhere else None,
    )
    # Drawn by hand as well: cached properties are found where a drawn one would be kept.
    study.__dict__["splits"] = {
        "source": Split(0, ("m4",), tuple((name,) for name in cast.monkeys if name != "m4"), 0),
        "target": Split(0, tuple(sorted(tested, reverse=True)), tuple((name,) for name in cast.pool), 0),
    }
    study.__dict__["draws"] = {"source": dict(cast.monkey_draws), "target": dict(cast.draws)}
    return study


def _pictures(folder: Path, widths: Mapping[str, int]) -> dict[str, str]:
    """A picture of noise for each name: no two of them are alike."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for number, (name, width) in enumerate(widths.items()):
        coarse = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
        paths[name] = str(folder / f"{name}.png")
        Image.fromarray(coarse).resize((width, width), Image.Resampling.NEAREST).save(paths[name])
    return paths


def _dataset(
    name: str, skeleton: Skeleton, people: Mapping[str, Person], pictures: Mapping[str, str], **parts: pd.DataFrame
) -> Dataset:
    joints = [
        (image_id, keypoint, *(place or (np.nan, np.nan)), place is not None, place is not None)
        for image_id, person in people.items()
        for keypoint, place in zip(skeleton.keypoints, person.joints, strict=True)
    ]
    images = [
        (image_id, pictures[person.picture or image_id], person.width, person.width, person.group or image_id)
        for image_id, person in people.items()
    ]
    lengths = [(image_id, *length) for image_id, person in people.items() for length in person.lengths.items()]
    boxes = [float(person.lengths.get("bbox_length", np.nan)) for person in people.values()]
    return Dataset.checked(
        name,
        name=name,
        skeleton=skeleton,
        images=pd.DataFrame(images, columns=["image_id", "path", "width", "height", "group"]).assign(
            bbox_x=0.0, bbox_y=0.0, bbox_w=boxes, bbox_h=boxes, split="all"
        ),
        labels=pd.DataFrame(joints, columns=["image_id", "keypoint", "x", "y", "labelled", "visible"]).astype(
            {"x": float, "y": float}
        ),
        reference_lengths=pd.DataFrame(lengths, columns=["image_id", "name", "length"]).astype({"length": float}),
        rendered=True,
        **parts,
    )


def _finish(study: Study, run: Run, letters: Letters) -> None:
    run.folder.mkdir(parents=True)
    tested = dict(zip(TESTED, letters.tested.split(), strict=True))
    people = {name: tested[name.rstrip("0123456789")] for name in study.splits["target"].test}
    predicted = {
        "predictions": _predictions(study.target, people),
        "threshold_predictions": _predictions(study.target, {study.threshold_people(run)[0]: letters.threshold}),
    }
    if run.arm == "baseline":
        predicted["source_predictions"] = _predictions(study.source, {"m4": OF_THE_MONKEY})
    if study.elsewhere:
        others = dict(zip(ELSEWHERE, OF_OTHERS[run.arm].split(), strict=True))
        predicted["elsewhere_predictions"] = _predictions(study.elsewhere, others)
    for name, table in predicted.items():
        table.to_parquet(run.folder / f"{name}.parquet")
    scores, errors = CURVES[run.arm][run.seed] if run.arm in CURVES else _CURVE
    curve = {"iteration": (10, 20, 30), "training_loss": 0.1, "validation_error": errors, "validation_score": scores}
    pd.DataFrame({**curve, "learning_rate": 0.001, "seconds": (60, 120, 180)}).to_csv(
        run.folder / "learning_curve.csv", index=False
    )
    (run.folder / "run.json").write_text(json.dumps(_manifest(study, run)))


def _predictions(data: Dataset, people: Mapping[str, str]) -> pd.DataFrame:
    rows = []
    for image_id, letters in people.items():
        labels = data.labels[(data.labels["image_id"] == image_id) & data.labels["labelled"]]
        labelled = {row.keypoint: (row.x, row.y) for row in labels.itertuples()}
        for (name, (x, y)), letter in zip(labelled.items(), letters, strict=True):
            if letter != "-":
                dx, dy = _off_by(labelled, name, letter)
                rows.append((image_id, name, x + dx, y + dy, SURE[letter]))
    return pd.DataFrame(rows, columns=["image_id", "keypoint", "x", "y", "likelihood"]).astype({"x": float, "y": float})


def _manifest(study: Study, run: Run) -> dict[str, object]:
    of_monkeys = {"backbone": 260, "backbone_total": 260, "heads": 0, "heads_total": 4}
    of_nothing = of_monkeys | {"backbone": 0}
    return {
        "digest": "0123456789abcdef",
        "specification": {**runs.settings(study.profile, run), "data": "fedcba9876543210"},
        "git_commit": "abcdefabcdefabcdef",
        "outcome": {
            "iterations": ITERATIONS.get((run.arm, run.images), (90, 90, 90))[run.seed],
            "chosen_iteration": 20,
            "seconds": 90.0,
            "stopped_by": "iterations",
            "optimizer": "adam",
            "restored": of_monkeys if run.arm == "transfer" else of_nothing,
            "validation_error": 7.25,
            "validation_score": 30.5,
            "frozen_blocks": [],
        },
    }
