"""Where the data sets and networks of the study come from, and on what terms.

What is written here was read at the source that stands beside it, or in the lists that DeepLabCut and
dlclibrary bring along (a test compares them). None means that no source says it. Checksums are the
publisher's, or of somebody who builds with the file; where there is none, the first download's is kept.
"""

from dataclasses import dataclass, field

GB, MB = 10**9, 10**6


@dataclass(frozen=True)
class Archive:
    """One archive, and what it becomes in the data folder.

    Attributes
    ----------
    purpose : what the study needs it for.
    address : where it is fetched from.
    file : its name under ``archives/`` of the data folder.
    page : where people find it, with its terms.
    place : the folder or file that it becomes, relative to the data folder.
    inside : the part of the archive that becomes ``place``; '.' for all of it.
    holds : patterns inside ``place``, and of each how many files there are at least.
    unpacked_limit : bytes that it may unpack to.
    size : bytes of the archive.
    sha256 : of the archive, in hexadecimal digits.
    licence, citation : as its publisher words them.
    """

    purpose: str
    address: str
    file: str
    page: str
    place: str
    inside: str
    unpacked_limit: int
    holds: dict[str, int] = field(default_factory=dict)
    size: int | None = None
    sha256: str | None = None
    licence: str | None = None
    citation: str | None = None


def _zoo(name: str, repository: str, file: str, size: int, sha256: str, licence: str | None, citation: str) -> Archive:
    """A network of DeepLabCut's zoo: addresses from dlclibrary/dlcmodelzoo/modelzoo_urls.yaml, the rest from
    the repository at Hugging Face, whose Git LFS pointer holds size and sha256.
    """
    page = f"https://huggingface.co/{repository}"
    return Archive(
        purpose=f"network {name} of DeepLabCut's zoo",
        address=f"{page}/resolve/main/{file}",  # as huggingface_hub, which dlclibrary calls, builds it
        file=file,
        page=page,
        place=f"zoo/{name}",
        inside=".",
        holds={"**/pose_cfg.yaml": 1, "**/*.index": 1, "**/*.data-*": 1},
        unpacked_limit=2 * GB,
        size=size,
        sha256=sha256,
        licence=licence,
        citation=citation,
    )


def _imagenet(net_type: str, address: str, page: str, citation: str, sha256: str | None = None) -> Archive:
    """An ImageNet checkpoint of TF-Slim: addresses from DeepLabCut's pose_estimation_tensorflow/models/pretrained/
    pretrained_model_urls.yaml. Neither list states a licence of the weights; the code beside them is Apache 2.0.
    """
    return Archive(
        purpose=f"ImageNet weights of {net_type}",
        address=address,
        file=address.rpartition("/")[2],
        page=page,
        place=f"imagenet/{net_type}",
        inside=".",
        holds={"**/*.ckpt*": 1},
        unpacked_limit=GB,
        sha256=sha256,
        citation=citation,
    )


_SLIM = "https://github.com/tensorflow/models/tree/master/research/slim"
_RESNET = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"
_MOBILENET = "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018"
_MPII = (
    "Andriluka, Pishchulin, Gehler and Schiele, 2D Human Pose Estimation: New Benchmark and State of the Art "
    "Analysis, CVPR 2014"
)
_MPII_PAGE = "http://human-pose.mpi-inf.mpg.de"

# sha256 as in the recipes of github.com/renesas-rz/meta-renesas-ai (meta-benchmark/.../benchmark.bb), which
# fetch from the same addresses.
_MOBILENET_SHA256 = {
    "1.0": "318084bc1b63d6d7b854553e09cdf77078b1c0168be27c59a0d44253b5ed49dc",
    "0.75": "335cd22c7e1c5e80205dedd6e2ff5d1d8af5c29074496eb047fd621349e10cc5",
    "0.5": "813febbdbe2a7a50055ee2f6b374938aed03e2f607f63f3479622aefc4e12b00",
    "0.35": "efcc34277c52f7dd4b0b26c2f52686793f4ea5fdddc899ac5aac9eb8d5861550",
}

