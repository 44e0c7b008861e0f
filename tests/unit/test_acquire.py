"""Downloads from a server on the loopback that cuts, changes and refuses; what becomes of them on disk."""

import gzip
import hashlib
import json
import re
import resource
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
import yaml
from bad_input import holds, refused
from test_unpack import changed, cut, files_below, write

from monkey_transfer.acquire import download as downloading
from monkey_transfer.acquire.acquire import MISSING, WHOLE, acquire, state
from monkey_transfer.acquire.archives import ARCHIVES, Archive
from monkey_transfer.acquire.download import ATTEMPTS, CHUNK, download
from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engines import ENGINES
from monkey_transfer.networks.pytorch.settings import PyTorchTraining
from monkey_transfer.networks.pytorch.superanimal import SUPERANIMAL, archive_of, superanimal_network
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.places import ROOT
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study import needs
from monkey_transfer.study.needs import needed_by

PAGE = "http://example.org/the-page"
NOBODY = "http://127.0.0.1:9/gone.zip"  # the discard port: nobody listens
PICTURES = {f"v1/images/{number}.jpg": bytes([number]) * 1000 for number in range(3)}
LABELS = {"v1/annotations.csv": b"image file name,keypoinbts,segmentation\n"}


@dataclass
class Server:
    """What the server answers with; every request takes the first of each list, while there are any."""

    content: bytes = b""
    etag: str | None = '"one"'
    last_modified: str | None = None
    encoding: str | None = None
    ranges: bool = True
    longest_part: int | None = None
    cuts: list[int] = field(default_factory=list)  # bytes sent before the connection is closed
    statuses: list[int] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)  # before all others, as they are
    asked: list[str | None] = field(default_factory=list)  # the Range of every request
    address: str = ""


class Answers(BaseHTTPRequestHandler):
    def __init__(self, server: Server, *arguments) -> None:
        self.shop = server
        super().__init__(*arguments)

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        shop, asked = self.shop, self.headers.get("Range")
        shop.asked.append(asked)
        if shop.answers:
            status, headers, body = shop.answers.pop(0)
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)
            return
        if shop.statuses:
            self.send_error(shop.statuses.pop(0))
            return
        unchanged = self.headers.get("If-Range") in (shop.etag, shop.last_modified)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and unchanged and shop.ranges else 0
        size = len(shop.content)
        end = min(size, start + shop.longest_part) if start and shop.longest_part else size
        self.send_response(416 if start >= size else 206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes */{size}" if start >= size else f"bytes {start}-{end - 1}/{size}")
        self.send_header("Content-Length", str(max(end - start, 0)))
        named = {"ETag": shop.etag, "Last-Modified": shop.last_modified, "Content-Encoding": shop.encoding}
        for header, value in named.items():
            if value:
                self.send_header(header, value)
        self.end_headers()
        rest = shop.content[start:end]
        self.wfile.write(rest[: shop.cuts.pop(0)] if shop.cuts else rest)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(downloading, "PAUSE", 0)
    shop = Server(content=bytes(range(251)) * 4000)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, shop)) as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        shop.address = f"http://127.0.0.1:{served.server_address[1]}/toy.zip"
        yield shop
        served.shutdown()


@pytest.fixture
def offer(server, tmp_path, monkeypatch):
    """Puts an archive with that content on the server and into the registry, as 'toy'; returns its entry."""

    def put(content: dict[str, bytes], **entry) -> Archive:
        server.content = write(tmp_path / "made.zip", content).read_bytes()
        toy = Archive("a test", server.address, "toy.zip", PAGE, "toy/v1", 10**6, "v1")
        entry = {"holds": {"annotations.csv": 1, "images/*.jpg": 3}} | entry
        monkeypatch.setitem(ARCHIVES, "toy", replace(toy, **entry))
        return ARCHIVES["toy"]

    return put


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def start_of(asked: str | None) -> int:
    return int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0


# --- downloads


def test_a_cut_download_goes_on_where_it_was(server, tmp_path):
    server.cuts = [300_000, 250_000]
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == server.content
    first, second, third = map(start_of, server.asked)
    assert first == 0
    assert 300_000 - CHUNK <= second <= 300_000
    assert second + 250_000 - CHUNK <= third <= second + 250_000
    assert [file.name for file in tmp_path.iterdir()] == ["toy.partial"]


