"""From the keypoint names of somebody's own files to those of a skeleton."""

from collections.abc import Collection, Mapping

from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import Skeleton


def study_keypoints(
    origin: object, names: Collection[str], skeleton: Skeleton, keypoints: Mapping[str, str] | None
) -> dict[str, str]:
    """Their keypoint -> the skeleton's, for every keypoint that is to be read.

    A mapping is the whole truth: what it does not name is not read, even where the skeleton has a keypoint of
    that name, since the same word may mean another place. Without a mapping every name must be one of the
    skeleton's, spaces counting as underscores, so that nothing is lost unseen.

    Parameters
    ----------
    origin : the file that was read, for messages.
    names : the keypoints in that file.
    skeleton : the keypoint set to bring them to.
    keypoints : ``keypoints`` of the profile's data set.

    Raises
    ------
    StudyError
        If the mapping names a keypoint that the file has not, a name leads to a keypoint that the skeleton has
        not, or two lead to the same one.
    """
    chosen = dict(keypoints) if keypoints is not None else {name: name.replace(" ", "_") for name in names}
    name_of: dict[str, str] = {}
    for name, keypoint in chosen.items():
        if name not in names:
            raise StudyError(
                f"{origin}: the profile's 'keypoints' say '{name}: {keypoint}', but the file has no '{name}' "
                f"({', '.join(names)}): correct the name or remove the line"
            )
        if keypoint not in skeleton.keypoints:
            raise StudyError(
                f"{origin}: keypoint '{keypoint}' is not one of skeleton {skeleton.name} "
                f"({', '.join(skeleton.keypoints)}): say under 'keypoints' in the profile which of them "
                f"'{name}' is, leave it out there, or choose another skeleton"
            )
        if keypoint in name_of:
            raise StudyError(
                f"{origin}: '{name_of[keypoint]}' and '{name}' would both be keypoint '{keypoint}' of skeleton "
                f"{skeleton.name}: keep one of them under 'keypoints' in the profile"
            )
        name_of[keypoint] = name
    return chosen
