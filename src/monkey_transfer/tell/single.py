"""One run of a study: trained alone, or its network tried on other people.

Run as a program, ``python -m monkey_transfer.tell.single``, it is what ``make run`` and ``make predict`` call:
``train PROFILE ARM IMAGES SEED`` and ``predict PROFILE ARM IMAGES SEED DATA VIDEO OUT``, with an empty word for what
was not said.
"""

import argparse
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from monkey_transfer import tables
from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.files import clear_disk_errors, written
from monkey_transfer.measure.elsewhere import matched_elsewhere
from monkey_transfer.measure.leaks import alike_elsewhere_of, why_it_may_know
from monkey_transfer.measure.scores import Point, Scores, of_networks, people_of
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.pckh import SCORE_NAME, SCORE_TITLE
from monkey_transfer.metrics.written import bracketed
from monkey_transfer.places import plain_path, runs_folder
from monkey_transfer.profiles.arms import BEST
from monkey_transfer.profiles.loading import load_people, load_profile
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.changes import change_of
from monkey_transfer.study.opening import Study, open_study
from monkey_transfer.study.others import try_elsewhere, with_people
from monkey_transfer.study.runs import Best, Run, best_of, run_of
from monkey_transfer.study.training import share_of_cores, train_arm, where_it_trains
from monkey_transfer.tell.closing import on_a_network


def named_run(profile: Profile, arm: str, images: str, seed: str) -> Run:
    """The run that words of a command line name: the arm's largest number of images and the first seed, if not said.

    StudyError if the profile does not have it.
    """
    return run_of(profile, arm, _number(seed) if seed else profile.seeds[0], _number(images) if images else None)


def named_network(profile: Profile, arm: str, images: str, seed: str) -> Run:
    """The :func:`named_run`, or the one network that ``make best`` left; StudyError if there is none."""
    if arm != BEST:
        return named_run(profile, arm, images, seed)
    if images or seed:
        raise StudyError(
            f"IMAGES and SEED do not go with ARM={BEST}, of which a profile has one: leave them out, or give SEED to "
            "make best"
        )
    return best_of(profile)


def _number(word: str) -> Any:
    return int(word) if re.fullmatch("[0-9]{1,9}", word) else word


def train(profile: str, arm: str, images: str, seed: str) -> None:
    """Train a run unless it is there, and what it starts from; print how good it is and where it lies."""
    loaded = load_profile(profile)
    run = named_run(loaded, arm, images, seed)
    os.environ.update(share_of_cores(loaded))
    study = open_study(profile)
    asked = study.runs_of(run.arm, run.seed, run.images)
    if not all(one.is_complete for one in asked):
        print(where_it_trains(study, run.arm, run.seed, run.images), flush=True)
    before = [_finished_at(one) for one in asked]
    train_arm(study, run.arm, run.seed, run.images)
    if [_finished_at(one) for one in asked] == before:
        print(f"{run} is there already, and nothing that it depends on has changed.")
    scores = of_networks(study, asked).table(partial(people_of, study))
    print(on_a_network(study, run, scores).replace("**", ""))
    for one in asked:
        print(f"Run: {one.folder} (predictions.parquet has the test people)")
        if (project := one.folder / "deeplabcut" / "config.yaml").is_file():
            print(f"DeepLabCut project: {project}")


def _finished_at(run: Run) -> int | None:
    """When a run was finished, in nanoseconds; None if it is not."""
    return (run.folder / "run.json").stat().st_mtime_ns if run.is_complete else None


def predict(profile: str, arm: str, images: str, seed: str, data: str, video: str, out: str) -> None:
    """Have a finished run's network predict the people that the YAML file ``data`` names, or follow one in a video.

    StudyError if a word names nothing, the run is not there, or not one of the two is asked for.
    """
    run = named_network(load_profile(profile), arm, images, seed)
    if bool(data) == bool(video):
        raise StudyError(
            f"{'both DATA and VIDEO are' if data else 'neither DATA nor VIDEO is'} given: expected a YAML file that "
            "names people, such as DATA=people.yaml, or VIDEO=<a video, or a folder of videos>"
        )
    if video:
        watch(run, Path(os.path.expanduser(video)), out)
    else:
        try_on_people(run, Path(os.path.expanduser(data)), out)


def try_on_people(run: Run, file: Path, out: str) -> None:
    """Have a finished run's network predict the people that a YAML file names; print how good it is.

    In ``out``, usually ``runs/<profile>/predictions/<name of the file>/<run>``, there are then ``predictions.parquet``,
    the same as CSV, and ``scores.csv``. StudyError if the run is not there, or its network cannot be tried on those
    people.
    """
    asked = load_people(file)
    usual = runs_folder() / run.profile / "predictions" / file.stem / f"{run.arm}-{run.folder.name}"
    usual = plain_path(usual, "the name of DATA")
    folder = plain_path(out, "OUT") if out else usual
    study = opened(run)
    study = with_people(study, run.arm, asked, file)
    folder.mkdir(parents=True, exist_ok=True)
    tried = try_elsewhere(study, run, usual.with_name(f"{usual.name}.partial"))
    scores, known = scores_there(study, run, tried.predictions), alike_elsewhere_of(study, run)
    _keep(folder, tried.predictions, score_table(study, run, scores, known))
    print(in_words(study, run, scores), _known_in_words(study, run, known), sep="\n")
    before = run.manifest()["outcome"]["validation_score"]
    own = "People whom it learnt" if isinstance(run, Best) else "Its own validation people"
    print(f"{own}: {tried.validation_score:.1f} % now, {before:.1f} % when the run was made.")
    print(f"Predictions and scores: {folder}")