def test_an_end_to_attempts_that_bring_nothing_and_a_later_call_goes_on(server, tmp_path):
    server.cuts = [300_000, *[0] * ATTEMPTS]
    with pytest.raises(StudyError, match=f"^{server.address}: no connection, or it was cut"):
        download(server.address, tmp_path / "toy.partial")
    assert len(server.asked) == 1 + ATTEMPTS
    download(server.address, tmp_path / "toy.partial")
    assert start_of(server.asked[-1]) > 300_000 - CHUNK
    assert (tmp_path / "toy.partial").read_bytes() == server.content


@pytest.mark.parametrize(
    "kind",
    [
        {"ranges": False},
        {"etag": None},
        {"etag": 'W/"one"'},  # a weak one does not promise the same bytes
    ],
    ids=["no parts", "no version", "weak version"],
)
def test_a_server_that_cannot_go_on_starts_again(server, tmp_path, kind):
    vars(server).update(kind, cuts=[300_000])
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == server.content
    if "etag" in kind:
        assert server.asked == [None, None]


def test_a_server_that_sends_short_parts(server, tmp_path):
    vars(server).update(cuts=[300_000], longest_part=200_000)
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == server.content
    assert len(server.asked) == 5


def test_a_date_is_a_version_too(server, tmp_path):
    vars(server).update(etag=None, last_modified="Wed, 21 Oct 2015 07:28:00 GMT", cuts=[300_000])
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == server.content
    assert start_of(server.asked[1]) > 0


def test_a_file_that_changes_between_two_parts_is_fetched_anew(server, tmp_path):
    server.cuts = [300_000, *[0] * ATTEMPTS]
    with pytest.raises(StudyError):
        download(server.address, tmp_path / "toy.partial")
    vars(server).update(content=b"other" * 100_000, etag='"two"')
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == b"other" * 100_000


def test_a_file_that_became_shorter_under_the_same_name(server, tmp_path):
    server.cuts = [300_000, *[0] * ATTEMPTS]
    with pytest.raises(StudyError):
        download(server.address, tmp_path / "toy.partial")
    server.content = b"short"
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == b"short"


def test_killed_between_the_last_byte_and_the_next_step(server, tmp_path):
    (tmp_path / "toy.partial").write_bytes(server.content)
    (tmp_path / "toy.partial.version").write_text(server.etag)
    download(server.address, tmp_path / "toy.partial")
    assert server.asked == [f"bytes={len(server.content)}-"]
    assert (tmp_path / "toy.partial").read_bytes() == server.content


def test_compression_is_kept(server, tmp_path):
    vars(server).update(content=gzip.compress(b"tar" * 1000), encoding="gzip")
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == server.content


def test_busy_servers_are_asked_again_and_refusals_are_not(server, tmp_path):
    server.statuses = [503, 429]
    download(server.address, tmp_path / "toy.partial")
    assert len(server.asked) == 3
    server.statuses = [404]
    with pytest.raises(StudyError, match="the server answers 404 Not Found") as error:
        download(server.address, tmp_path / "other.partial")
    holds("archive", "a server that refuses", str(error.value).replace(server.address, "http://example.org/toy.zip"))
    assert len(server.asked) == 4


