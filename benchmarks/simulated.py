"""Simulated arms: people who are hard for every arm alike, joints that fail together, honest confidences."""

import numpy as np
import pandas as pd

from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched
from monkey_transfer.skeletons import MPII_16

HEAD = 40.0


def arms(people: int, skills: dict[str, float], rng: np.random.Generator) -> dict[str, Matched]:
    """Arms on the same people with 16 labelled joints each; a larger ``skill`` makes larger errors rarer.

    A joint's error, in heads, is exponential with mean (the person's difficulty) / skill, so how often it is
    correct, and what any metric is for infinitely many people, follows from the skill.
    """
    joints = len(MPII_16.keypoints)
    names = np.array([f"person {i:06d}" for i in range(people)])
    difficulty = np.repeat(rng.gamma(2.0, 0.2, people), joints)
    identity = pd.DataFrame({"image_id": names, "group": names})
    rows = {"image_id": np.repeat(names, joints), "keypoint": np.tile(MPII_16.keypoints, people)}
    simulated = {}
    for arm, skill in skills.items():
        normalised = rng.exponential(difficulty / skill)
        angle = rng.uniform(0, 2 * np.pi, people * joints)
        table = pd.DataFrame(
            {
                **rows,
                "dx": HEAD * normalised * np.cos(angle),
                "dy": HEAD * normalised * np.sin(angle),
                "distance": HEAD * normalised,
                "reference_length": HEAD,
                "normalised": normalised,
                "likelihood": 1 / (1 + np.exp(3 * normalised - 2 + rng.normal(size=people * joints))),
                "correct": normalised <= CORRECT_WITHIN["head_size"],
            }
        )
        simulated[arm] = Matched(table, identity, "head_size")
    return simulated