# Networks are named as in an arm's init.
ARCHIVES: dict[str, Archive] = {
    # Sizes as on its page. The pictures unpack to 'images' and are 24,984 (card of Voxel51/MPII_Human_Pose_Dataset at
    # Hugging Face). Terms from the page and from README and bsd.txt beside the annotations.
    "mpii_images": Archive(
        purpose="pictures of people (MPII Human Pose)",
        address="https://datasets.d2.mpi-inf.mpg.de/andriluka14cvpr/mpii_human_pose_v1.tar.gz",
        file="mpii_human_pose_v1.tar.gz",
        page=_MPII_PAGE,
        place="mpii/images",
        inside="images",
        holds={"*.jpg": 24_984},
        unpacked_limit=20 * GB,
        size=12_900 * MB,
        licence="for research; no commercial use, the pictures are not the authors'",
        citation=_MPII,
    ),
    "mpii_annotations": Archive(
        purpose="labels of people (MPII Human Pose)",
        address="https://datasets.d2.mpi-inf.mpg.de/andriluka14cvpr/mpii_human_pose_v1_u12_2.zip",
        file="mpii_human_pose_v1_u12_2.zip",
        page=_MPII_PAGE,
        place="mpii/mpii_human_pose_v1_u12_1.mat",
        inside="mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat",
        unpacked_limit=GB,
        size=12_500_000,
        licence="Simplified BSD, for research",
        citation=_MPII,
    ),
    # Address and layout as in the documentation of MMPose (docs/en/dataset_zoo/2d_animal_keypoint.md) and in scripts
    # that unzip what it sends; number of pictures from its page. No source tells its terms.
    "macaquepose": Archive(
        purpose="pictures and labels of macaques (MacaquePose v1)",
        address="http://pri.ehub.kyoto-u.ac.jp/datasets/macaquepose/download.php",
        file="macaquepose_v1.zip",
        page="http://pri.ehub.kyoto-u.ac.jp/datasets/macaquepose/index.html",
        place="macaquepose/v1",
        inside="v1",
        holds={"annotations.csv": 1, "images/*.jpg": 13_083},
        unpacked_limit=20 * GB,
        citation="Labuguen et al., MacaquePose: A Novel 'In the Wild' Macaque Monkey Pose Dataset for Markerless "
        "Motion Capture, Frontiers in Behavioral Neuroscience 14, 2021",
    ),
    # README of the archive. The site has been reported unreachable since 2021; hr-lspet.zip, which others offer
    # instead, holds other pictures.
    "lspet": Archive(
        purpose="pictures and labels of people (Leeds Sports Pose Extended)",
        address="http://sam.johnson.io/research/lspet_dataset.zip",
        file="lspet_dataset.zip",
        page="http://sam.johnson.io/research/lspet.html",
        place="lspet",
        inside=".",
        holds={"joints.mat": 1, "images/*.jpg": 10_000},
        unpacked_limit=2 * GB,
        citation="Johnson and Everingham, Learning Effective Human Pose Estimation from Inaccurate Annotation, "
        "CVPR 2011",
    ),
    "zoo:full_macaque": _zoo(
        "full_macaque",
        repository="mwmathis/DeepLabCutModelZoo-macaque_full",
        file="DLC_macaque_full_resnet50.tar.gz",
        size=182_137_107,
        sha256="e0aeb61296df79ab14c5e8f70b04a0e011624a02c191cc2d1c364fa4c0125ec3",
        licence=None,  # its card says 'unknown'
        citation="Labuguen et al., MacaquePose, Frontiers in Behavioral Neuroscience 14, 2021",
    ),
    "zoo:full_human": _zoo(
        "full_human",
        repository="mwmathis/DeepLabCutModelZoo-DLC_human_fullbody_resnet_101",
        file="DLC_human_dancing_resnet_101_iteration-0_shuffle-1.tar.gz",
        size=323_018_062,
        sha256="490ab936d3e424ece9106457871f93639463ebc37196e28aabc65b8a314f4f8d",
        licence="LGPL 3.0",
        citation="Insafutdinov et al., DeeperCut, ECCV 2016 (arXiv 1605.03170)",
    ),
    **{
        f"imagenet:resnet_{depth}": _imagenet(
            f"resnet_{depth}",
            address=f"http://download.tensorflow.org/models/resnet_v1_{depth}_2016_08_28.tar.gz",
            page=_SLIM,
            citation=_RESNET,
        )
        for depth in (50, 101)
    },
    **{
        f"imagenet:mobilenet_v2_{width}": _imagenet(
            f"mobilenet_v2_{width}",
            address=f"https://storage.googleapis.com/mobilenet_v2/checkpoints/mobilenet_v2_{width}_224.tgz",
            page=f"{_SLIM}/nets/mobilenet",
            citation=_MOBILENET,
            sha256=sha256,
        )
        for width, sha256 in _MOBILENET_SHA256.items()
    },
}
