"""Falsify measuring and telling code, one way at a time, and count what the unit tests notice: ``make mutants``.

Each mutant is a copy of the project in which one piece of code says something else. It is noticed if a unit test fails.
The last line is ``N of M noticed``.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src/monkey_transfer")
# In this order: those that notice most come first. Tests of data formats, rendering and jobs have nothing to say here.
TESTS = (
    *("by_hand", "scores", "comparisons", "claims", "controls", "answer", "reading", "closing", "evidence", "leaks"),
    *("metrics_headline", "metrics_estimate", "metrics_matching", "metrics_pckh", "metrics_detection", "metrics_oks"),
    *("metrics_error_types", "metrics_curves", "metrics_bootstrap", "rare_poses", "splits", "near_duplicates", "paper"),
    *("tilt", "where_it_helps", "ceiling", "planning", "metrics_planning", "metrics_extrapolation", "order", "jobs"),
    "forecast",
    *("departures", "plots", "pages", "profiles", "runs", "consistency"),
    *("metrics_angles", "metrics_agreement", "measure_angles", "choice", "folds"),
)
_COPIED = ("src", "tests", "config", "docs", "workflow", "benchmarks", "notebooks", "pyproject.toml", "README.md")
_SECONDS = 900
# Where the name of a module does not say which tests are about it.
_ABOUT = {
    "opening": ("near_duplicates", "splits"),
    "results": ("by_hand",),
    "budgets": ("by_hand",),
    "metrics_written": ("reading", "answer"),
}


class Mutant(NamedTuple):
    """In ``file`` of the package, ``old``, which stands there once, becomes ``new``: ``what`` that makes wrong."""

    what: str
    file: str
    old: str
    new: str


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "the sign of 'ours minus paper'",
        "measure/results.py",
        'table.assign(minus_paper=table["value"] - table["paper"])',
        'table.assign(minus_paper=table["paper"] - table["value"])',
    ),
    Mutant(
        "the network's frame is inverted",
        "metrics/matching.py",
        "{column: joints[column] * factor for column in pixels}",
        "{column: joints[column] / factor for column in pixels}",
    ),
    Mutant(
        "the leak audit forgets validation people",
        "measure/leaks.py",
        "(*draw.training_subset(images), *draw.validation[:validation])",
        "draw.training_subset(images)",
    ),
    Mutant(
        "the leak audit sees one seed",
        "measure/leaks.py",
        "for seed in seeds]",
        "for seed in [*seeds][:1]]",
    ),
    Mutant(
        "the two frames of the error table are swapped",
        "measure/results.py",
        '{"original px": scores, "network px": in_network_frame(study, scores)}',
        '{"network px": scores, "original px": in_network_frame(study, scores)}',
    ),
    Mutant(
        "readings ignore the yardstick",
        "measure/scores.py",
        "as_committed(study.predictions(point.arm, seed, point.images)), yardstick)",
        "as_committed(study.predictions(point.arm, seed, point.images)))",
    ),
    Mutant(
        "rarity is measured against the test people",
        "measure/rare_poses.py",
        "[(part, study.target.subset(draw.training_subset(size))) for",
        "[(part, part.test_people) for",
    ),
    Mutant(
        "with folds all are learnt and tested by the first",
        "study/opening.py",
        "return self._folds[self.fold]",
        "return self._folds[0]",
    ),
    Mutant(
        "near duplicates are not kept together",
        "study/opening.py",
        "images = kept_together(dataset.images, pd.read_parquet(known))",
        "images = dataset.images",
    ),
    Mutant(
        "a learning curve draws its lower bounds",
        "plots/style.py",
        'axes.plot(at, own["value"], marks',
        'axes.plot(at, own["low"], marks',
    ),
    Mutant(
        "differences are b minus a",
        "measure/scores.py",
        "return self.contrast({a: 1, b: -1})",
        "return self.contrast({a: -1, b: 1})",
    ),
    Mutant(
        "arms are compared on all joints of the first",
        "measure/scores.py",
        "shared = frozenset.intersection(*map(self.keypoints, points))",
        "shared = self.keypoints(points[0])",
    ),
    Mutant(
        "people counts forget the validation",
        "measure/scores.py",
        "own = point.images + profile.validation_size(point.arm, point.images)",
        "own = point.images",
    ),
    Mutant(
        "thresholds are chosen on the test people",
        "measure/scores.py",
        "threshold_of(held_out)",
        "threshold_of(on_test_people(study, point, seed).joints)",
    ),
    Mutant(
        "the floor is that of the first seed for every seed",
        "measure/scores.py",
        "[floor(study, seed) for seed in study.profile.seeds]",
        "[floor(study, study.profile.seeds[0]) for _ in study.profile.seeds]",
    ),
    Mutant(
        "iterations in all forget the source network",
        "measure/budgets.py",
        "iterations[run] + sum(iterations[parent] for parent in parents)",
        "iterations[run]",
    ),
    Mutant(
        "Holm is dropped",
        "measure/comparisons.py",
        "holm([one.p_different() for one in found])",
        "[one.p_different() for one in found]",
    ),
    Mutant(
        "every question gets the first one's ruling",
        "measure/comparisons.py",
        "ruling(one, different, small, margin)",
        "ruling(found[0], p[0], p_equivalent[0], margin)",
    ),
    Mutant(
        "a question is asked at the smallest number of people",
        "profiles/profile.py",
        "return at if at in sizes else sizes[-1]",
        "return at if at in sizes else sizes[0]",
    ),
    Mutant(
        "higher and lower are swapped",
        "measure/claims.py",
        'way = "higher" if found.value > 0 else "lower"',
        'way = "lower" if found.value > 0 else "higher"',
    ),
    Mutant(
        "Holm's steps are not kept in order",
        "measure/claims.py",
        "np.maximum.accumulate(left * np.take_along_axis(p, order, axis=-1), axis=-1)",
        "left * np.take_along_axis(p, order, axis=-1)",
    ),
    Mutant(
        "the interval forgets the seeds",
        "metrics/estimate.py",
        "variance = of_people + variances.seeds",
        "variance = of_people + 0 * variances.seeds",
    ),
    Mutant(
        "the interval takes a standard normal's quantile",
        "metrics/estimate.py",
        "stats.t.ppf(0.975, freedom)",
        "stats.norm.ppf(0.975)",
    ),
    Mutant(
        "few groups get an interval",
        "metrics/estimate.py",
        "FEWEST_EFFECTIVE = 8",
        "FEWEST_EFFECTIVE = 1",
    ),
    Mutant(
        "scatter of seeds is not divided by their number",
        "metrics/estimate.py",
        "values.var(ddof=1) / seeds",
        "values.var(ddof=1)",
    ),
    Mutant(
        "equivalence is tested against twice the margin",
        "metrics/estimate.py",
        "self._beyond(margin - abs(self.value))",
        "self._beyond(2 * margin - abs(self.value))",
    ),
    Mutant(
        "a hit needs less than the threshold",
        "metrics/matching.py",
        'joints["normalised"] <= CORRECT_WITHIN[reference]',
        'joints["normalised"] < CORRECT_WITHIN[reference]',
    ),
    Mutant(
        "an implausible yardstick has no floor",
        "metrics/matching.py",
        "LEAST_OF_EXPECTED = 0.25",
        "LEAST_OF_EXPECTED = 0.0",
    ),
    Mutant(
        "pelvis and thorax are scored",
        "metrics/pckh.py",
        'NOT_SCORED = ("pelvis", "thorax")',
        "NOT_SCORED = ()",
    ),
    Mutant(
        "precision is over what is correct",
        "metrics/headline.py",
        '"kept/precision": _Ratio(right, kept)',
        '"kept/precision": _Ratio(right, correct)',
    ),
    Mutant(
        "both recalls are over own correct",
        "metrics/headline.py",
        '"kept/recall_over_all_labelled": _Ratio(right, labelled)',
        '"kept/recall_over_all_labelled": _Ratio(right, correct)',
    ),
    Mutant(
        "the median is of raw yardsticks",
        "metrics/headline.py",
        'errors = matched.joints["floored"].to_numpy()',
        'errors = matched.joints["normalised"].to_numpy()',
    ),
    Mutant(
        "a swap of sides counts as an inversion",
        "metrics/error_types.py",
        "(mirrored <= within) & (mirrored <= other), other <= within",
        "(mirrored <= within) & (mirrored <= other) & False, (other <= within) | (mirrored <= within)",
    ),
    Mutant(
        "the paper's threshold is the lowest of the best",
        "metrics/detection.py",
        ".sort_index(ascending=False).cumsum()",
        ".sort_index(ascending=True).cumsum()",
    ),
    Mutant(
        "the control needs what the arm's own curve says",
        "measure/controls.py",
        "{results.people(at): drawn[at] for at in control}",
        "{results.people(at): drawn[point] for at in control}",
    ),
    Mutant(
        "who is first is told by the worst score",
        "measure/controls.py",
        '.learning_curve()["validation_score"].max()',
        '.learning_curve()["validation_score"].min()',
    ),
    Mutant(
        "the answer names the second arm first",
        "tell/answer.py",
        '`{question.a}` minus `{question.b}`: {signed(row)} "',
        '`{question.b}` minus `{question.a}`: {signed(row)} "',
    ),
    Mutant(
        "a useless benchmark is not said",
        "tell/answer.py",
        "if row.low > 0:",
        "if True:",
    ),
    Mutant(
        "an arm that may know the test people is not marked",
        "tell/answer.py",
        'f"{point.arm}\\\\*" if point.arm in results.may_have_seen else point.arm',
        "point.arm",
    ),
    Mutant(
        "seeds draw the same people",
        "study/splits.py",
        'drawn, rest, dropped = _part(split.pool, validation, seed, "validation", split.unscored)',
        'drawn, rest, dropped = _part(split.pool, validation, 0, "validation", split.unscored)',
    ),
    Mutant(
        "who is not scored is tested",
        "study/splits.py",
        "drawn.extend(_shuffled(scored[ids], seed))",
        "drawn.extend(_shuffled(ids, seed))",
    ),
    Mutant(
        "training people are in no order of their seed",
        "study/splits.py",
        "left = _shuffled((image_id for ids in rest for image_id in ids), seed)",
        "left = _shuffled((image_id for ids in rest for image_id in ids), 0)",
    ),
    Mutant(
        "intervals are written without their sign",
        "metrics/written.py",
        'f"+z.{digits_of(row.metric)}f"',
        'f".{digits_of(row.metric)}f"',
    ),
    Mutant(
        "a table shows every arm's smallest number of people",
        "measure/results.py",
        'return table[table["images"] == table["arm"].map(images)]',
        'return table[table["images"] <= table["arm"].map(images)]',
    ),
    Mutant(
        "a report keeps predictions in half precision",
        "measure/evidence.py",
        '"float32"',
        '"float16"',
    ),
    Mutant(
        "chapter 7 gives the end of the line for its slope",
        "tell/closing.py",
        'rare.lines["quantity"] == "slope"',
        'rare.lines["quantity"] == "rarest"',
    ),
    Mutant("up is down", "measure/tilt.py", "np.arctan2(x, -y)", "np.arctan2(x, y)"),
    Mutant("the interaction is turned round", "measure/tilt.py", "estimate([x.minus(y)", "estimate([y.minus(x)"),
    Mutant(
        "differences by tilt are turned round",
        "measure/where_it_helps.py",
        "{Point(a, images_a): 1, Point(b, images_b): -1}",
        "{Point(a, images_a): -1, Point(b, images_b): 1}",
    ),
    Mutant(
        "finished networks of monkeys are for people",
        "profiles/profile.py",
        'return arm == "baseline" or self.arm(arm).learns_a_source',
        "return self.arm(arm).learns_a_source",
    ),
    Mutant(
        "a plan forgets that there are several questions",
        "measure/planning.py",
        "level = LEVEL / len(profile.questions)",
        "level = LEVEL",
    ),
    Mutant(
        "more people do not make seeds agree",
        "metrics/planning.py",
        "left = self.seed - self.both * (1 - 1 / times)",
        "left = self.seed",
    ),
    Mutant(
        "a law is fitted to accuracy instead of error",
        "metrics/extrapolation.py",
        "errors = np.clip(100 - scores, 0, 100)[:, None, :]",
        "errors = np.clip(scores, 0, 100)[:, None, :]",
    ),
    Mutant(
        "a forecast is as sure as the curve is known",
        "metrics/extrapolation.py",
        "np.minimum(midway + missed, 100 - score)",
        "np.minimum(midway, 100 - score)",
    ),
    Mutant(
        "a curve that may be level is said to help",
        "measure/forecast.py",
        "HELPS if low > 0 else OPEN",
        "HELPS",
    ),
    Mutant(
        "nobody can be near both of two labels that are one threshold apart",
        "measure/ceiling.py",
        'MOST: Reading(lambda joints, within: joints["normalised"] <= 2 * within',
        'MOST: Reading(lambda joints, within: joints["normalised"] <= within',
    ),
    Mutant(
        "labels hide as much as they take",
        "measure/ceiling.py",
        "lambda share: score * (100 / share - 1)",
        "lambda share: score * (100 - share) / 100",
    ),
    Mutant(
        "the trunk's angle is taken the long way round",
        "metrics/angles.py",
        'short = away.where(pairs["angle"] != TRUNK, (away + 180) % 360 - 180)',
        "short = away",
    ),
    Mutant(
        "limits of agreement forget that angles of one patient are alike",
        "metrics/agreement.py",
        "return np.maximum(0, (between / of_groups - left) / pairs_of_a_group) + left",
        "return left",
    ),
    Mutant(
        "people who are set aside may be learnt by everybody",
        "study/splits.py",
        "rest = replace(split, pool=tuple(sorted(left)), dropped=split.dropped + dropped)",
        "rest = split",
    ),
    Mutant(
        "people who were learnt first cost nothing",
        "measure/scores.py",
        'of_target = [name for name in before if profile.arm(name).learns == "set_aside"]',
        "of_target: list[str] = []",
    ),
    Mutant(
        "the floor knows the people of the largest arm",
        "measure/matched.py",
        'training_subset(study.profile.asked_size("transfer"))',
        'training_subset(study.profile.arm("transfer").largest)',
    ),
)


def is_noticed(mutant: Mutant, tests: tuple[str, ...] = TESTS) -> bool:
    """Whether a unit test fails on the mutant; an error if the mutant cannot be made or the tests cannot run."""
    with tempfile.TemporaryDirectory() as scratch:
        project = copied(Path(scratch) / "project")
        file = project / PACKAGE / mutant.file
        file.write_text(mutated(mutant, file.read_text(encoding="utf-8")), encoding="utf-8")
        environment = os.environ | {"PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        ordered = sorted(tests, key=lambda test: test not in closest_to(mutant.file))
        files = [name for test in ordered if (project / (name := f"tests/unit/test_{test}.py")).is_file()]
        ran = subprocess.run(
            [*command, *files], cwd=project, env=environment, capture_output=True, text=True, timeout=_SECONDS
        )
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"{mutant.what}: the tests could not run: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 1


def closest_to(file: str) -> set[str]:
    """The tests that are about a module, which are likely to notice first."""
    path = Path(file).with_suffix("")
    name = path.name if path.parent.name != "metrics" else f"metrics_{path.name}"
    return {name, path.parent.name, *_ABOUT.get(name, ())}


def mutated(mutant: Mutant, code: str) -> str:
    """The file's code with the mutant's change."""
    if code.count(mutant.old) != 1:
        raise ValueError(f"{mutant.what}: expected once in {mutant.file}, found {code.count(mutant.old)}: {mutant.old}")
    return code.replace(mutant.old, mutant.new)


def copied(project: Path) -> Path:
    """A copy of what the unit tests read; reports are large and only linked to."""
    project.mkdir()
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copyfile(ROOT / name, project / name)
    (project / "reports").symlink_to(ROOT / "reports")
    return project


def main() -> None:
    """Try the unchanged project, then every mutant, as many at once as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        noticed = 0
        for mutant, found in zip(MUTANTS, pool.map(is_noticed, MUTANTS), strict=True):
            noticed += found
            print(f"{'noticed ' if found else 'SURVIVED'}  {mutant.file}: {mutant.what}", flush=True)
    print(f"{noticed} of {len(MUTANTS)} noticed")


if __name__ == "__main__":
    main()
