"""The network to take, trained on everybody: ``make best PROFILE=<profile> [ARM=<arm>] [SEED=<seed>]``.

Run as a program, ``python -m monkey_transfer.tell.best PROFILE ARM SEED``, with an empty word for what was not said.
"""

import argparse
import os
import sys

from monkey_transfer.devices import training_device
from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.files import clear_disk_errors
from monkey_transfer.measure.ceiling import measure_ceiling
from monkey_transfer.measure.choice import choice_of
from monkey_transfer.measure.scores import Point, Scores, evaluated, read_scores
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.written import bracketed
from monkey_transfer.profiles.arms import BEST
from monkey_transfer.profiles.framing import PersonCrop
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.best import best_at, train_everybody
from monkey_transfer.study.changes import change_of, changes
from monkey_transfer.study.opening import Study, open_study
from monkey_transfer.study.runs import Best, Run, has_settings
from monkey_transfer.study.training import share_of_cores, train_arm
from monkey_transfer.tell.single import named_run
from monkey_transfer.tell.words import score_name, score_title, tested


def make_best(profile: str, arm: str, seed: str) -> None:
    """Train an arm on everybody, unless that is there; print what it is worth and how to use it.

    The arm is the one that the report names, and the seed the profile's first, unless they are given. A finished
    network is not trained: it is said how to use it. StudyError if a word names nothing, or as of
    :func:`monkey_transfer.study.best.train_everybody`.
    """
    loaded = load_profile(profile)
    named_run(loaded, arm or next(iter(loaded.arms)), "", seed)  # refuses what is no arm or no seed, without data
    os.environ.update(share_of_cores(loaded))
    study = open_study(profile)
    run = named_run(loaded, arm or arm_to_take(study), "", seed)
    if loaded.arm(run.arm).learns == "nothing":
        train_arm(study, run.arm, run.seed)
        print(f"{run.arm} learns nothing, so there is nothing to train: it is used as it is.")
        print(_on_videos(study, run.arm, f"{run.arm} SEED={run.seed}"))
        return
    best = best_at(study, run.arm, run.seed)
    if not best.is_complete:
        print(training_device(loaded.requires_gpu), flush=True)
    train_everybody(study, best)
    for said in (in_words(study, best), f"Network: {best.folder}", _on_videos(study, best.arm, BEST)):
        print(said)
    print(f"DeepLabCut project: {best.folder / 'deeplabcut' / 'config.yaml'} (README.txt beside it says what it sees)")


def arm_to_take(study: Study) -> str:
    """The arm that the report names (:mod:`monkey_transfer.measure.choice`); StudyError if a run is not finished."""
    if changed := changes(study):
        raise StudyError(
            f"profile {study.profile.name}: {next(iter(changed))} is not of the data as they are, so no arm is named: "
            f"make study PROFILE={study.profile.name}, or name one with ARM"
        )
    return choice_of(study, read_scores(study), measure_ceiling(study)).taken.arm


def in_words(study: Study, best: Best) -> str:
    """What a network that learnt everybody is worth: what the finished runs of its arm were, of all seeds."""
    point = Point(best.arm, best.images)
    of_seed = {seed: study.runs_of(best.arm, seed, best.images) for seed in study.profile.seeds}
    there = {seed: runs for seed, runs in of_seed.items() if all(_stands(study, run) for run in runs)}
    networks = sum(map(len, there.values()))
    scores = Scores({point: [evaluated(study, point, seed) for seed in there]}, pck_scores)
    found, metric = scores.of(point), score_name(study.profile)
    times = best.manifest()["outcome"]["iterations"] * best.training().batch_size
    learnt = len(study.target)
    return (
        f"{best} has learnt all {learnt:,} labelled pictures, each {times / learnt:.3g} times. Expect "
        f"{bracketed(found[metric], metric)} % of the joints ({score_title(study.profile)}) of other people: so many "
        f"{best.arm} found of {tested(study)} when it had learnt {best.images:,}, each {times / best.images:.3g} times "
        f"({networks} {'network' if networks == 1 else 'networks'}). Nobody is left to try this one on."
    )


def _stands(study: Study, run: Run) -> bool:
    """Whether a run is finished, as the profile now says and of the data as they are."""
    return run.is_complete and has_settings(study.profile, run) and not change_of(study, run)


def _on_videos(study: Study, arm: str, named: str) -> str:
    """How a network comes to watch a video, where its arm sees crops of people."""
    if not isinstance(study.profile.framing(arm), PersonCrop):
        return "It sees no crops around people (framing: person), so it cannot follow anybody in a video."
    return f"On a video: make predict PROFILE={study.profile.name} ARM={named} VIDEO=film.mp4"


def main() -> None:
    """The command that the Makefile calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    for word in ("profile", "arm", "seed"):
        parser.add_argument(word)
    print_any_letters()
    try:
        with clear_disk_errors():
            make_best(**vars(parser.parse_args()))
    except StudyError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