def test_certificates_that_are_not_there_are_no_matter_of_the_disk(offer, root, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    offer({}, address="https://127.0.0.1:9/toy.zip")
    with refused("archive", "certificates that are not there", match="no connection .*TLS CA.*: get toy.zip from"):
        acquire("toy", root)


def test_a_server_that_sends_elsewhere_is_no_matter_of_ours(server, tmp_path):
    server.answers = [(302, {"Location": "http://["}, b"")] * ATTEMPTS
    with pytest.raises(StudyError, match="no connection, or it was cut"):
        download(server.address, tmp_path / "toy.partial")


PART = b"x" * 1000


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Range": "bytes 5000-5999/1004000", "Content-Length": "1000"}, PART),
        (200, {"Content-Range": "bytes 0-999/1004000", "Content-Length": "1000"}, bytes(range(251)) * 4),
        (200, {"Content-Range": "bytes */1004000"}, PART),
        (200, {"Content-Range": "somewhere"}, PART),
        (206, {"Content-Range": "bytes 5000-5999/1004000", "Content-Length": "1000"}, PART),
        (206, {"Content-Length": "1000"}, PART),
        (206, {"Content-Range": "bytes 0-999/500", "Content-Length": "1000"}, PART),
        (416, {"Content-Range": "bytes */7"}, b""),
        (200, {"Content-Length": "5000"}, PART),
        (200, {"Transfer-Encoding": "chunked"}, b"3e8\r\n" + PART),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_an_answer_that_is_not_what_it_says_is_not_kept(server, tmp_path, answer, begun):
    if begun:
        (tmp_path / "toy.partial").write_bytes(server.content[:300_000])
        (tmp_path / "toy.partial.version").write_text(server.etag)
    server.answers = [answer]
    download(server.address, tmp_path / "toy.partial")
    assert (tmp_path / "toy.partial").read_bytes() == server.content
    assert [file.name for file in tmp_path.iterdir()] == ["toy.partial"]


# --- archives


def test_the_download_resumes_then_other_bytes_are_refused(server, offer, root):
    noise = {"v1/images/large.jpg": hashlib.shake_256(b"noise").digest(900_000)}
    offer(LABELS | PICTURES | noise)
    whole, server.cuts = server.content, [300_000, 200_000]
    place = acquire("toy", root)
    assert place == root / "toy" / "v1"
    assert files_below(root / "toy") == LABELS | PICTURES | noise
    assert all(start_of(asked) > 0 for asked in server.asked[1:])
    assert len(server.asked) == 3
    known = hashlib.sha256(whole).hexdigest()
    assert json.loads((root / "checksums.json").read_text()) == {"toy.zip": known}

    place.rename(root / "elsewhere")
    (root / "archives" / "toy.zip").unlink()
    server.content = whole[:-1] + bytes([whole[-1] ^ 1])
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(StudyError, match=f"toy.zip: has sha256 {found}, expected {known} .if {PAGE}.*checksums"):
        acquire("toy", root)
    assert not place.exists()
    kept = [file.name for file in (root / "archives").iterdir() if not file.name.endswith(".lock")]
    assert kept == ["toy.zip.refused"]  # it may be a new version, and was long to fetch
    assert json.loads((root / "checksums.json").read_text()) == {"toy.zip": known}

    server.content = whole
    assert files_below(acquire("toy", root)) == files_below(root / "elsewhere")


def test_parts_of_two_files_under_one_name_are_refused(server, offer, root, monkeypatch):
    archive = offer(LABELS | PICTURES | {"v1/large": hashlib.shake_256(b"noise").digest(900_000)})
    monkeypatch.setitem(ARCHIVES, "toy", replace(archive, sha256=hashlib.sha256(server.content).hexdigest()))
    server.cuts = [300_000, *[0] * ATTEMPTS]
    with pytest.raises(StudyError, match="no connection"):
        acquire("toy", root)
    server.content = bytes(len(server.content))
    with pytest.raises(StudyError, match="has sha256 .*, expected .*archives.yaml"):
        acquire("toy", root)
    assert start_of(server.asked[-1]) > 0
    assert files_below(root).keys() == {"archives/.toy.zip.lock", "archives/toy.zip.refused"}


def test_what_is_there_is_used_and_not_fetched(server, offer, root):
    archive = offer(LABELS | PICTURES)
    for name, content in (LABELS | PICTURES).items():
        (root / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "toy" / name).write_bytes(content)
    assert state(archive, root) == WHOLE
    assert acquire("toy", root) == root / "toy" / "v1"
    assert server.asked == []
    assert not (root / "archives").exists()


def test_what_is_incomplete_is_said_and_left_alone(server, offer, root):
    archive = offer(LABELS | PICTURES)
    picture = root / "toy" / "v1" / "images" / "0.jpg"
    assert state(archive, root) == MISSING
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"mine")
    assert state(archive, root) == "incomplete, 0 of 1 annotations.csv, 1 of 3 images/*.jpg"
    with refused("archive", "an incomplete folder", match=r"toy/v1 is incomplete, .*1 of 3 images.*move it away"):
        acquire("toy", root)
    assert files_below(root / "toy") == {"v1/images/0.jpg": b"mine"}
    assert server.asked == []


def test_an_archive_put_there_by_hand(offer, root):
    archive = offer(LABELS | PICTURES, address=NOBODY)
    where = root / "archives" / "toy.zip"
    by_hand = f"{NOBODY}: no connection.*: get toy.zip from {PAGE} and put it at {where}$"
    with refused("archive", "a server that nobody reaches", match=by_hand):
        acquire("toy", root)
    write(where, LABELS | PICTURES)
    assert files_below(acquire("toy", root)) == files_below(root / "toy" / "v1") != {}
    assert state(archive, root) == WHOLE


