"""From the keypoint names of somebody's own files to those of a skeleton."""

from collections.abc import Collection, Mapping

from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import Skeleton


def study_keypoints(
    origin: object, names: Collection[str], skeleton: Skeleton, keypoints: Mapping[str, str] | None
) -> dict[str, str]:
    """Their keypoint -> the skeleton's, for every keypoint that is to be read.

    A mapping is the whole truth: what it does not name is not read, even where the skeleton has a keypoint of
    that name, since the same word may mean another place. Without one every name must be one of the skeleton's,
    spaces counting as underscores, so that nothing is lost unseen. ``origin`` is the file with those ``names``.

    StudyError if nothing is to be read, the mapping names a keypoint that the file has not, a name leads to a keypoint
    that the skeleton has not, or two lead to the same one.
    """
    chosen = dict(keypoints) if keypoints is not None else {name: name.replace(" ", "_") for name in names}
    if not chosen:
        raise StudyError(f"{origin}: the data set is empty: 'keypoints' in the profile name none of {', '.join(names)}")
    name_of: dict[str, str] = {}
    for name, keypoint in chosen.items():
        if name not in names:
            raise StudyError(
                f"{origin}: the profile's 'keypoints' say '{name}: {keypoint}', but the file has no {name!r} "
                f"({', '.join(names)}): correct the name or remove the line"
            )
        if keypoint not in skeleton.keypoints:
            raise StudyError(
                f"{origin}: keypoint {keypoint!r} is not one of skeleton {skeleton.name} "
                f"({', '.join(skeleton.keypoints)}): say under 'keypoints' in the profile which of them "
                f"{name!r} is, leave it out there, or choose another skeleton"
            )
        if (other := name_of.setdefault(keypoint, name)) != name:
            raise StudyError(
                f"{origin}: {other!r} and {name!r} would both be keypoint {keypoint!r} of skeleton "
                f"{skeleton.name}: keep one of them under 'keypoints' in the profile"
            )
    return chosen
