"""Which network to take, chosen on the validation people alone, and whether it is usable, judged on the test people.

The rules stand in docs/metrics.md, with their reasons, and were written before any study was read by them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from monkey_transfer.measure.ceiling import AGREE, Ceiling, overall
from monkey_transfer.measure.scores import FLOOR, Point, Scores, each_seed, people_of, validated
from monkey_transfer.metrics.estimate import Estimate
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.pckh import SCORE_NAME
from monkey_transfer.study.opening import Study

# Verdicts on the chosen network; of those that hold, the first.
NO_VERDICT = "no verdict"
NOT_USABLE = "not shown to beat the mean pose"
FINISHED = "a finished network does as well"
SECOND_PERSON = "as good as a second person"
CHECK = "usable, but check"
FIRST_GUESS = "a first guess"
# Percent of the joints, of which fewer are found than missed below it.
HALF = 50


@dataclass(frozen=True)
class Choice:
    """The network that validation names, and what the test says of it.

    Attributes
    ----------
    arm, images : of the chosen network.
    best, finished : whose validation score is the highest, of all networks and of finished ones; None without any.
    verdict : one of the module's verdicts.
    validation : the PCK scores on the validation people (:func:`on_what_all_have`).
    table : one row for each network that one would use on people, the best in validation first, and one for the floor:
        arm, images, people (how many labelled ones it takes), metric (the PCK score's name), validation (the mean over
        seeds, in percent), validation_behind (points by which it is behind ``best`` there), and of the test people
        value, low, high, note (its score) and behind (points by which it is behind the chosen one, on the joints that
        both have), both with _low, _high and _note. NaN of the leaders' own rows, and of the floor's validation.
    """

    arm: str
    images: int
    best: Point
    finished: Point | None
    verdict: str
    validation: Scores
    table: pd.DataFrame

    @property
    def point(self) -> Point:
        """The chosen network."""
        return Point(self.arm, self.images)

    @property
    def taken(self) -> Point:
        """The network to take: the chosen one, unless a finished network does as well."""
        return self.finished if self.verdict == FINISHED and self.finished else self.point


def choice_of(study: Study, scores: Scores, ceiling: Ceiling) -> Choice:
    """Choose a network by the validation people, and judge it by the test people, whose ``scores`` and ``ceiling``
    these are."""
    profile, metric = study.profile, SCORE_NAME[study.profile.yardstick]
    points = [at for at in scores.runs if at != FLOOR and not profile.is_source_network(at.arm)]
    people = partial(people_of, study)
    validation = on_what_all_have(each_seed(study, points, partial(held_out, study)))
    found = {at: validation.of(at)[metric].value for at in points}
    ranked = sorted(points, key=lambda at: (-found[at], people(at)))
    best = ranked[0]
    leads = {at: validation.compare(best, at)[metric] for at in ranked[1:]}
    tied_with_it = [at for at, lead in leads.items() if tied(lead, profile.margin)]
    chosen = min([best, *tied_with_it], key=lambda at: (people(at), -found[at]))
    finished = next((at for at in ranked if at.arm in profile.finished_networks), None)

    tested = Scores(scores.runs, pck_scores)
    rows = [
        {
            **at._asdict(),
            "people": people(at),
            "metric": metric,
            "validation": found.get(at),
            **_columns("validation_behind", leads.get(at)),
            **_score(tested.of(at)[metric]),
            **_columns("behind", None if at == chosen else tested.compare(chosen, at)[metric]),
        }
        for at in (*ranked, FLOOR)
    ]
    verdict = _verdict(tested, chosen, finished, metric, profile.margin, _second_person(study, ceiling))
    return Choice(chosen.arm, chosen.images, best, finished, verdict, validation, pd.DataFrame(rows))


def held_out(study: Study, point: Point, seed: int) -> Matched:
    """A network of one seed on the people whom it held out.

    With folds it is several networks, and who is held out in two folds counts in each, in one group with himself.
    """
    networks = validated(study, point, seed)

    def of_all(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
        of_folds = [table.assign(image_id=f"{fold}/" + table["image_id"]) for fold, table in enumerate(tables)]
        return pd.concat(of_folds, ignore_index=True)

    joints, people = (of_all(getattr(network, name) for network in networks) for name in ("joints", "people"))
    return replace(networks[0], joints=joints, people=people)


def on_what_all_have(runs: Mapping[Point, Sequence[Matched]]) -> Scores:
    """PCK scores of networks whose seeds were tried on people of their own, for each point one for each seed.

    All count on what all of them have: the joints, and of each seed the people. Resampled are the people of all seeds,
    of whom each seed's network counts on its own. So where seeds share nobody, how they differ holds what is chance in
    people as well, and the interval (:mod:`monkey_transfer.metrics.estimate`) rests on that alone.
    """
    joints = frozenset.intersection(*(_keypoints(of_seeds) for of_seeds in runs.values()))
    whom = [
        frozenset.intersection(*(frozenset(run.people["image_id"]) for run in of_seed))
        for of_seed in zip(*runs.values(), strict=True)
    ]
    first = next(iter(runs.values()))
    own = [run.people[run.people["image_id"].isin(ids)] for run, ids in zip(first, whom, strict=True)]
    everybody = pd.concat(own).drop_duplicates("image_id").sort_values("image_id", ignore_index=True)

    def shared(run: Matched, ids: frozenset[str]) -> Matched:
        counts = run.joints["image_id"].isin(ids) & run.joints["keypoint"].isin(joints)
        return replace(run, joints=run.joints[counts].reset_index(drop=True), people=everybody)

    return Scores(
        {at: [shared(run, ids) for run, ids in zip(of_seeds, whom, strict=True)] for at, of_seeds in runs.items()},
        pck_scores,
    )


def tied(lead: Estimate, margin: float) -> bool:
    """Whether a lead is no reason to take the leader: smaller than what matters, and not shown to be more than chance.

    A lead without an interval is not shown.
    """
    return lead.value < margin and not lead.low > 0


def _verdict(
    tested: Scores, chosen: Point, finished: Point | None, metric: str, margin: float, second_person: float
) -> str:
    score, over_floor = tested.of(chosen)[metric], tested.compare(chosen, FLOOR)[metric]
    if score.note or over_floor.note or score.over == "people":
        return NO_VERDICT
    if over_floor.low <= 0:
        return NOT_USABLE
    other = finished if finished and finished != chosen and tested.compare(finished, FLOOR)[metric].low > 0 else None
    if other and tied(tested.compare(chosen, other)[metric], margin):
        return FINISHED
    if score.value >= second_person:
        return SECOND_PERSON
    return CHECK if score.low > HALF else FIRST_GUESS


def _second_person(study: Study, measured: Ceiling) -> float:
    """What a score has to reach to be within what a second person's would be, in percent; NaN where it is not known."""
    if study.profile.ceiling is not None:
        return study.profile.ceiling
    return float("nan") if measured.table.empty else float(overall(measured.table, AGREE).low)


def _score(found: Estimate) -> dict[str, object]:
    return {"value": found.value, "low": found.low, "high": found.high, "note": found.note}


def _columns(name: str, lead: Estimate | None) -> dict[str, object]:
    """A lead as columns; nothing in them for the leader, and for whom it is not known."""
    told = (lead.value, lead.low, lead.high, lead.note) if lead else (*[float("nan")] * 3, "")
    return dict(zip((f"{name}{end}" for end in ("", "_low", "_high", "_note")), told, strict=True))


def _keypoints(of_seeds: Iterable[Matched]) -> frozenset[str]:
    return frozenset().union(*(run.joints["keypoint"] for run in of_seeds))
