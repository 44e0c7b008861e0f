"""What every data set is once it has been read: tables, a skeleton and a name."""

from dataclasses import dataclass

import pandas as pd

from monkey_transfer import tables
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import Skeleton


@dataclass(frozen=True)
class Dataset:
    """Pictures with labelled joints.

    Attributes
    ----------
    name : for titles and messages.
    skeleton : the keypoint set of ``labels``; every image has one row for each of its keypoints.
    images, labels, reference_lengths : see :mod:`monkey_transfer.tables`; original pixels.
    rendered : True when the pictures are drawn by a computer; results must then say so.
    """

    name: str
    skeleton: Skeleton
    images: pd.DataFrame
    labels: pd.DataFrame
    reference_lengths: pd.DataFrame
    rendered: bool = False

    @classmethod
    def checked(cls, origin: object, **parts) -> "Dataset":
        """Build a Dataset whose tables were read from ``origin``; StudyError if one of them breaks its contract."""
        if parts["images"].empty:
            raise StudyError(f"{origin}: the data set is empty; expected at least one labelled picture")
        for name, schema in (
            ("images", tables.IMAGES),
            ("labels", tables.LABELS),
            ("reference_lengths", tables.REFERENCE_LENGTHS),
        ):
            parts[name] = tables.check(parts[name].reset_index(drop=True), schema, origin)
        return cls(**parts)

    def subset(self, image_ids) -> "Dataset":
        """The same data set with those images only, in the order given."""
        ids = pd.Index(image_ids)
        known = pd.Index(self.images["image_id"])
        if not ids.isin(known).all():
            raise StudyError(f"data set {self.name} has no image '{ids[~ids.isin(known)][0]}'")
        order = {image_id: i for i, image_id in enumerate(ids)}

        def chosen(table: pd.DataFrame) -> pd.DataFrame:
            table = table[table["image_id"].isin(order)]
            return table.sort_values("image_id", key=lambda c: c.map(order), kind="stable").reset_index(drop=True)

        return Dataset(
            self.name,
            self.skeleton,
            chosen(self.images),
            chosen(self.labels),
            chosen(self.reference_lengths),
            self.rendered,
        )

    def __len__(self) -> int:
        return len(self.images)
