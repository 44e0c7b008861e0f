"""No pair of arms has two values anywhere: every table, page and README is read and held to the report's own tables."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import by_hand
import numpy as np
import pandas as pd
import pytest

from monkey_transfer.measure.comparisons import comparisons
from monkey_transfer.measure.scores import Scores
from monkey_transfer.metrics.written import digits_of
from monkey_transfer.tell.publish import write_report

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
REPORTS = sorted(answer.parent for answer in (ROOT / "reports").glob("*/answer.md"))

_GAP = r"(?:\s|<br\s*/?>)*"
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_SIGNED = rf"[-+\N{{MINUS SIGN}}]{_NUMBER}"


def _with_interval(value: str, bound: str) -> str:
    return rf"(?P<value>{value}){_GAP}\[(?P<low>{bound}),{_GAP}(?P<high>{bound})\]"


DIFFERENCE = re.compile(_with_interval(_SIGNED, _SIGNED))
SCORE = re.compile(rf"(?<![-+\N{{MINUS SIGN}}\d.,]){_with_interval(_NUMBER, f'-?{_NUMBER}')}")
OF_A_PAIR = re.compile(rf"`(?P<a>\w+)` minus{_GAP}`(?P<b>\w+)`:{_GAP}{_with_interval(_SIGNED, _SIGNED)}")


class Printed(NamedTuple):
    """A number with its interval as it stands somewhere, and how many digits it has after the point."""

    value: float
    low: float
    high: float
    digits: int

    @classmethod
    def of(cls, found: re.Match) -> "Printed":
        numbers = [found[name].replace("\N{MINUS SIGN}", "-").replace(",", "") for name in ("value", "low", "high")]
        return cls(*map(float, numbers), len(numbers[0].partition(".")[2]))

    def stands_in(self, table: pd.DataFrame) -> bool:
        """Whether it is a row of a table with the columns value, low, high and digits, after rounding."""
        rows = table[table["digits"] == self.digits]
        # Tables have six digits, so what was rounded from more may be on the other side of a half.
        near = 0.5 * 10.0**-self.digits + 1e-5 * np.maximum(1, rows[["value", "low", "high"]].abs())
        return bool((abs(rows[["value", "low", "high"]] - self[:3]) <= near).all(axis=1).any())


def words_of(file: Path) -> str:
    """The text of a page as it is read, without tags, scripts and styles; markdown as it is."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
        text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return text


def differences_of(report: Path) -> pd.DataFrame:
    """Every comparison of a report: arm_a, arm_b and value, low, high, digits."""
    table = pd.read_csv(report / "tables" / "comparisons.csv")
    return table.assign(value=table["difference"], digits=table["metric"].map(digits_of))


def lines_of(report: Path) -> pd.DataFrame:
    """Differences of two arms among other people and of their angles, what rarity and tilt change, by how much others
    are behind the network to take, what more people would bring, and by how much angles are off, which has a sign as
    well."""
    columns = ["value", "low", "high"]
    parts = [
        table_of(report, "rarity_lines"),
        table_of(report, "tilt_differences"),
        table_of(report, "forecast"),
        table_of(report, "elsewhere_comparisons").rename(columns={"difference": "value"}),
        table_of(report, "angle_differences").rename(columns={"difference": "value"}),
        table_of(report, "choice")
        .drop(columns=columns, errors="ignore")
        .rename(columns={"behind": "value", "behind_low": "low", "behind_high": "high"}),
    ]
    angles = table_of(report, "angles").reindex(columns=["metric", *columns])
    lines = pd.concat(parts).reindex(columns=columns).assign(digits=1)
    return pd.concat([lines, angles.assign(digits=angles["metric"].map(digits_of))])


def scores_of(report: Path) -> pd.DataFrame:
    """Scores of every arm, of the test people whole and by tilt and of those elsewhere; and what labels do to them."""
    table = pd.concat(
        [table_of(report, name) for name in ("scores", "tilt", "elsewhere", "ceiling", "hidden_by_labels", "angles")]
    )
    return table.assign(digits=table["metric"].fillna("pck").map(digits_of))