def watch(run: Run, named: Path, out: str) -> None:
    """Have a finished run's network follow people in videos (:func:`monkey_transfer.tell.videos.watch_videos`).

    StudyError also if the run is not there.
    """
    from monkey_transfer.tell.videos import watch_videos  # a second to import, and nothing else needs it

    study = opened(run)
    for said in watch_videos(study, run, named, out):
        print(said, flush=True)


def _refuse_missing(run: Run) -> None:
    """StudyError if the run is not there, or there is one for each fold."""
    profile = load_profile(run.profile)
    if profile.folds and profile.learns_people(run.arm) and not isinstance(run, Best):
        raise StudyError(
            f"profile {run.profile}: arm '{run.arm}' has a network for each fold, none of which learnt everybody: "
            f"make best PROFILE={run.profile} trains one that did, and ARM=best names it"
        )
    if not run.is_complete:
        raise StudyError(f"run '{run}' of profile {run.profile} is not there yet: {run.made_alone_by} trains it")
    run.refuse_without_network()


def opened(run: Run) -> Study:
    """The study of a run.

    StudyError, before data are opened, if the run is not there or there is one for each fold; then if it, or what says
    how good it is, is not as the profile now says, or of other people, labels or pictures.
    """
    _refuse_missing(run)
    study = open_study(run.profile)
    for one in (run, *study.witnesses(run)):
        study.refuse_outdated(one)
        if why := change_of(study, one):
            raise StudyError(f"run {one} is not of the data as they are, for {why}: run it again ({one.made_by})")
    return study


def _keep(folder: Path, predictions: pd.DataFrame, scores: pd.DataFrame) -> None:
    tables.write(predictions, folder / "predictions.parquet")
    for name, table in {"predictions": predictions, "scores": scores}.items():
        with written(folder / f"{name}.csv") as unfinished:
            table.to_csv(unfinished, index=False)


def scores_there(study: Study, run: Run, predictions: pd.DataFrame) -> Scores:
    """The PCK scores of one run on the people elsewhere whose yardstick is known."""
    return Scores({_point(study, run): [matched_elsewhere(study, predictions)]}, pck_scores)


def score_table(study: Study, run: Run, scores: Scores, known: int | None) -> pd.DataFrame:
    """The scores table of one run and its seed; how many people were ``tested``; ``known``, as ``near_duplicates``."""
    people = (lambda point: point.images) if isinstance(run, Best) else partial(people_of, study)
    return scores.table(people).assign(
        seed=run.seed,
        tested=len(scores.runs[_point(study, run)][0].people),
        near_duplicates=known,
        pictures=_pictures(study),
    )


def in_words(study: Study, run: Run, scores: Scores) -> str:
    """How good a run is on the people elsewhere."""
    people, yardstick, point = study.dataset("elsewhere"), study.profile.elsewhere_yardstick, _point(study, run)
    metric, tested = SCORE_NAME[yardstick], len(scores.runs[point][0].people)
    return (
        f"{run} finds {bracketed(scores.of(point)[metric], metric)} % of the joints ({SCORE_TITLE[yardstick]}) of "
        f"{tested:,} people of {people.name} ({_pictures(study)}; {len(people):,} are predicted): an interval over "
        "people alone, since this is one network."
    )


def _known_in_words(study: Study, run: Run, known: int | None) -> str:
    """How many of the people elsewhere a run may have learnt, as far as that can be known."""
    of = f"{len(study.dataset('elsewhere')):,} people"
    here = f"{known} of {of} are in a picture nearly the same as one that it, or what it started from, learnt"
    unknown = f"what this network learnt is not here to be compared with these {of}"
    said = [unknown if known is None else here, *why_it_may_know(study, run.arm, "elsewhere")]
    return f"Does it know them? {'; '.join(said)}."


def _point(study: Study, run: Run) -> Point:
    return Point(BEST, len(study.target)) if isinstance(run, Best) else Point(run.arm, run.images)


def _pictures(study: Study) -> str:
    return "rendered" if study.dataset("elsewhere").rendered else "photographs"


def main() -> None:
    """The commands that the Makefile calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for do, more in {train: (), predict: ("data", "video", "out")}.items():
        command = commands.add_parser(do.__name__)
        for word in ("profile", "arm", "images", "seed", *more):
            command.add_argument(word)
        command.set_defaults(do=do)
    asked = vars(parser.parse_args())
    print_any_letters()
    try:
        with clear_disk_errors():
            asked.pop("do")(**asked)
    except StudyError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
