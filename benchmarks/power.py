"""``python -m benchmarks.power``: how often intervals hold the truth, studies claim what is not so, and find what is.

A study asks three primary questions, of one arm against each of three controls. A joint is hit with a probability
whose logit adds up: what the arm can do; how hard the person is, and the group (a video) it comes from; how this arm
does on that group and that person; what the people whom a seed draws to learn do to all arms, and what the seed does
to this one; and the luck of this network with that person. Skills are such that the arm is truly as good as the
controls, better by the margin, or better by 3.5 points.

One line for each kind of chance, test people and number of seeds:

- coverage of the 95 % intervals where there is no difference;
- false claims: in how many studies of three differences that are none one is claimed, or in how many of three as large
  as the margin one is claimed to be smaller, whichever is more;
- power: how many differences of 3.5 points are found, and how many that are none are found smaller than the margin.

Where no 95 % interval is printed, the coverage that it would have is. The last line sums up the other cases: coverage
should lie within 93 and 97 %, false claims at or below 5 %; power rises with seeds. ``--trials`` sets how many studies
are simulated for each case.
"""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit
from threadpoolctl import threadpool_limits

from monkey_transfer.measure.claims import LEVEL, holm
from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.estimate import Variances, combined, effective_groups, estimate, freedom_of_tests

TRIALS, AT_ONCE, JOINTS, RESAMPLES, SEEDS = 4_000, 100, 14, 1_000, (2, 3, 5, 10, 20)
CONTROLS, SCORE, MARGIN, DIFFERENCE = 3, 40.0, 2.0, 3.5
TRUTHS = 0.0, MARGIN, DIFFERENCE
PERSON, GROUP = 1.2, 0.4  # how hard people and groups of them are: standard deviations of the logit of a hit


class People(NamedTuple):
    """Test people, ``sizes`` of whom are of one group each."""

    name: str
    sizes: np.ndarray


class Chance(NamedTuple):
    """Standard deviations of the logit of a hit, beside how hard people are.

    own_group, own_person : how an arm does on a group and on a person, whatever the seed.
    draw : what the people whom a seed draws do to all arms.
    arm, control : what a seed does to the arm in question, and to each control.
    luck : of one network with one person.
    """

    name: str
    own_group: float = 0.15
    own_person: float = 0.4
    draw: float = 0.15
    arm: float = 0.08
    control: float = 0.08
    luck: float = 0.4

    def skill(self, score: float, of_seed: float) -> float:
        """The logit of an average hit for which the expected share of hits is ``score`` percent."""
        parts = PERSON, GROUP, self.own_group, self.own_person, self.draw, of_seed, self.luck
        nodes, shares = np.polynomial.hermite_e.hermegauss(80)
        around = np.linalg.norm(parts) * nodes
        shares = 100 * shares / shares.sum()
        return float(brentq(lambda skill: shares @ expit(skill + around) - score, -20, 20))


def _unequal(groups: int, smallest: int, largest: int) -> People:
    sizes = np.rint(np.geomspace(smallest, largest, groups)).astype(int)
    return People(f"{groups} groups of {smallest} to {largest}", sizes)


MANY = People("200 people", np.ones(200, int))
FEWEST = People("10 groups of 10", np.full(10, 10))
PEOPLE = (
    MANY,
    People("40 groups of 3", np.full(40, 3)),
    People("20 groups of 5", np.full(20, 5)),
    FEWEST,
    People("5 groups of 20", np.full(5, 20)),
    _unequal(40, 1, 10),
    _unequal(20, 2, 20),
)
USUAL = Chance("all sources")
CHANCES = (
    Chance("no scatter of seeds", draw=0.0, arm=0.0, control=0.0),
    Chance("people alone", draw=0.0, arm=0.0, control=0.0, luck=0.0),
    Chance("luck alone", own_group=0.0, own_person=0.0, draw=0.0, arm=0.0, control=0.0, luck=0.6),
    Chance("seeds outweigh people", draw=0.3, arm=0.3, control=0.3),
    Chance("arm scatters 5 times as much", arm=0.2, control=0.04),
    Chance("controls scatter 5 times as much", arm=0.04, control=0.2),
)
CASES = [(people, USUAL) for people in PEOPLE] + [
    (people, chance) for chance in CHANCES for people in (MANY, FEWEST, PEOPLE[-1])
]


class Found(NamedTuple):
    """Estimates of many differences: arrays of shape (truths, trials, controls)."""

    values: np.ndarray
    errors: np.ndarray
    freedom: np.ndarray