def table_of(report: Path, name: str) -> pd.DataFrame:
    """A table of a report; without rows where the report has none of that name or one without columns."""
    file = report / "tables" / f"{name}.csv"
    return pd.read_csv(file) if file.is_file() and file.stat().st_size > 1 else pd.DataFrame()


def pages_of(report: Path) -> list[Path]:
    return [report / "answer.md", report / "answer.html", *sorted(report.glob("chapters/*.html"))]


def pairs_with_two_values(report: Path) -> list[str]:
    """Pairs of the comparisons that stand there twice, or also the other way round."""
    table = pd.read_csv(report / "tables" / "comparisons.csv")
    names = ["arm_a", "arm_b", "images_a", "images_b", "metric"]
    unordered = [
        (frozenset([(row.arm_a, row.images_a), (row.arm_b, row.images_b)]), row.metric) for row in table.itertuples()
    ]
    twice = table[pd.Series(unordered).duplicated(keep=False)]
    return [" ".join(map(str, row)) for row in twice[names].itertuples(index=False)]


def differences_without_a_row(text: str, differences: pd.DataFrame, others: pd.DataFrame) -> list[str]:
    """Differences of a text that no table has; where the text names the pair, that its rows do not have."""
    strange = [
        found[0]
        for found in DIFFERENCE.finditer(text)
        if not any(Printed.of(found).stands_in(table) for table in (differences, others))
    ]
    for found in OF_A_PAIR.finditer(text):
        own = differences[(differences["arm_a"] == found["a"]) & (differences["arm_b"] == found["b"])]
        if not Printed.of(found).stands_in(own):
            strange.append(found[0])
    return strange


def scores_without_a_row(text: str, scores: pd.DataFrame) -> list[str]:
    return [found[0] for found in SCORE.finditer(text) if not Printed.of(found).stands_in(scores)]


def tables_that_disagree(report: Path) -> Iterator[str]:
    """What tables have otherwise than the scores do: by the profile's yardstick, and in original pixels."""
    names = ["arm", "images", "metric"]
    scores = table_of(report, "scores").set_index(names)["value"]
    for name, chosen in {"readings": "metric == metric", "pixel_errors": "frame == 'original px'"}.items():
        table = table_of(report, name)
        if len(table):
            table = table.query(chosen).set_index(names)["value"]
            both = table[table.index.isin(scores.index)]
            apart = both[~np.isclose(both, scores[both.index], rtol=1e-5, equal_nan=True)]
            yield from (f"{name}: {' '.join(map(str, row))}" for row in apart.index)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
class TestReports:
    def test_each_pair_is_compared_once(self, report):
        assert pairs_with_two_values(report) == []

    def test_every_difference_is_a_comparison(self, report):
        differences, lines = differences_of(report), lines_of(report)
        for page in pages_of(report):
            assert differences_without_a_row(words_of(page), differences, lines) == [], page

    def test_every_score_of_the_answer_is_a_score(self, report):
        scores = scores_of(report)
        for page in pages_of(report)[:2]:
            assert scores_without_a_row(words_of(page), scores) == [], page

    def test_tables_agree(self, report):
        assert list(tables_that_disagree(report)) == []


@pytest.mark.skipif(not REPORTS, reason="no report is here")
def test_readme_has_the_numbers_of_the_reports():
    text = words_of(README)
    differences, lines, scores = (
        pd.concat([read(report) for report in REPORTS]) for read in (differences_of, lines_of, scores_of)
    )
    assert differences_without_a_row(text, differences, lines) == []
    tables = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    assert scores_without_a_row(tables, scores) == []


