"""What tables and sentences share: names of scores, who was tested, lists and tables in markdown."""

from collections.abc import Iterable

import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.metrics.pckh import SCORE_NAME, SCORE_TITLE
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.opening import Study


def score_name(profile: Profile) -> str:
    """Name of the profile's PCK score among the metrics."""
    return SCORE_NAME[profile.yardstick]


def score_title(profile: Profile) -> str:
    """Title of the profile's PCK score, such as PCKh@0.5."""
    return SCORE_TITLE[profile.yardstick]


def counted(study: Study) -> str:
    """What is counted: people, but of own data frames, as several may show one person; unless one shows several."""
    return "frames" if study.profile.own_data and study.target.images["path"].is_unique else "people"


def tested(study: Study) -> str:
    """Such as '200 rendered test people'; of own data such as '100 test frames of 10 videos'."""
    of = _of_groups(study.test_people) if study.profile.own_data else ""
    return f"{len(study.test_people):,} {'rendered ' if study.rendered else ''}test {counted(study)}{of}"


def _of_groups(people: Dataset) -> str:
    """Such as ' of 10 videos' or ' of 10 groups'; how these were found is not said, as it may be by names of people."""
    number, kind = people.images["group"].nunique(), people.groups.partition(" ")[0]
    if number == len(people):
        return ""
    return f" of {number:,} {kind if kind in ('videos', 'folders', 'patients') else 'groups'}"


def chapters(profile: Profile, which: str) -> str:
    """Such as ' (chapter 1)', where more is said; nothing on a page of own data, which is sent without them."""
    return "" if profile.own_data else f" ({which})"


def seeds_in_words(study: Study) -> str:
    """Such as '5 seeds' or 'one seed'."""
    count = len(study.profile.seeds)
    return f"{count} seeds" if count > 1 else "one seed"


def many(number: int, several: str, one: str) -> str:
    """Such as '1,000 people' or '1 person'."""
    return f"{number:,} {one if number == 1 else several}"


def listed(words: Iterable[str]) -> str:
    """Such as 'a, b and c'."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def markdown(table: pd.DataFrame) -> str:
    """A table as markdown, its cells as they are written; columns of numbers are right-aligned."""
    aligned = ["right" if _is_number(table[column]) else "left" for column in table]
    return table.to_markdown(index=False, disable_numparse=True, colalign=aligned)


def _is_number(column: pd.Series) -> bool:
    return column.astype(str).str.match(r"^[-+\u2212]?[\d,.]+( |<br>|$)").all()
