"""Finished runs out of a report: ``make recover PROFILE=<profile> [REPORT=<folder of a report>]``.

Run as a program, ``python -m monkey_transfer.tell.recovering PROFILE REPORT``, with an empty word for what was not
said.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.files import clear_disk_errors
from monkey_transfer.measure.recovery import recover, refuse_without_key
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.opening import open_study
from monkey_transfer.tell.reports import report_folder


def recovered(profile: str, report: str) -> list[str]:
    """Recover what a report kept of a profile's runs, its own report unless one is named; says what came of it.

    StudyError as of :func:`monkey_transfer.measure.recovery.recover`.
    """
    refuse_without_key(load_profile(profile))
    folder = Path(os.path.expanduser(report)).resolve() if report else report_folder(profile)
    study = open_study(profile)
    back, why_not = recover(study, folder)
    of = f"{len(back)} of {len(study.runs())} runs of profile {profile}"
    reasons = Counter(why_not.values())
    return [
        f"{of} are recovered from {folder}, without their networks.",
        *(f"{number} {'is' if number == 1 else 'are'} not: {why}." for why, number in reasons.items()),
    ]


def main() -> None:
    """The command that the Makefile calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    for word in ("profile", "report"):
        parser.add_argument(word)
    asked = parser.parse_args()
    print_any_letters()
    try:
        with clear_disk_errors():
            print(*recovered(asked.profile, asked.report), sep="\n")
    except StudyError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