# Whether this would notice


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report of ten people like each of three, as it is published."""
    with pytest.MonkeyPatch.context() as patch, by_hand.enough() as of_pck, by_hand.resampled(50):
        patch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path_factory.mktemp("made")))
        scores = Scores(of_pck.scores.runs)
        everything = {"table": scores.table(of_pck.people), "comparisons": comparisons(of_pck.study, scores)}
        return write_report(replace(of_pck, scores=scores, **everything)).parent


@pytest.fixture
def report(made, tmp_path):
    """A copy that may be falsified."""
    for file in (*made.glob("answer.*"), *made.glob("tables/*.csv")):
        copy = tmp_path / file.relative_to(made)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(file.read_bytes())
    return tmp_path


def strange_differences(report: Path) -> list[str]:
    differences, lines = differences_of(report), lines_of(report)
    return [
        found for page in pages_of(report) for found in differences_without_a_row(words_of(page), differences, lines)
    ]


def test_a_report_as_it_is_published_agrees_with_itself(report):
    assert pairs_with_two_values(report) == []
    assert strange_differences(report) == []
    assert scores_without_a_row(words_of(report / "answer.md"), scores_of(report)) == []
    assert list(tables_that_disagree(report)) == []
    # And not because nothing was found: a score of every arm, the differences of three questions and their joints.
    text = words_of(report / "answer.md")
    assert len(SCORE.findall(text)) >= 6
    assert len(OF_A_PAIR.findall(text)) == 3
    assert len(DIFFERENCE.findall(words_of(report / "answer.html"))) == len(DIFFERENCE.findall(text)) >= 5


@pytest.mark.parametrize("name", ["answer.md", "answer.html"])
@pytest.mark.parametrize("part", ["value", "low", "high"])
def test_another_number_is_noticed(report, name, part):
    page = report / name
    text = page.read_text(encoding="utf-8")
    found = DIFFERENCE.search(text)
    other = found[part][:-1] + str((int(found[part][-1]) + 2) % 10)
    page.write_text(text[: found.start(part)] + other + text[found.end(part) :], encoding="utf-8")
    assert strange_differences(report)


def test_the_number_of_another_pair_is_noticed(report):
    text = (report / "answer.md").read_text(encoding="utf-8")
    changed = text.replace("`transfer` minus `benchmark`", "`transfer` minus `scratch_longer`")
    (report / "answer.md").write_text(changed, encoding="utf-8")
    assert [found.partition(":")[0] for found in strange_differences(report)] == ["`transfer` minus `scratch_longer`"]


def test_a_score_that_no_table_has_is_noticed(report):
    text = "| transfer | 62.6 [60.0, 65.0] |"
    assert scores_without_a_row(text, scores_of(report)) == ["62.6 [60.0, 65.0]"]


def test_numbers_are_found_in_every_way_they_are_written():
    for text in (
        "-1.2 [-2.0, +0.4]",
        "\N{MINUS SIGN}1.2 [\N{MINUS SIGN}2.0,\N{NO-BREAK SPACE}+0.4]",
        "-1.2<br>[-2.0, +0.4]",
        "-1.2\n[-2.0,\n+0.4]",
    ):
        [found] = DIFFERENCE.finditer(text)
        assert Printed.of(found) == (-1.2, -2.0, 0.4, 1)
        assert not SCORE.search(text)
    [found] = SCORE.finditer("24.1 [21.7, 26.5]")
    assert Printed.of(found) == (24.1, 21.7, 26.5, 1)


def test_a_pair_that_stands_there_twice_or_turned_round_is_noticed(report):
    file = report / "tables" / "comparisons.csv"
    table = pd.read_csv(file)
    pd.concat([table, table.head(1)]).to_csv(file, index=False)
    assert len(pairs_with_two_values(report)) == 2
    names = {"arm_a": "arm_b", "arm_b": "arm_a", "images_a": "images_b", "images_b": "images_a"}
    pd.concat([table, table.head(1).rename(columns=names)]).to_csv(file, index=False)
    assert len(pairs_with_two_values(report)) == 2


def test_tables_with_other_numbers_are_noticed(report):
    file = report / "tables" / "readings.csv"
    table = pd.read_csv(file)
    table.assign(value=table["value"] + 0.1).to_csv(file, index=False)
    assert "readings: transfer 3 pckh" in list(tables_that_disagree(report))
