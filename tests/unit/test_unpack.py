"""Archives as they should be, and archives that climb, link, swell or break off."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
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
    with tarfile.open(file, "w:gz" if file.suffix == ".gz" else "w") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def refuses(archive: Path, sentence: str, limit: int = LIMIT) -> None:
    """The archive is refused with that sentence and leaves nothing behind."""
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(StudyError, match=sentence) as refused:
        unpack(archive, archive.parent / "new" / "folder", limit)
    assert str(archive) in str(refused.value)
    (archive.parent / "new").rmdir()  # fails if there is anything in it
    assert sorted(archive.parent.rglob("*")) == before


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


def test_a_link_in_a_zip(tmp_path):
    link = zipfile.ZipInfo("net/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc")
    refuses(tmp_path / "a.zip", "'net/link' is a link or a device")


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


def test_a_zip_whose_list_understates_a_file(tmp_path):
    archive = write(tmp_path / "a.zip", {"zeros": bytes(100_000)})
    as_listed = (100_000).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(as_listed, (10).to_bytes(4, "little")))
    refuses(archive, "cut short or damaged")


def test_a_negative_size_does_not_make_room(tmp_path):
    archive = write_tar(tmp_path / "a.tar", [(tarfile.TarInfo("a"), b""), (tarfile.TarInfo("b"), bytes(LIMIT))])
    header = bytearray(archive.read_bytes())
    header[124:136] = (256**12 - 2 * LIMIT).to_bytes(12, "big")  # tar's base 256
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    archive.write_bytes(header)
    refuses(archive, "unpacks to more than")


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("header", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_is_longer_than_a_name_or_a_date(tmp_path, kind, header):
    """tarfile reads all of it at once, whatever the limits of what is unpacked."""
    member = tarfile.TarInfo("long")
    member.type = header
    refuses(
        write_tar(tmp_path / f"long.{kind}", [(member, b" " * 2**21), (tarfile.TarInfo("a"), b"a")]),
        "one of its headers has 2,097,152 bytes",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_was_cut(tmp_path, kind):
    archive = write(tmp_path / f"a.{kind}", CONTENT)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: whole.index(b"snapshot") + 600] if kind == "tar" else whole[: len(whole) * 2 // 3])
    refuses(archive, "cut short or damaged|neither a zip nor a tar archive")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_with_a_wrong_byte(tmp_path, kind):
    archive = write(tmp_path / f"a.{kind}", {"a": bytes(range(256)) * 100})
    damaged = bytearray(archive.read_bytes())
    damaged[len(damaged) // 3] ^= 0xFF
    archive.write_bytes(damaged)
    refuses(archive, "cut short or damaged")


def test_an_encrypted_zip(tmp_path):
    archive = write(tmp_path / "a.zip", {"a": b"secret"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    refuses(archive, "cannot be unpacked.*password")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html>Please fill in this form</html>"])
def test_something_else(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    refuses(tmp_path / "a.zip", "neither a zip nor a tar archive")
