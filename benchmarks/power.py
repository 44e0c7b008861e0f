"""``python -m benchmarks.power``: how often intervals hold the truth, studies claim what is not so, and find what is.

Each study has three controls and asks three primary questions, one arm against each. Arms are simulated three times
beside the controls: with no difference at all, with one as large as the margin, and with one of 3.5 points. A joint
is hit with a probability whose logit adds up what the arm can do; how hard the person is, and the group (a video) it
comes from; how the arm does on that group and that person; what the seed's draw of training people does to all arms
and to this one; and the luck of this network with that person. True scores follow from the normal spread of the logit,
so skills are set to make differences exactly what they should be.

Printed for every case: the coverage of 95 % intervals of differences that are none; in how many studies without any
difference one is claimed, and in how many whose differences are as large as the margin one is claimed to be smaller;
and the power to find 3.5 points, and to find that nothing is less than the margin. The last line sums up the cases in
which a 95 % interval is printed. Coverage should lie within 93 and 97 %, false claims at most at 5 %, and power should
rise with seeds.
"""

import argparse
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit
from threadpoolctl import threadpool_limits

from monkey_transfer.claims import LEVEL, holm
from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.estimate import Variances, combined, effective_groups, estimate

TRIALS, AT_ONCE, JOINTS, RESAMPLES, SEEDS = 4_000, 100, 14, 1_000, (2, 3, 5, 10, 20)
SCORE, MARGIN, DIFFERENCE, CONTROLS = 40.0, 2.0, 3.5, 3
TRUTHS = (0.0, MARGIN, DIFFERENCE)
PERSON, GROUP = 1.2, 0.4  # how hard people and groups of them are: standard deviations of the logit of a hit


class People(NamedTuple):
    """Test people: ``sizes`` of their groups."""

    name: str
    sizes: tuple[int, ...]


class Chance(NamedTuple):
    """Standard deviations of the logit of a hit, beside how hard people are.

    own_group, own_person : how an arm does on a group and on a person, whatever the seed.
    draw : what a seed's draw of training people does to all arms.
    arm_seed, control_seed : what a seed does to the arm in question, and to each control.
    luck : of one network with one person.
    """

    name: str
    own_group: float = 0.15
    own_person: float = 0.4
    draw: float = 0.15
    arm_seed: float = 0.08
    control_seed: float = 0.08
    luck: float = 0.4

    def spread(self, seed: float) -> float:
        """Standard deviation of the logit over people, groups and seeds."""
        parts = PERSON, GROUP, self.own_group, self.own_person, self.draw, seed, self.luck
        return float(np.linalg.norm(parts))


MANY = People("200 people", (1,) * 200)
PEOPLE = (
    MANY,
    People("40 groups of 5", (5,) * 40),
    People("20 groups of 10", (10,) * 20),
    People("10 groups of 20", (20,) * 10),
    People("5 groups of 40", (40,) * 5),
    People("40 groups of 1 to 20", tuple(np.rint(np.geomspace(1, 20, 40)).astype(int).tolist())),
    People("20 groups of 2 to 40", tuple(np.rint(np.geomspace(2, 40, 20)).astype(int).tolist())),
)
USUAL = Chance("equal scatter")
CHANCES = (
    USUAL,
    Chance("no scatter, luck alone", 0.0, 0.0, 0.0, 0.0, 0.0, 0.6),
    Chance("no scatter, no luck", draw=0.0, arm_seed=0.0, control_seed=0.0, luck=0.0),
    Chance("seeds outweigh people", draw=0.3, arm_seed=0.3, control_seed=0.3),
    Chance("arm scatters 5 times more", arm_seed=0.2, control_seed=0.04),
    Chance("controls scatter 5 times more", arm_seed=0.04, control_seed=0.2),
)
CASES = [(people, USUAL) for people in PEOPLE] + [
    (people, chance) for people in (MANY, PEOPLE[2], PEOPLE[3], PEOPLE[6]) for chance in CHANCES[1:]
]


def true_score(skill: float, spread: float) -> float:
    """Expected share of hits, in percent, where the logit is normal around ``skill``."""
    nodes, shares = np.polynomial.hermite_e.hermegauss(80)
    return float(100 * shares @ expit(skill + spread * nodes) / shares.sum())


def skill_of(score: float, spread: float) -> float:
    return float(brentq(lambda skill: true_score(skill, spread) - score, -20, 20))


def simulated(people: People, chance: Chance, seeds: int, trials: int, rng: np.random.Generator) -> np.ndarray:
    """Hits of the arm minus those of each control, summed over groups: (truths, trials, controls, seeds, groups)."""
    sizes = np.array(people.sizes)
    starts = np.append(0, np.cumsum(sizes)[:-1])

    def normal(sd: float, *shape: int) -> np.ndarray:
        return sd * rng.standard_normal(shape, dtype=np.float32)

    def per_group(sd: float) -> np.ndarray:
        return np.repeat(normal(sd, trials, 1, len(sizes)), sizes, axis=2)

    shared = normal(PERSON, trials, 1, sizes.sum()) + per_group(GROUP) + normal(chance.draw, trials, seeds, 1)

    def logits(seed: float) -> np.ndarray:
        own = normal(chance.own_person, trials, 1, sizes.sum()) + per_group(chance.own_group)
        return shared + own + normal(seed, trials, seeds, 1) + normal(chance.luck, trials, seeds, sizes.sum())

    def hits(skill: float, around: np.ndarray) -> np.ndarray:
        return np.add.reduceat(rng.binomial(JOINTS, expit(skill + around)), starts, axis=2)

    spread = chance.spread(chance.control_seed)
    controls = np.stack([hits(skill_of(SCORE, spread), logits(chance.control_seed)) for _ in range(CONTROLS)], axis=1)
    arm, spread = logits(chance.arm_seed), chance.spread(chance.arm_seed)
    return np.stack([hits(skill_of(SCORE + truth, spread), arm)[:, None] - controls for truth in TRUTHS])


def measured(
    more: np.ndarray, sizes: tuple[int, ...], weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What :func:`monkey_transfer.metrics.estimate.estimate` finds, for many differences at once.

    Parameters
    ----------
    more : joints that one arm hits more, (..., seeds, groups).
    weights : of the groups, (resamples, groups).

    Returns
    -------
    Value, standard error and degrees of freedom, in percent. A resample's score is linear in ``more``, so the
    variance over resamples is a quadratic form of it.
    """
    seeds, groups, joints = more.shape[-2], effective_groups(sizes), JOINTS * np.array(sizes) / 100
    shares = np.cov((weights / (weights @ joints)[:, None]).T, bias=True) * groups / (groups - 1)

    def variance(of: np.ndarray) -> np.ndarray:
        return np.sum(of @ shares * of, axis=-1)

    values, mean = more.sum(axis=-1) / joints.sum(), more.mean(axis=-2)
    both = variance(more - mean[..., None, :]).mean(axis=-1) / (seeds - 1)
    found = Variances(variance(mean), values.var(axis=-1, ddof=1) / seeds, both)
    total, freedom = combined(found, groups, seeds)
    return values.mean(axis=-1), np.sqrt(total), freedom
