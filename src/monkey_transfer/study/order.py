"""Which runs come first, so that of a sweep that is cut short there is what the study asks."""

from monkey_transfer.profiles.profile import Profile

# How early a run comes: what is highest comes first.
REST, CURVE, DECIDING = range(3)


def urgency(profile: Profile) -> dict[tuple[str, int], int]:
    """By arm and number of images, how early its runs come, those of all seeds together.

    Deciding are both arms of every primary question, and ``transfer`` and its control, at the numbers of images at
    which they are asked about, and the arms that these start from. Then come the same arms at other numbers, the rest
    of their learning curves, then all others.
    """
    asked = {("transfer", profile.compared_size), (profile.control, profile.compared_size)}
    for question in profile.questions:
        asked |= {(question.a, question.images_a), (question.b, question.images_b)}
    parents = {(name, profile.arm(name).largest) for arm, _ in asked for name in profile.lineage(arm)[1:]}
    deciding = asked | parents
    arms = {arm for arm, _ in deciding}
    return {
        (name, images): DECIDING if (name, images) in deciding else CURVE if name in arms else REST
        for name, arm in profile.arms.items()
        for images in arm.sizes
    }