def test_another_file_put_there_by_hand(offer, root):
    offer(LABELS | PICTURES, address=NOBODY, sha256="0" * 64)
    where = root / "archives" / "toy.zip"
    where.parent.mkdir(parents=True)
    where.write_bytes(b"another")
    by_hand = f"has sha256 .*put aside .*get toy.zip .sha256 {'0' * 64}. from {PAGE} and put it at {where}$"
    with refused("archive", "a wrong checksum", match=by_hand):
        acquire("toy", root)
    assert where.with_name("toy.zip.refused").is_file()
    assert not (root / "toy" / "v1").exists()


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"<html>Please fill in this form</html>", "is a web page and no archive"),
        (LABELS, "is not the expected archive, it holds 0 of 3 images/\\*.jpg"),
        ({"v2/annotations.csv": b""}, "is not the expected archive, it holds no v1"),
        (LABELS | PICTURES | {"../evil": b""}, "'../evil' leads out of the folder"),
        (LABELS | PICTURES | {"v1/zeros": bytes(10**6)}, "unpacks to more than 1,000,000 bytes"),
    ],
)
def test_an_archive_that_is_another_one_is_put_aside_and_its_checksum_forgotten(server, offer, root, content, sentence):
    offer(content if isinstance(content, dict) else {})
    server.content = content if isinstance(content, bytes) else server.content
    with pytest.raises(StudyError, match=f"{sentence}.*put aside as toy.zip.refused: get toy.zip from {PAGE}"):
        acquire("toy", root)
    assert files_below(root).keys() - {"archives/.toy.zip.lock"} == {"archives/toy.zip.refused"}
    offer(LABELS | PICTURES)
    assert acquire("toy", root).is_dir()


@pytest.mark.parametrize(
    "name, damage",
    [
        ("a.zip", lambda file: cut(file, 300)),
        ("a.zip", lambda file: changed(file, 60)),
        ("a.tar.gz", lambda file: cut(file, 100)),
        ("a.tar.gz", lambda file: cut(file, 5)),
        ("a.tar.gz", lambda file: changed(file, 30)),
        ("a.tar.gz", lambda file: changed(file, -6)),
        ("a.tar.xz", lambda file: changed(file, 100)),
        ("a.tar", lambda file: changed(file, 130)),
        ("a.tar", lambda file: cut(file, 700)),
        ("a.tar", lambda file: cut(file, 0)),
    ],
)
def test_a_damaged_archive_is_put_aside_and_the_next_one_is_used(offer, root, tmp_path, name, damage):
    offer(LABELS | PICTURES, address=NOBODY)
    where = root / "archives" / "toy.zip"
    where.parent.mkdir(parents=True)
    damage(write(tmp_path / name, LABELS | PICTURES)).rename(where)
    with pytest.raises(StudyError, match="toy.zip: is .*; it was put aside as toy.zip.refused: get toy.zip from"):
        acquire("toy", root)
    assert files_below(root).keys() - {"archives/.toy.zip.lock"} == {"archives/toy.zip.refused"}
    write(tmp_path / name, LABELS | PICTURES).rename(where)  # whatever its name says
    assert files_below(acquire("toy", root)) == files_below(root / "toy" / "v1") != {}


def test_an_archive_of_something_else(offer, root, tmp_path):
    offer(LABELS | PICTURES, address=NOBODY)
    write(tmp_path / "other.zip", LABELS)
    (root / "archives").mkdir(parents=True)
    (tmp_path / "other.zip").rename(root / "archives" / "toy.zip")
    with refused("archive", "another archive", match="toy.zip: is not the expected archive, it holds 0 of 3 images"):
        acquire("toy", root)


def test_one_file_of_an_archive_beside_others(offer, root):
    other = root / "mpii" / "images" / "000000001.jpg"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"picture")
    offer(
        {"release/labels.mat": b"labels", "release/README": b""},
        inside="release/labels.mat",
        place="mpii/labels.mat",
        holds={},
    )
    assert acquire("toy", root).read_bytes() == b"labels"
    assert files_below(root / "mpii") == {"labels.mat": b"labels", "images/000000001.jpg": b"picture"}


