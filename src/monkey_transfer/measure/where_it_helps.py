"""Where learning monkeys first helps: among the tilted or the upright, at which joints, and against which mistakes.

A network that is trained on pictures turned by any angle meets tilted bodies without a single monkey. Where the profile
has ``transfer_upright`` and ``control_upright``, which nobody turned by more than a little, they tell what such turning
gives by itself, and how much more or less monkeys add with it than without.
"""

from dataclasses import dataclass
from functools import partial

import pandas as pd

from monkey_transfer.measure.elsewhere import tried_elsewhere
from monkey_transfer.measure.scores import FLOOR, Point, Scores, each_seed, shown_points
from monkey_transfer.measure.tilt import ByTilt, by_tilt
from monkey_transfer.metrics.estimate import FEWEST_GROUPS
from monkey_transfer.metrics.pckh import JOINT_GROUPS, SCORE_NAME
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT, Profile
from monkey_transfer.study.opening import Study

# Share of joints found at the same joint of the other side (monkey_transfer.metrics.error_types).
SWAPPED = "errors/swap"
# transfer and its control again, of whose pictures none is turned by any angle in training.
NOT_TURNED = ("transfer_upright", "control_upright")


@dataclass(frozen=True)
class WhereItHelps:
    """Scores and differences of arms by tilt of the people they are tried on.

    ``tried_on`` is 'target', the test people, or 'elsewhere', those of another data set; ``tilt`` one of
    :data:`~monkey_transfer.measure.tilt.ALL` and :data:`~monkey_transfer.measure.tilt.TILTS`, of differences also
    'tilted - upright', how much more a difference is among the tilted. Estimates are over people and seeds
    (:class:`monkey_transfer.metrics.estimate.Estimate`), in percent of joints and in points. All are exploratory; what
    of them was asked before the runs is ruled on among the comparisons.

    Attributes
    ----------
    people : tried_on, tilt, people (how many there are).
    scores : tried_on, arm, images, tilt, metric (the PCK score or :data:`SWAPPED`) and the estimate, of every arm as it
        is shown and, on the target, of the floor; on the arm's own joints.
    differences : tried_on, difference (a name of :func:`contrasts`), tilt, metric (the PCK score, that of a joint group
        such as pckh/knee, or :data:`SWAPPED`) and the estimate, on the joints that its arms share.
    """

    people: pd.DataFrame
    scores: pd.DataFrame
    differences: pd.DataFrame

    def number(self, tilt: str, tried_on: str = "target") -> int:
        """How many people there are of a tilt."""
        own = (self.people["tilt"] == tilt) & (self.people["tried_on"] == tried_on)
        [found] = self.people.loc[own, "people"]
        return int(found)

    def few(self, tried_on: str = "target") -> list[str]:
        """Which of 'upright' and 'tilted' have too few people for numbers of their own."""
        return [tilt for tilt in ("upright", "tilted") if self.number(tilt, tried_on) < FEWEST_GROUPS]


def measure_where_it_helps(study: Study, scores: Scores) -> WhereItHelps:
    """Scores and differences by tilt, on the target and elsewhere; ``scores`` are those of the target."""
    profile = study.profile
    points = dict.fromkeys([*shown_points(study), *(p for weights in contrasts(profile).values() for p in weights)])
    here = by_tilt({point: scores.runs[point] for point in [*points, FLOOR]}, study.test_people)
    tried = {"target": (here, SCORE_NAME[profile.yardstick])}
    if study.elsewhere is not None:
        others = each_seed(study, points, partial(tried_elsewhere, study))
        tried["elsewhere"] = by_tilt(others, study.elsewhere), SCORE_NAME[profile.elsewhere_yardstick]
    people = [
        {"tried_on": role, "tilt": tilt, "people": number}
        for role, (by, _) in tried.items()
        for tilt, number in by.people.items()
    ]
    of_arms = [_scores(study, *found).assign(tried_on=role) for role, found in tried.items()]
    of_pairs = [_differences(profile, *found).assign(tried_on=role) for role, found in tried.items()]
    return WhereItHelps(
        pd.DataFrame(people), pd.concat(of_arms, ignore_index=True), pd.concat(of_pairs, ignore_index=True)
    )


def contrasts(profile: Profile) -> dict[str, dict[Point, float]]:
    """By name, such as 'transfer - imagenet_control', the differences that are looked at: points and their weights.

    What is asked of the tilted comes first; then every arm of people minus the control of ``transfer``; then finished
    networks minus ``transfer``; then what turning pictures by any angle gives by itself, and how much more monkeys add
    with it than without.
    """
    plain, bare = NOT_TURNED
    control, size = profile.control, profile.compared_size
    turned = all(name in profile.arms and size in profile.arm(name).sizes for name in NOT_TURNED)
    people = ["transfer", *(name for name, arm in profile.arms.items() if arm.learns == "target")]
    pairs = [(question.a, question.b) for question in profile.questions if question.part]
    pairs += [(name, control) for name in people if name not in (control, plain, bare)]
    pairs += [(name, "transfer") for name in profile.finished_networks]
    pairs += [(plain, bare), (control, bare)] if turned else []
    found: dict[str, dict[Point, float]] = {}
    for a, b in dict.fromkeys(pairs):
        images_a, images_b = profile.asked_sizes(a, b)
        found[f"{a} - {b}"] = {Point(a, images_a): 1, Point(b, images_b): -1}
    if turned:
        four = [Point(name, size) for name in ("transfer", control, plain, bare)]
        found[f"(transfer - {control}) - ({plain} - {bare})"] = dict(zip(four, (1, -1, -1, 1), strict=True))
    return found


def _scores(study: Study, found: ByTilt, score: str) -> pd.DataFrame:
    return pd.DataFrame(
        {**point._asdict(), "tilt": tilt, "metric": metric, **metrics[metric]._asdict()}
        for point in (*shown_points(study), FLOOR)
        if point in found.points
        for tilt, metrics in found.contrast({point: 1}).items()
        if tilt != TILTED_LESS_UPRIGHT
        for metric in (score, SWAPPED)
    )


def _differences(profile: Profile, found: ByTilt, score: str) -> pd.DataFrame:
    joints = [f"{score}/{group}" for group in JOINT_GROUPS]
    return pd.DataFrame(
        {"difference": name, "tilt": tilt, "metric": metric, **metrics[metric]._asdict()}
        for name, weights in contrasts(profile).items()
        for tilt, metrics in found.contrast(weights).items()
        for metric in (score, *joints, SWAPPED)
        if metric in metrics
    )
