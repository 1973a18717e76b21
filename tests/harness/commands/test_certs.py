"""`sipalg certs` as its users see it."""

from __future__ import annotations

import json
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cli import main
from harness.pki.recipes import SHIPPED, load_recipes, shipped
from tests.helpers.openssl import openssl, verdict
from tests.helpers.system import run_sipalg

OWN = """
[leaf.sbc]
common_name = "sbc.example.com"
dns = ["sbc.example.com"]
wrong = "self-signed"
"""


def certs(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Run a subcommand: its exit status, standard output, standard error."""
    status = main(["certs", *args])
    return status, *capsys.readouterr()


def test_everything_that_is_shipped(tmp_path: Path) -> None:
    """Made by the program at the time of the clock, listed line by line, good for OpenSSL right now."""
    directory = tmp_path / "pki"
    done = run_sipalg("certs", "make", str(directory))
    assert (done.returncode, done.stderr) == (0, b"")
    header, *rows, last = done.stdout.decode().splitlines()
    assert re.split(r" {2,}", header.rstrip()) == [
        *("name", "subject", "alternative names", "issuer", "valid until", "wrong on purpose")
    ]
    book = load_recipes()
    assert [row.split()[0] for row in rows] == list(book.names)
    for row, name in zip(rows, book.names, strict=True):
        assert row.rstrip().endswith(book[name].wrong)
        assert (book[name].issuer or "itself") in row
    assert last == f"{len(list(directory.iterdir()))} files in {directory}"
    now = datetime.now(UTC)
    (webex,) = (row for row in rows if row.startswith("webex "))
    assert re.search(r"l2sip-01\.webex\.example +callservice\.ciscospark\.com \+24 +webex-issuing", webex)
    years = [(now + timedelta(days=364 + day)).strftime("%Y-%m-%d") for day in range(3)]
    assert any(year in webex for year in years)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.glob("*.key")} == {0o600}
    assert verdict(directory, "webex", "sslserver", now) == "OK"
    assert verdict(directory, "webex-expired", "sslserver", now) == "certificate has expired"


def test_recipes_that_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shipped one and one's own, and nothing else; as JSON with every detail."""
    own = tmp_path / "own.toml"
    own.write_text(OWN)
    directory = tmp_path / "pki"
    status, out, errors = certs(capsys, "make", str(directory), "--recipe", "firewall", "--recipe", str(own), "--json")
    assert (status, errors) == (0, "")
    said = json.loads(out)
    assert (said["directory"], said["roots"]) == (str(directory), None)
    sbc = said["certificates"][-1]
    ends = {key: datetime.fromisoformat(sbc.pop(key)) for key in ("not_before", "not_after")}
    assert ends["not_after"] - ends["not_before"] == timedelta(days=366)
    assert sbc == {
        "name": "sbc",
        "kind": "leaf",
        "common_name": "sbc.example.com",
        "subject": "CN=sbc.example.com",
        "dns": ["sbc.example.com"],
        "ip": [],
        "uri": [],
        "issuer": None,
        "key": "ec-p256",
        "eku": ["server", "client"],
        "sent": ["sbc"],
        "wrong": "self-signed",
        "files": ["sbc.key", "sbc.crt", "sbc-chain.pem"],
    }
    listed = {file for each in said["certificates"] for file in each["files"]}
    assert listed == {path.name for path in directory.iterdir()}
    assert "firewall-root.key" in listed


def test_running_it_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It never replaces a CA by itself; with --force everything is new."""
    arguments = ("make", str(tmp_path), "--recipe", "expressway-c")
    assert certs(capsys, *arguments)[0] == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    status, out, errors = certs(capsys, *arguments)
    assert (status, out) == (2, "")
    assert errors.startswith(
        f"sipalg: {tmp_path}: expressway-c-root.key and {len(before) - 1} more exist already; --force"
    )
    assert errors.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert certs(capsys, *arguments, "--force")[0] == 0
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(after) == set(before)
    assert not [name for name in after if after[name] == before[name]]


def test_keys_and_certificates_are_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each name, the key is that of the certificate."""
    certs(capsys, "make", str(tmp_path), "--recipe", "cucm")
    for key in tmp_path.glob("*.key"):
        public = openssl("pkey", "-in", key.name, "-pubout", cwd=tmp_path)
        assert "BEGIN PUBLIC KEY" in public
        assert openssl("x509", "-in", f"{key.stem}.crt", "-noout", "-pubkey", cwd=tmp_path) == public


@pytest.mark.parametrize(
    ("recipe", "complaint"),
    [
        (OWN + 'sans = ["a"]', ": [leaf.sbc]: unknown key 'sans'; known: "),
        (OWN + 'issuer = "ca"', ": [leaf.sbc]: issuer: no CA 'ca'; known: none"),
        (OWN + 'not_after = "soon"', ": [leaf.sbc]: not_after: 'soon' is no duration"),
    ],
)
def test_wrong_recipes(tmp_path: Path, capsys: pytest.CaptureFixture[str], recipe: str, complaint: str) -> None:
    """Status 2, one line, nothing written."""
    own = tmp_path / "own.toml"
    own.write_text(recipe)
    status, out, errors = certs(capsys, "make", str(tmp_path / "pki"), "--recipe", str(own))
    assert (status, out) == (2, "")
    assert errors.startswith(f"sipalg: --recipe {own}{complaint}")
    assert errors.count("\n") == 1
    assert not (tmp_path / "pki").exists()


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Every shipped recipe with its title."""
    status, out, errors = certs(capsys, "list")
    assert (status, errors) == (0, "")
    assert [tuple(re.split(r" {2,}", line, maxsplit=1)) for line in out.splitlines()] == list(shipped().items())


def test_help_and_description_name_files_that_are_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The openssl commands that are shown find their files."""
    certs(capsys, "make", str(tmp_path))
    help_ = certs(capsys, "make", "--help")[1]
    assert "Example:" in help_
    for text in (help_, (SHIPPED / "README.md").read_text("utf-8")):
        files = set(re.findall(r"(?:-cert|-key|-cert_chain|-CAfile) ([a-z][\w.-]+\.\w+)", text))
        assert len(files) == 7
        assert not [name for name in files if not (tmp_path / name).is_file()]
