"""A run's predictions beside the labels, and those of somebody who never looks."""

import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.pictures import in_network_pixels, in_original_pixels
from monkey_transfer.metrics.matching import Matched, match
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run


def mean_pose(study: Study, seed: int) -> pd.DataFrame:
    """Predictions for the test people by someone who never looks: the training people's mean pose.

    Every joint is predicted where it is on average in the pictures of the people that ``transfer``, at the number at
    which it is shown, learns with that seed, framed as the study frames them; the likelihood is 1. It is the floor that
    any network must beat.
    """
    return pd.concat([_mean_pose(part, seed) for part in study.parts], ignore_index=True)


def _mean_pose(study: Study, seed: int) -> pd.DataFrame:
    ids = study.draw("target", seed).training_subset(study.profile.asked_size("transfer"))
    labels = study.target.subset(ids).labels
    learnt = study.framed("target", ids, study.profile.picture)
    mean = in_network_pixels(labels[labels["labelled"]], learnt).groupby("keypoint")[["x", "y"]].mean()
    people = study.framed("target", study.splits["target"].test, study.profile.picture)
    everywhere = people[["image_id"]].merge(mean.reset_index(), how="cross").assign(likelihood=1.0)
    return in_original_pixels(everywhere, people)


def matched(
    study: Study, predictions: pd.DataFrame, yardstick: str | None = None, people: Dataset | None = None
) -> Matched:
    """Predictions beside the labels of the test people, unless others are given.

    They are measured in the profile's yardstick, or in another. Whose length of that name is not known is left out.
    """
    chosen = yardstick or study.profile.yardstick
    people = (people or study.test_people).measured_by(chosen)
    predictions = predictions[predictions["image_id"].isin(people.images["image_id"])]
    return match(people.labels, predictions, people.reference_lengths, chosen, people.images)


def matched_on_source(study: Study, run: Run) -> Matched:
    """Predictions of an arm on the held-out source pictures beside their labels, in the macaque study's yardstick.

    That is the length of the animal's bounding box (Labuguen et al. 2021; paper, section 2.1).
    """
    source = study.profile.arm(run.arm).source
    held_out = study.dataset(source).subset(study.splits[source].test)
    return matched(study, run.predictions("source_test"), "bbox_length", held_out)
