"""Runs the workflow: ``python workflow/run.py PROFILE CLUSTER [option of Snakemake...]``, CLUSTER '' for this machine.

Of Snakemake's messages only errors are told, in one sentence each, and only if the workflow did not come to its end.
"""

import contextlib
import io
import logging
import os
import re
import sys
import tempfile
from pathlib import Path

from snakemake.cli import args_to_api, parse_args, print_exception
from snakemake.logging import logger

from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.places import ROOT, runs_folder
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.changes import runs_and_changes
from monkey_transfer.study.files import state_of
from monkey_transfer.study.outlook import again, outlook
from monkey_transfer.study.runs import runs_of

CLUSTERS = ROOT / "config" / "cluster"
# What Snakemake says after a notebook that failed and said why itself.
SAID_ALREADY = re.compile(r"returned non-zero exit status 1\.|At least one job did not complete successfully")
# Lines of Python's and Snakemake's own.
TRACE = re.compile(r'^Traceback.*\n(?=\S)|\n  File "[^\n]*', re.DOTALL)
# The kind of exception that Snakemake puts before a message, and the line of the Snakefile that it came from.
ORIGIN = re.compile(r'^(\w*(Error|Exception)( in (rule \w+ in )?file ".*?", line \d+)?: |\[Errno \d+\] )+')


def refuse_unwritable(folder: Path) -> None:
    """StudyError if a folder cannot be made or nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StudyError(
            f"{folder}: runs cannot be kept there ({error.strerror}): name another folder in MONKEY_TRANSFER_RUNS"
        ) from None


def plan(profile: Profile) -> None:
    """Print what runs are missing; StudyError if their data cannot be used."""
    try:
        print(outlook(profile, *runs_and_changes(profile)))
    except StudyError:
        if profile.folds is None:  # else there is one run for each fold, which the data say
            print(outlook(profile, runs_of(profile)))
        raise


def find_a_cache() -> None:
    """Let Snakemake keep its cache with the runs if the home folder is not for writing."""
    try:
        refuse_unwritable(Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")))
    except StudyError:
        os.environ["XDG_CACHE_HOME"] = str(runs_folder() / ".cache")


def where(cluster: str) -> list[str]:
    """Snakemake's options for this machine or a cluster; StudyError if that is unknown."""
    if not cluster:  # 'none', or else $SNAKEMAKE_PROFILE would hold
        return ["--cores", "all", "--profile", "none"]
    known = sorted(file.parent.name for file in CLUSTERS.glob("*/config.yaml"))
    if cluster not in known:
        raise StudyError(f"cluster '{cluster}' is unknown: expected one of {', '.join(known)} ({CLUSTERS})")
    return ["--profile", str(CLUSTERS / cluster)]


def came_to_its_end(options: list[str]) -> bool:
    """Run Snakemake with those options; StudyError if it does not know one."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):  # which options there are: 300 lines
            parser, asked = parse_args(options)
        return args_to_api(asked, parser)
    except SystemExit as ended:
        if not ended.code:  # --help
            raise
        problem = said.getvalue().strip().splitlines()[-1].rpartition("error: ")[2]
        raise StudyError(f"{problem}: expected options of Snakemake in SNAKEMAKE_OPTIONS") from None
    except Exception as error:
        print_exception(error)
        return False


def sentence_of(record: logging.LogRecord) -> str:
    """What an error of Snakemake's says to people, in one line; empty if that was said already."""
    if getattr(record, "rule_msg", None):  # of a cluster, where a job's own words are in a file
        message = record.rule_msg.partition("For further error details")[0]
        return " ".join(f"{Path(record.output[0]).stem}: {message} (log: {', '.join(record.log)})".split())
    if not hasattr(record, "exception") or SAID_ALREADY.search(record.getMessage()):
        return ""
    return "Snakemake: " + ORIGIN.sub("", " ".join(TRACE.sub("", record.getMessage()).split()))


def main(profile: str = "", cluster: str = "", *options: str) -> None:
    """Run the workflow of a profile; ends the process with what is wrong, if anything is."""
    errors: list[logging.LogRecord] = []
    print_any_letters()
    quiet = "--quiet" in options  # Snakemake's own tells what starts, and on a dry run all that would run
    logger.addFilter(lambda record: not quiet if record.levelno < logging.ERROR else errors.append(record))
    try:
        chosen = load_profile(profile)
        if any(option in ("--config", "-C") or option.startswith("--config=") for option in options):
            raise StudyError("--config: names what PROFILE does; take it out of SNAKEMAKE_OPTIONS")
        if "--dry-run" in options:
            plan(chosen)
        else:
            refuse_unwritable(runs_folder())
            for sentence in again(runs_and_changes(chosen)[1]):
                print(sentence, flush=True)
        find_a_cache()
        # A bare 2024 would be taken for a number. The state of the data is asked once, and not by every job.
        named = ["--config", f"profile=!!str {profile}", f"data=!!str {state_of(chosen)}"]
        # Its lock would outlive a killed study; each run and each set of pictures has a lock of its own.
        always = ["--snakefile", str(ROOT / "workflow" / "Snakefile"), "--nolock", "--rerun-incomplete"]
        if came_to_its_end([*always, *named, *where(cluster), *options]):
            return
    except StudyError as error:
        sys.exit(f"error: {error}")
    sys.exit("\n".join(f"error: {sentence}" for sentence in dict.fromkeys(map(sentence_of, errors)) if sentence) or 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