@pytest.mark.parametrize(
    "licence, said", [("research use only", "research use only"), (None, f"not stated, see {PAGE}")]
)
def test_terms_are_said_before_anything_is_fetched(server, offer, root, capsys, licence, said):
    server.statuses = [403]
    offer(LABELS | PICTURES, licence=licence)
    with pytest.raises(StudyError, match="403"):
        acquire("toy", root)
    assert capsys.readouterr().err == f"toy.zip: a test; licence: {said}\n"
    acquire("toy", root)
    capsys.readouterr()
    acquire("toy", root)
    assert capsys.readouterr().err == ""  # it is there


def test_networks_keep_the_folders_of_their_archive(offer, root):
    network = {
        "DLC/train/pose_cfg.yaml": b"train",
        "DLC/test/pose_cfg.yaml": b"test",
        "DLC/train/snapshot-1.index": b"index",
        "DLC/train/snapshot-1.data-00000-of-00001": b"data",
    }
    entry = replace(ARCHIVES["zoo:full_macaque"], sha256=None)
    wanted = {key: getattr(entry, key) for key in ("place", "inside", "holds")}
    offer(network, **wanted)
    assert files_below(acquire("toy", root)) == network
    assert state(entry, root) == WHOLE


def test_a_file_that_is_not_packed_is_used_as_it_is(server, offer, root):
    plain = {"place": "weights/net.bin", "inside": "net.bin", "unpacked_limit": None, "holds": {}}
    offer({}, **plain)
    server.content = b"PK, and yet no zip"
    assert acquire("toy", root).read_bytes() == server.content
    assert acquire("toy", root) == root / "weights" / "net.bin"
    assert files_below(root / "weights") == {"net.bin": server.content}
    assert len(server.asked) == 1


