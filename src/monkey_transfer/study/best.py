"""The network to take: an arm of a study, trained on everybody whom somebody has labelled."""

from monkey_transfer.errors import StudyError
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Best, run_of
from monkey_transfer.study.training import train, train_arm, train_networks


def best_at(study: Study, arm: str, seed: int) -> Best:
    """The network that :func:`train_everybody` trains, finished or not.

    StudyError if the profile lacks the arm or the seed, or the arm does not learn people of the target.
    """
    profile, learns = study.profile, study.profile.arm(arm).learns
    if learns != "target":
        others = ", ".join(name for name, one in profile.arms.items() if one.learns == "target")
        raise StudyError(
            f"profile {profile.name}: arm '{arm}' learns {learns}, expected one that learns the target: {others}"
        )
    parent = profile.arm(arm).parent
    if profile.folds and parent and profile.learns_people(parent):
        raise StudyError(
            f"profile {profile.name}: arm '{arm}' starts from '{parent}', of which there is a network for each fold: "
            "expected an arm that starts from one that learns no people of the target"
        )
    run = run_of(profile, arm, seed)
    return Best(run.profile, arm, run.images, seed)


def train_everybody(study: Study, best: Best) -> None:
    """Train an arm on all labelled pictures of the target, whatever part of the split they are in, scored or not.

    It goes through the schedule of the arm's largest number of pictures, as often as its runs of that seed went, and
    keeps the last snapshot: nobody is held out by whom to stop or to choose one. Those runs are trained first, unless
    they are there, for they alone say what it is worth. It goes on where it was killed, and is there already while
    nothing that it depends on has changed; what was there before stays beside it. StudyError as of
    :func:`monkey_transfer.study.training.train_arm`.
    """
    train_arm(study, best.arm, best.seed, best.images)
    if (parent := study.profile.arm(best.arm).parent) and not all(
        run.has_network for run in study.runs_of(parent, best.seed)
    ):
        train_networks(study, parent, best.seed)
    train(study, best)
