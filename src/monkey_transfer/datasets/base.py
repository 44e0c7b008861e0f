"""What every data set is once it has been read: tables, a skeleton and a name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
    left_out : what the files hold and this data set does not: image_id, keypoint (empty for the whole person), reason.
    own_names : what the files call a keypoint, where that may be another name than the skeleton's.
    groups : what the ``group`` of a picture is, in one word of the plural.
    rendered : True when the pictures are drawn by a computer; results must then say so.
    """

    name: str
    skeleton: Skeleton
    images: pd.DataFrame
    labels: pd.DataFrame
    reference_lengths: pd.DataFrame
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=tables.LEFT_OUT, dtype=str))
    own_names: Mapping[str, str] = field(default_factory=dict)
    groups: str = "pictures"
    rendered: bool = False

    def __post_init__(self) -> None:
        tables.refuse_repeated(self.images, ["image_id"], f"data set {self.name}, images")
        tables.refuse_repeated(self.labels, ["image_id", "keypoint"], f"data set {self.name}, labels")
        tables.refuse_repeated(self.reference_lengths, ["image_id", "name"], f"data set {self.name}, reference lengths")

    @classmethod
    def checked(cls, origin: object, **parts) -> "Dataset":
        """Build a Dataset whose tables were read from ``origin``; StudyError if one of them breaks its contract."""
        if parts["images"].empty:
            raise StudyError(f"{origin}: the data set is empty; expected at least one labelled picture")
        for schema in (tables.IMAGES, tables.LABELS, tables.REFERENCE_LENGTHS):
            parts[schema.name] = tables.check(parts[schema.name], schema, origin)
        return cls(**parts)

    @property
    def own_skeleton(self) -> Skeleton:
        """The skeleton under the names that the files have: what a network calls the joints that it learns here."""
        return self.skeleton.renamed(self.own_names)

    def subset(self, image_ids) -> "Dataset":
        """The same data set with those images only, each once, in the order in which they are first named."""
        ids = pd.Index(image_ids)
        known = pd.Index(self.images["image_id"])
        if not ids.isin(known).all():
            raise StudyError(f"data set {self.name} has no image '{ids[~ids.isin(known)][0]}'")
        order = {image_id: place for place, image_id in enumerate(dict.fromkeys(ids))}

        def chosen(table: pd.DataFrame) -> pd.DataFrame:
            table = table[table["image_id"].isin(order)]
            return table.sort_values("image_id", key=lambda c: c.map(order), kind="stable").reset_index(drop=True)

        images, labels, lengths = map(chosen, (self.images, self.labels, self.reference_lengths))
        return replace(self, images=images, labels=labels, reference_lengths=lengths)

    def named_by(self, keypoint_of: Mapping[str, str]) -> "Dataset":
        """The same data set with the names that lead to its keypoints as its own.

        Keypoints that are labelled in no picture are left out, or networks would learn to find them.
        """
        known = self.labels.loc[self.labels["labelled"], "keypoint"].unique()
        labels = self.labels[self.labels["keypoint"].isin(known)].reset_index(drop=True)
        own_names = {keypoint: name for name, keypoint in keypoint_of.items()}
        return replace(self, skeleton=self.skeleton.only(known), labels=labels, own_names=own_names)

    def measured_by(self, yardstick: str) -> "Dataset":
        """The people whose length of that name is known; the others are added to ``left_out``.

        Raises StudyError naming the known lengths if it is known for nobody.
        """
        lengths = self.reference_lengths
        known = self.images["image_id"].isin(lengths.loc[lengths["name"] == yardstick, "image_id"])
        if not known.any():
            raise StudyError(
                f"yardstick '{yardstick}' is not known for any picture of data set {self.name}; "
                f"expected one of {', '.join(sorted(lengths['name'].unique()))}"
            )
        kept = self.subset(self.images.loc[known, "image_id"])
        return kept.leaving_out(self.images.loc[~known, "image_id"], f"the yardstick {yardstick} is not known")

    def leaving_out(self, image_ids: Iterable[str], reason: Any, keypoints: Any = "") -> "Dataset":
        """The same data set with more in ``left_out``: people or, named one each, their ``keypoints``."""
        rows = pd.DataFrame({"image_id": list(image_ids), "keypoint": keypoints, "reason": reason}, dtype=str)
        return replace(self, left_out=pd.concat([self.left_out, rows], ignore_index=True))

    def __len__(self) -> int:
        return len(self.images)
