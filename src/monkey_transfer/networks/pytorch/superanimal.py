"""DeepLabCut's SuperAnimal-Quadruped (Ye et al. 2024), weights to start from: what there is, and where.

A file for each backbone is kept in ``superanimal`` of the data folder. It is a snapshot of DeepLabCut's, of the network
that its ``modelzoo/model_configs`` describe with the joints of ``modelzoo/project_configs/superanimal_quadruped.yaml``,
so that its tensors have the names of a run's.
"""

from monkey_transfer.networks.engine import PublishedFiles, PublishedNetwork
from monkey_transfer.places import data_folder
from monkey_transfer.skeletons import SUPERANIMAL_QUADRUPED_39

SUPERANIMAL = {
    "superanimal:quadruped": PublishedNetwork(
        ("resnet_50_gn", "hrnet_w32"),
        SUPERANIMAL_QUADRUPED_39,
        "80,000 pictures of quadrupeds from public data sets (Ye et al. 2024), some of which have monkeys (AP-10K)",
        heads_built_by={"kind": "deconvolution"},  # of resnet_50_gn; that of hrnet_w32 no run here can have
    ),
}


def archive_of(init: str, net_type: str) -> str:
    """The name of the file in :mod:`monkey_transfer.acquire.archives`."""
    return f"{init}:{net_type}"


def superanimal_network(init: str, net_type: str) -> PublishedFiles:
    """The weights of an init on a backbone in the data folder, fetched if need be, their licence said before.

    StudyError if they are not there and cannot be fetched: it says from where to get them and where to put them.
    """
    from monkey_transfer.acquire.acquire import acquire  # which asks servers

    file = acquire(archive_of(init, net_type), data_folder())
    return PublishedFiles(str(file), SUPERANIMAL[init].skeleton.keypoints, {})
