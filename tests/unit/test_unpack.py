"""Archives as they should be, and archives that climb, link, swell or break off."""

import bz2
import contextlib
import errno
import gzip
import io
import lzma
import random
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from bad_input import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_transfer.acquire import unpack as unpacking
from monkey_transfer.acquire.unpack import unpack
from monkey_transfer.errors import StudyError

# Two files of one name in different folders, as in DeepLabCut's zoo.
CONTENT = {
    "net/train/pose_cfg.yaml": b"net_type: resnet_50\n",
    "net/train/snapshot-1.index": bytes(range(256)) * 40,
    "net/test/pose_cfg.yaml": b"scoremap_dir: test\n",
}
KINDS = ("zip", "tar", "tar.gz")
LIMIT = 1_000_000


def write(file: Path, content: dict[str, bytes]) -> Path:
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        write_tar(file, [(tarfile.TarInfo(name), data) for name, data in content.items()])
    return file


def write_tar(file: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(file, {".gz": "w:gz", ".xz": "w:xz"}.get(file.suffix, "w")) as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def nul() -> bytes:
    """A tar of a file whose name, in a header of its own, holds a NUL."""
    member = tarfile.TarInfo("a")
    member.pax_headers = {"path": "a\0b"}
    return member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@contextlib.contextmanager
def nothing_left(folder: Path) -> Iterator[Path]:
    """A folder to unpack into, which has to be gone afterwards with all that was made beside it."""
    before = sorted(folder.rglob("*"))
    yield folder / "new" / "folder"
    (folder / "new").rmdir()  # fails if there is anything in it
    assert sorted(folder.rglob("*")) == before


def refuses(archive: Path, sentence: str) -> None:
    """The archive is refused with that sentence and leaves nothing behind."""
    with nothing_left(archive.parent) as folder, pytest.raises(StudyError, match=sentence) as caught:
        unpack(archive, folder, LIMIT)
    assert str(caught.value).startswith(f"{archive}: ")


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_keeps_its_folder(tmp_path, kind):
    folder = tmp_path / "zoo" / "net"
    unpack(write(tmp_path / f"a.{kind}", CONTENT), folder, LIMIT)
    assert files_below(folder) == CONTENT
    assert [path.name for path in folder.parent.iterdir()] == ["net"]


def test_what_a_killed_process_left_is_not_mixed_in(tmp_path):
    left = tmp_path / ".net.unfinished" / "left.txt"
    left.parent.mkdir()
    left.write_bytes(b"left")
    unpack(write(tmp_path / "a.zip", CONTENT), tmp_path / "net", LIMIT)
    assert files_below(tmp_path / "net") == CONTENT
    assert not left.parent.exists()


def test_a_folder_with_something_in_it_is_not_overwritten(tmp_path):
    mine = tmp_path / "net" / "mine.txt"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(OSError, match="not empty"):
        unpack(write(tmp_path / "a.zip", CONTENT), mine.parent, LIMIT)
    assert files_below(mine.parent) == {"mine.txt": b"mine"}


@pytest.mark.parametrize("name", ["../evil", "net/../../evil", "/evil", "..\\evil"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_climbs_out(tmp_path, kind, name):
    archive = write(tmp_path / f"a.{kind}", {"net/good": b"good", name: b"evil"})
    refuses(archive, "leads out of the folder that the archive is unpacked into")


@settings(deadline=None)
@given(
    names=st.lists(
        st.lists(st.sampled_from(["..", ".", "", "a", "b", "c.txt"]), min_size=1, max_size=5)
        .map("/".join)
        .filter(bool),
        min_size=1,
        max_size=4,
    ),
    kind=st.sampled_from(["zip", "tar"]),
)
def test_no_name_writes_outside(tmp_path_factory, names, kind):
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "deep" / "deeper" / "folder"
    archive = write(outside / f"a.{kind}", dict.fromkeys(names, b"x"))
    try:
        unpack(archive, folder, LIMIT)
        assert not any(".." in Path(name).parts for name in names)
    except (StudyError, OSError):  # OSError: one name for a file and a folder
        assert not folder.exists()
    assert {f for f in outside.rglob("*") if f.is_file() and not f.is_relative_to(folder)} == {archive}


@pytest.mark.parametrize(
    "kind, target",
    [
        (tarfile.SYMTYPE, "/etc"),
        (tarfile.SYMTYPE, "../.."),
        (tarfile.SYMTYPE, "good"),
        (tarfile.LNKTYPE, "../../a.tar"),
        (tarfile.FIFOTYPE, ""),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
    ],
)
def test_links_and_devices(tmp_path, kind, target):
    special = tarfile.TarInfo("net/special")
    special.type, special.linkname = kind, target
    archive = write_tar(tmp_path / "a.tar", [(tarfile.TarInfo("net/good"), b"good"), (special, b"")])
    refuses(archive, "'net/special' is a link or a device, expected files and folders only")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_swells(tmp_path, kind):
    archive = write(tmp_path / f"a.{kind}", {"small": b"x", "zeros": bytes(LIMIT)})
    refuses(archive, "unpacks to more than 1,000,000 bytes")
    unpack(archive, tmp_path / "folder", LIMIT + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_of_very_many_files(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 10)
    ten = {f"{number}": b"" for number in range(10)}
    unpack(write(tmp_path / f"ten.{kind}", ten), tmp_path / "folder", LIMIT)
    (tmp_path / f"ten.{kind}").unlink()
    refuses(write(tmp_path / f"a.{kind}", ten | {"10": b""}), "or 10 files")


def changed(file: Path, at: int, byte: int | None = None) -> Path:
    """The archive with another byte there."""
    content = bytearray(file.read_bytes())
    content[at] = content[at] ^ 0xFF if byte is None else byte
    file.write_bytes(content)
    return file


def with_header(file: Path, field: slice, value: bytes) -> Path:
    """A tar whose first header says something else, with a checksum that fits."""
    header = bytearray(file.read_bytes())
    header[field], header[148:156] = value, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    file.write_bytes(header)
    return file


def cut(file: Path, size: int) -> Path:
    file.write_bytes(file.read_bytes()[:size])
    return file


def link(file: Path) -> Path:
    member = zipfile.ZipInfo("net/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, "/etc")
    return file


def understating(file: Path) -> Path:
    write(file, {"zeros": bytes(100_000)})
    as_listed = (100_000).to_bytes(4, "little")
    file.write_bytes(file.read_bytes().replace(as_listed, (10).to_bytes(4, "little")))
    return file


def in_both_places(file: Path, field: int, value: int) -> Path:
    """A zip of one file whose header and whose list say something else."""
    write(file, {"a": b"text " * 100})
    listed = file.read_bytes().index(b"PK\1\2")
    return changed(changed(file, field, value), listed + field + 2, value)


def long_header(file: Path) -> Path:
    member = tarfile.TarInfo("long")
    member.type = tarfile.XHDTYPE
    return write_tar(file, [(member, b" " * 2**21), (tarfile.TarInfo("a"), b"a")])


def compressed(file: Path, compress: ModuleType) -> Path:
    """A tar in another compression, with a wrong byte in its middle."""
    made = write(file.with_name("made.tar"), {"a": bytes(range(256)) * 100})
    file.write_bytes(compress.compress(made.read_bytes()))
    made.unlink()
    return changed(file, file.stat().st_size // 2)


def raw(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


BYTES = {"a": bytes(range(256)) * 100, "b": b"b"}
WHOLE_OR_NOT = "is cut short, damaged, or neither a zip nor a tar archive .{}"


@pytest.mark.parametrize(
    "what, make, name, sentence",
    [
        ("a file that climbs out", lambda f: write(f, {"../evil": b"evil"}), "a.zip", "'../evil' leads out of"),
        ("a name with a NUL", lambda f: raw(f, nul()), "a.tar", "leads out of the folder"),
        ("a link", link, "a.zip", "'net/link' is a link or a device, expected files and folders only"),
        ("more than it should hold", lambda f: write(f, {"a": bytes(LIMIT + 1)}), "a.tar.gz", "more than 1,000,000 b"),
        ("a file below a file", lambda f: write(f, {"a": b"", "a/b": b""}), "a.tar", "a name in it is no file's"),
        ("a name that is too long", lambda f: write(f, {"x" * 300: b""}), "a.zip", "a name in it is no file's"),
        ("a size that is understated", understating, "a.zip", WHOLE_OR_NOT.format("Bad CRC-32 for file 'zeros'")),
        (
            "a size below nothing",
            lambda f: with_header(write(f, BYTES), slice(124, 136), (256**12 - 2 * LIMIT).to_bytes(12, "big")),
            "a.tar",
            WHOLE_OR_NOT.format("one of its headers tells of -2,000,000 bytes"),
        ),
        ("a header without end", long_header, "a.tar", WHOLE_OR_NOT.format("one of its headers tells of 2,097,152")),
        ("a password", lambda f: in_both_places(f, 6, 1), "a.zip", "'a' is encrypted, expected an archive without"),
        ("an unknown compression", lambda f: in_both_places(f, 8, 97), "a.zip", WHOLE_OR_NOT.format(".*compression")),
        ("a cut zip", lambda f: cut(write(f, BYTES), 200), "a.zip", WHOLE_OR_NOT.format("File is not a zip file")),
        ("a cut tar", lambda f: cut(write(f, BYTES), 20_000), "a.tar", WHOLE_OR_NOT.format("unexpected end of data")),
        (
            "a tar cut between files",
            lambda f: cut(write(f, BYTES), 512 + 25_600),
            "a.tar",
            WHOLE_OR_NOT.format("its end is missing"),
        ),
        ("a cut gzip", lambda f: cut(write(f, BYTES), 200), "a.tar.gz", WHOLE_OR_NOT.format("Compressed file ended")),
        ("a wrong checksum of a gzip", lambda f: changed(write(f, BYTES), -6), "a.tar.gz", "CRC check failed"),
        ("a wrong header in a tar", lambda f: changed(write(f, BYTES), 512 + 25_600), "a.tar", "bad checksum"),
        ("an empty archive", lambda f: raw(f, b""), "a.zip", WHOLE_OR_NOT.format("its end is missing")),
        (
            "a gzip of something else",
            lambda f: raw(f, gzip.compress(b"text", mtime=0)),
            "a.gz",
            WHOLE_OR_NOT.format(""),
        ),
        (
            "a web page",
            lambda f: raw(f, b"\n<!DOCTYPE html><html>A form</html>"),
            "a.zip",
            "is a web page and no archive",
        ),
    ],
)
def test_whatever_is_wrong_with_an_archive(tmp_path, what, make, name, sentence):
    archive = make(tmp_path / name)
    with nothing_left(tmp_path) as folder, refused("archive", what, match=f"{name}: .*{sentence}"):
        unpack(archive, folder, LIMIT)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda f: changed(write(f, BYTES), 60), "a.zip"),
        (lambda f: changed(write(f, BYTES), 60), "a.tar.gz"),
        (lambda f: cut(write(f, BYTES), 12), "a.tar.gz"),
        (lambda f: compressed(f, lzma), "a.tar.xz"),
        (lambda f: compressed(f, bz2), "a.tar.bz2"),
    ],
)
def test_damage_of_which_every_library_speaks_its_own_words(tmp_path, make, name):
    refuses(make(tmp_path / name), WHOLE_OR_NOT.format(""))


@pytest.mark.parametrize("kind", [*KINDS, "tar.xz"])
@pytest.mark.parametrize("seed", range(20))
def test_no_byte_of_an_archive_makes_a_traceback(tmp_path, kind, seed):
    """Ten bytes are changed at random: either the archive is refused, or they did not matter."""
    archive = write(tmp_path / f"a.{kind}", CONTENT)
    rng = random.Random(seed)
    for _ in range(10):
        changed(archive, rng.randrange(archive.stat().st_size), rng.randrange(256))
    with contextlib.suppress(StudyError):
        unpack(archive, tmp_path / "folder", LIMIT)


def test_a_file_that_is_there_twice_is_the_last(tmp_path):
    twice = [(tarfile.TarInfo("a"), b"first, and longer"), (tarfile.TarInfo("a"), b"last")]
    unpack(write_tar(tmp_path / "a.tar", twice), tmp_path / "folder", LIMIT)
    assert files_below(tmp_path / "folder") == {"a": b"last"}


def test_a_full_disk_is_not_the_archives_fault(tmp_path, monkeypatch):
    def full(*_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unpacking, "_write", full)
    archive = write(tmp_path / "a.zip", CONTENT)
    with nothing_left(tmp_path) as folder, pytest.raises(OSError, match="No space left"):
        unpack(archive, folder, LIMIT)