def test_superanimal_that_cannot_be_fetched(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(downloading, "PAUSE", 0)
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    name = archive_of("superanimal:quadruped", "hrnet_w32")
    monkeypatch.setitem(ARCHIVES, name, replace(ARCHIVES[name], address=NOBODY))
    there = re.escape(str(tmp_path / "archives" / "superanimal_quadruped_hrnet_w32.pt"))
    with refused("archive", "SuperAnimal without a network", match=rf"sha256 a42e58d5.* and put it at {there}$"):
        superanimal_network("superanimal:quadruped", "hrnet_w32")
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.endswith("licence: research use only (non-commercial use)")


def test_superanimal_that_was_put_there_by_hand(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    name, content = archive_of("superanimal:quadruped", "resnet_50_gn"), b"weights"
    monkeypatch.setitem(ARCHIVES, name, replace(ARCHIVES[name], sha256=hashlib.sha256(content).hexdigest()))
    file = tmp_path / "archives" / ARCHIVES[name].file
    file.parent.mkdir()
    file.write_bytes(b"a web page")
    with refused("archive", "SuperAnimal that is another file", match="has sha256 .*, expected .* put aside as"):
        superanimal_network("superanimal:quadruped", "resnet_50_gn")
    file.write_bytes(content)
    found = superanimal_network("superanimal:quadruped", "resnet_50_gn")
    assert Path(found.weights).read_bytes() == content
    assert len(found.keypoints) == 39


def test_a_full_disk_loses_nothing(server, offer, root):
    offer(LABELS | PICTURES | {"v1/large": hashlib.shake_256(b"noise").digest(900_000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    try:
        with refused("disk", "full while fetching", match="File too large: free some space .* then ask for toy again"):
            acquire("toy", root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert acquire("toy", root).is_dir()
    assert start_of(server.asked[1]) > 500_000 - CHUNK


def test_two_at_once_fetch_it_once(server, offer, root):
    offer(LABELS | PICTURES)
    threads = [threading.Thread(target=acquire, args=("toy", root)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1
    assert files_below(root / "toy") == LABELS | PICTURES


def test_unknown_archives_and_damaged_checksums(offer, root):
    with refused("archive", "an unknown one", match="'zoo:full_dog' is unknown: expected one of mpii_images, "):
        acquire("zoo:full_dog", root)
    offer(LABELS | PICTURES)
    root.mkdir()
    for damaged in (b"{", b"[1]", b'{"toy.zip": 5}', b"\xff", b""):
        (root / "checksums.json").write_bytes(damaged)
        with refused("archive", "damaged checksums", match="checksums.json: expected checksums"):
            acquire("toy", root)


def test_a_file_that_is_not_packed_may_be_empty_or_another(offer, root):
    plain = {"place": "zoo/toy/net.bin", "inside": "net.bin", "unpacked_limit": None, "holds": {}}
    network = offer({}, **plain)
    file = root / "archives" / network.file
    file.parent.mkdir(parents=True)
    file.touch()
    with refused("archive", "a single file that is empty", match="it holds an empty file; .* put it at"):
        acquire("toy", root)
    assert list((root / "zoo" / "toy").iterdir()) == []


# --- the registry, and what a profile needs of it


def test_addresses_are_those_of_the_installed_lists():
    def listed(package: str, file: str) -> dict[str, str]:
        return yaml.safe_load(Path(str(distribution(package).locate_file(file))).read_text(encoding="utf-8"))

    zoo = listed("dlclibrary", "dlclibrary/dlcmodelzoo/modelzoo_urls.yaml")
    for name in ("full_macaque", "full_human"):
        repository, _, file = zoo[name].rpartition("/")
        assert ARCHIVES[f"zoo:{name}"].address == f"https://huggingface.co/{repository}/resolve/main/{file}"
        assert ARCHIVES[f"zoo:{name}"].file == file
    ours = {"resnet_50_gn": "resnet_50", "hrnet_w32": "hrnet_w32"}  # DeepLabCut's resnet_50 has GroupNorm
    pose_models = listed("dlclibrary", "dlclibrary/dlcmodelzoo/modelzoo_urls_pytorch.yaml")["superanimal_quadruped"]
    for net_type in SUPERANIMAL["superanimal:quadruped"].net_types:
        repository, _, file = pose_models["pose_models"][ours[net_type]].rpartition("/")
        archive = ARCHIVES[archive_of("superanimal:quadruped", net_type)]
        assert archive.address == f"https://huggingface.co/{repository}/resolve/main/{file}"
        assert archive.file == archive.inside == Path(archive.place).name == file
    weights = listed("deeplabcut", "deeplabcut/pose_estimation_tensorflow/models/pretrained/pretrained_model_urls.yaml")
    for net_type in get_args(TensorFlowTraining.model_fields["net_type"].annotation):
        assert ARCHIVES[f"imagenet:{net_type}"].address == weights[net_type]


def test_entries_are_whole_and_do_not_meet():
    for archive in ARCHIVES.values():
        assert re.fullmatch("[0-9a-f]{64}", archive.sha256 or "0" * 64)
        assert archive.citation
        assert not Path(archive.place).is_absolute()
    places = [Path(archive.place) for archive in ARCHIVES.values()]
    assert not any(a != b and a.is_relative_to(b) for a in places for b in places)
    assert len(set(places)) == len({archive.file for archive in ARCHIVES.values()}) == len(ARCHIVES)


def profile(source: dict, target: dict, *inits: str, checkpoint: str | None = None):
    training, engine = TensorFlowTraining(imagenet=checkpoint), ENGINES["tensorflow"]
    arms = {init: SimpleNamespace(init=init, training=training, engine=engine) for init in inits}
    data = [SimpleNamespace(**one) for one in (source, target)]
    return SimpleNamespace(data=dict(zip(("source", "target"), data, strict=True)), arms=arms)


def test_what_profiles_need(monkeypatch):
    monkeypatch.delenv("MONKEY_TRANSFER_IMAGENET", raising=False)
    assert needed_by(load_profile("demo")) == []
    assert needed_by(load_profile("lsp-tensorflow")) == ["lspet", "imagenet:mobilenet_v2_0.35"]
    assert needed_by(load_profile("lsp")) == ["lspet", "zoo:efficientpose_ii_lite", "zoo:blazepose_full"]
    paper = profile({"format": "macaquepose"}, {"format": "mpii"}, "zoo:full_macaque", "zoo:full_human", "imagenet")
    assert needed_by(paper) == [
        *("macaquepose", "mpii_annotations", "mpii_images"),
        *("zoo:full_macaque", "zoo:full_human", "imagenet:resnet_50"),
    ]
    assert set(needed_by(paper)) <= ARCHIVES.keys()
    paper.arms["superanimal:quadruped"] = SimpleNamespace(
        init="superanimal:quadruped", training=PyTorchTraining(net_type="hrnet_w32"), engine=ENGINES["pytorch"]
    )
    assert needed_by(paper)[-1] == archive_of("superanimal:quadruped", "hrnet_w32") in ARCHIVES


def test_people_of_another_data_set_are_needed_too(monkeypatch):
    monkeypatch.delenv("MONKEY_TRANSFER_IMAGENET", raising=False)
    assert "lspet" in needed_by(load_profile("paper-controls"))
    assert "lspet" not in needed_by(load_profile("paper"))


def test_what_is_the_users_own_is_not_needed(monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_IMAGENET", "my.ckpt")
    samples = [
        {"format": "macaquepose", "folder": "macaquepose_sample/v1"},
        {"format": "mpii", "folder": "mpii_sample"},
    ]
    assert needed_by(profile(*samples, "imagenet", "scratch", "arm:imagenet")) == []
    monkeypatch.delenv("MONKEY_TRANSFER_IMAGENET")
    assert needed_by(profile(*samples, "imagenet", checkpoint="my.ckpt")) == []
    release = [{"format": "macaquepose", "folder": "macaquepose/v1"}, {"format": "mpii", "folder": "mpii"}]
    assert needed_by(profile(*release)) == ["macaquepose", "mpii_annotations", "mpii_images"]


# --- the command


@pytest.fixture
def lsp(server, offer, root, monkeypatch):
    """The profile lsp-tensorflow with a small LSPET on the server, and ImageNet weights that nobody serves."""
    root.mkdir()
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(root))
    monkeypatch.delenv("MONKEY_TRANSFER_IMAGENET", raising=False)
    small = offer(
        {"joints.mat": b"joints", "images/im00001.jpg": b"picture"}, inside=".", place="lspet", holds={"joints.mat": 1}
    )
    weights = "imagenet:mobilenet_v2_0.35"
    monkeypatch.setitem(ARCHIVES, "lspet", small)
    monkeypatch.setitem(ARCHIVES, weights, replace(ARCHIVES[weights], address=NOBODY))


def test_checking_only_tells(lsp, server, root, capsys):
    needs.main(["lsp-tensorflow", "--check"])
    told = capsys.readouterr().out
    assert str(root) in told
    assert re.search(
        r"\| lspet +\| a test +\| lspet +\| missing +\| not stated \| not stated, see http://example.org", told
    )
    assert re.search(r"\| imagenet:mobilenet_v2_0.35 \|.*\| missing ", told)
    assert server.asked == []
    assert list(root.iterdir()) == []


def test_checking_tells_what_lies_there_to_become_an_archive(lsp, root, capsys):
    def told() -> str:
        needs.main(["lsp-tensorflow", "--check"])
        return re.search(r"\| lspet +\| a test +\| lspet +\| (.+?) +\|", capsys.readouterr().out)[1]

    where = root / "archives" / "toy.zip"
    where.parent.mkdir()
    where.with_name("toy.zip.refused").write_bytes(b"a form to fill in")
    assert told() == "missing, toy.zip.refused was put aside"
    where.with_name("toy.zip.partial").write_bytes(bytes(2_340_000))
    assert told() == "missing, 2.3 MB fetched so far"
    write(where, {"joints.mat": b"joints"})
    assert told() == "missing, toy.zip is there to be unpacked"
    acquire("lspet", root)
    assert told() == "whole"


def test_everything_that_can_be_had_is_and_the_rest_is_told_at_the_end(lsp, root, capsys):
    with pytest.raises(SystemExit) as ended:
        needs.main(["lsp-tensorflow"])
    told = capsys.readouterr().out
    assert re.search(r"\| lspet +\|.*\| whole +\|", told)
    assert (root / "lspet" / "joints.mat").read_bytes() == b"joints"
    where = root / "archives" / "mobilenet_v2_0.35_224.tgz"
    assert re.search(
        f"error: imagenet:mobilenet_v2_0.35: {NOBODY}: .* get {where.name} .* put it at {where}", str(ended.value)
    )


def test_without_a_named_folder_it_is_data_of_the_project(capsys, monkeypatch):
    monkeypatch.delenv("MONKEY_TRANSFER_DATA", raising=False)
    needs.main(["demo"])
    told = capsys.readouterr().out
    assert f"Data folder: {ROOT / 'data'}\n" in told
    assert "Profile demo needs no archive." in told