class Outcome(NamedTuple):
    """Shares in percent, see the module's text; ``note`` says why no interval is printed, if none is."""

    coverage: float
    false_claims: float
    found_different: float
    found_equivalent: float
    note: str

    def __str__(self) -> str:
        if self.note:
            return f"{self.note}: no 95 % is printed (it would hold {self.coverage:.1f})"
        return "; ".join(f"{share:5.1f}" for share in self[:-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    print(
        f"{trials:,} studies a case. In percent: coverage; false claims; {DIFFERENCE:g} points found; none found small"
    )
    printed = []
    for place, (people, chance) in enumerate(CASES):
        for seeds, outcome in outcomes(people, chance, trials, place).items():
            print(f"{chance.name:33}{people.name:23}{seeds:3} seeds: {outcome}", flush=True)
            printed += [] if outcome.note else [outcome]
    coverages = [outcome.coverage for outcome in printed]
    false_claims = max(outcome.false_claims for outcome in printed)
    print(f"coverage {min(coverages):.1f} to {max(coverages):.1f}, false claims {false_claims:.1f}")


def outcomes(people: People, chance: Chance, trials: int, seed: int) -> dict[int, Outcome]:
    """What comes of a case, by the number of training seeds; fewer seeds are the first of more."""
    rng = np.random.default_rng(seed)
    parts: dict[int, list[Found]] = {seeds: [] for seeds in SEEDS}
    for start in range(0, trials, AT_ONCE):
        more = simulated(people, chance, max(SEEDS), min(AT_ONCE, trials - start), rng)
        weights = np.concatenate(list(resampled_weights(len(people.sizes), RESAMPLES, seed=start)))
        for seeds, found in measured(more, people.sizes, weights):
            parts[seeds].append(found)
    groups = effective_groups(people.sizes)
    return {
        seeds: _outcome(Found(*(np.concatenate(of, axis=1) for of in zip(*found, strict=True))), seeds, groups)
        for seeds, found in parts.items()
    }


def simulated(people: People, chance: Chance, seeds: int, trials: int, rng: np.random.Generator) -> np.ndarray:
    """How many joints of each group the arm hits more than a control: (truths, trials, controls, seeds, groups)."""
    count, groups = people.sizes.sum(), len(people.sizes)
    starts = np.append(0, np.cumsum(people.sizes)[:-1])

    def normal(sd: float, *shape: int) -> np.ndarray:
        return np.float32(sd) * rng.standard_normal((trials, *shape), dtype=np.float32)

    def hard(of_person: float, of_group: float) -> np.ndarray:
        return normal(of_person, 1, count) + np.repeat(normal(of_group, 1, groups), people.sizes, axis=2)

    shared = hard(PERSON, GROUP) + normal(chance.draw, seeds, 1)

    def logits(of_seed: float) -> np.ndarray:
        own = hard(chance.own_person, chance.own_group) + normal(of_seed, seeds, 1)
        return shared + own + normal(chance.luck, seeds, count)

    def hits(skill: float, around: np.ndarray) -> np.ndarray:
        return np.add.reduceat(rng.binomial(JOINTS, expit(skill + around)), starts, axis=2).astype(float)

    skill = chance.skill(SCORE, chance.control)
    controls = np.stack([hits(skill, logits(chance.control)) for _ in range(CONTROLS)], axis=1)
    arm = logits(chance.arm)
    return np.stack([hits(chance.skill(SCORE + more, chance.arm), arm)[:, None] - controls for more in TRUTHS])


def measured(more: np.ndarray, sizes: np.ndarray, weights: np.ndarray) -> Iterator[tuple[int, Found]]:
    """What :func:`monkey_transfer.metrics.estimate.estimate` finds with the first 2 to 20 seeds, many studies at once.

    A resample's score is linear in the groups' hits, so its variance over resamples is a quadratic form in them.

    Parameters
    ----------
    more : joints that one arm hits more, (..., seeds, groups).
    weights : of the groups, (resamples, groups).
    """
    groups, joints = effective_groups(sizes), JOINTS * sizes / 100
    shares = np.cov((weights / (weights @ joints)[:, None]).T, bias=True) * groups / (groups - 1)

    def variance(of: np.ndarray) -> np.ndarray:
        return np.sum(of @ shares * of, axis=-1)

    for count in SEEDS:
        runs = more[..., :count, :]
        mean, values = runs.mean(axis=-2), runs.sum(axis=-1) / joints.sum()
        both = variance(runs - mean[..., None, :]).mean(axis=-1) / (count - 1)
        of_seeds = values.var(axis=-1, ddof=1) / count
        total, freedom = combined(Variances(variance(mean), of_seeds, both), groups, count)
        yield count, Found(values.mean(axis=-1), np.sqrt(total), freedom)


def _outcome(found: Found, seeds: int, groups: float) -> Outcome:
    distance, freedom = np.abs(found.values), freedom_of_tests(found.freedom, seeds)
    held = distance[0] <= stats.t.ppf(0.975, found.freedom[0]) * found.errors[0]
    with np.errstate(divide="ignore", invalid="ignore"):  # where by chance no variance is found
        none, _, large = 2 * stats.t.sf(distance / found.errors, freedom)
        none_small, margin_small, _ = stats.t.sf((MARGIN - distance) / found.errors, freedom)
    false = (holm(none) <= LEVEL).any(axis=1), (holm(margin_small) <= LEVEL).any(axis=1)
    return Outcome(
        coverage=100 * float(held.mean()),
        false_claims=100 * max(float(of.mean()) for of in false),
        found_different=100 * float((holm(large) <= LEVEL).mean()),
        found_equivalent=100 * float((holm(none_small) <= LEVEL).mean()),
        note=_note(seeds, groups),
    )


def _note(seeds: int, groups: float) -> str:
    rng = np.random.default_rng(0)
    return estimate([Replicates(rng.normal(), rng.normal(size=9)) for _ in range(seeds)], groups).note


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
