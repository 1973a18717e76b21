"""Recipes: what they become, and which errors name what."""

from __future__ import annotations

import configparser
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alg.errors import ConfigError
from harness.ca import make
from harness.pki.recipes import SHIPPED, CaRecipe, Chain, KeyKind, KeyUse, LeafRecipe, Purpose, load_recipes, shipped

NOW = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
GOOD = """
title = "One of each"
[ca.root]
common_name = "Root"
[ca.issuing]
issuer = "root"
common_name = "Issuing"
path_length = 0
trusted = false
[leaf.server]
issuer = "issuing"
common_name = "server.example.com"
organization = "Example"
organizational_unit = "Voice"
key = "rsa-1024"
not_before = "-90m"
not_after = "+2w"
key_usage = ["digital-signature", "key-agreement"]
wrong = "weak"
dns = ["server.example.com", "*.example.com"]
ip = ["192.0.2.1", "2001:db8::1"]
uri = ["sip:example.com"]
eku = ["client"]
chain = "none"
[leaf.alone]
common_name = "alone"
"""


def written(text: str, folder: Path, name: str = "own.toml") -> str:
    """The path of a recipe file with this text."""
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def test_a_file_that_says_everything(tmp_path: Path) -> None:
    """Every key arrives where it belongs."""
    book = load_recipes(written(GOOD, tmp_path))
    assert book.leafs["server"] == LeafRecipe(
        common_name="server.example.com",
        organization="Example",
        organizational_unit="Voice",
        issuer="issuing",
        key=KeyKind.RSA_1024,
        not_before="-90m",
        not_after="+2w",
        key_usage=(KeyUse.DIGITAL_SIGNATURE, KeyUse.KEY_AGREEMENT),
        wrong="weak",
        dns=("server.example.com", "*.example.com"),
        ip=("192.0.2.1", "2001:db8::1"),
        uri=("sip:example.com",),
        eku=(Purpose.CLIENT,),
        chain=Chain.NONE,
    )
    assert book.cas["issuing"] == CaRecipe(common_name="Issuing", issuer="root", path_length=0, trusted=False)
    assert book.names == ("root", "issuing", "server", "alone")
    assert book.issuers("server") == ("issuing", "root")
    assert book.issuers("root") == book.issuers("alone") == ()


def test_defaults(tmp_path: Path) -> None:
    """A leaf that says nothing is good for both sides for a year, a CA for ten."""
    book = load_recipes(written(GOOD, tmp_path))
    alone = book.leafs["alone"]
    assert (alone.key, alone.eku, alone.chain) == (KeyKind.EC_P256, tuple(Purpose), Chain.INTERMEDIATES)
    whole = NOW.replace(microsecond=0)
    assert alone.validity(NOW) == (whole - timedelta(days=1), whole + timedelta(days=365))
    assert book.cas["root"].validity(NOW)[1] == whole + timedelta(days=3650)
    assert book.cas["root"].trusted


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("-7s", timedelta(seconds=-7)),
        ("90m", timedelta(minutes=90)),
        ("+2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("2w", timedelta(days=14)),
        ("1000y", timedelta(days=365_000)),
    ],
)
def test_units(text: str, offset: timedelta) -> None:
    """Seconds to years, from now on or back."""
    recipe = LeafRecipe(common_name="a", not_before="-8s", not_after=text)
    assert recipe.validity(NOW)[1] == NOW.replace(microsecond=0) + offset


def test_like(tmp_path: Path) -> None:
    """A copy differs in what it names; a copy of a copy too."""
    more = """
    [leaf.late]
    like = "server"
    not_after = "-1h"
    wrong = "late"
    [leaf.later]
    like = "late"
    dns = []
    [ca.other]
    like = "issuing"
    common_name = "Other"
    """
    book = load_recipes(written(GOOD + more, tmp_path))
    server, late, later = (book.leafs[name] for name in ("server", "late", "later"))
    changed = {
        name: getattr(late, name) for name in late.__struct_fields__ if getattr(late, name) != getattr(server, name)
    }
    assert changed == {"not_after": "-1h", "wrong": "late"}
    assert (later.not_after, later.dns, later.ip) == ("-1h", (), server.ip)
    assert (book.cas["other"].issuer, book.cas["other"].path_length) == ("root", 0)


def test_an_issuer_in_another_file(tmp_path: Path) -> None:
    """Files that are used together may build on each other, in any order, and on shipped ones."""
    leaf = written('[leaf.sbc]\nissuer = "webex-issuing"\ncommon_name = "sbc.example.com"', tmp_path)
    for specs in ((leaf, "webex"), ("webex", leaf)):
        assert load_recipes(*specs).issuers("sbc") == ("webex-issuing", "webex-root")
    with pytest.raises(ConfigError, match=r"own.toml: \[leaf.sbc\]: issuer: no CA 'webex-issuing'; known: none"):
        load_recipes(leaf)


LEAF = '[leaf.a]\ncommon_name = "a"\n'
CA = '[ca.a]\ncommon_name = "a"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", ": neither [ca.NAME] nor [leaf.NAME] in it"),
        ("[leaf]", ": neither [ca.NAME] nor [leaf.NAME] in it"),
        ('title = "a"\n[[leaf]]\ncommon_name = "a"', ": [leaf]: give each a name: [leaf.NAME]"),
        ('[leaf]\ncommon_name = "a"', ": [leaf]: give each a name: [leaf.NAME]"),
        ("title = 1\n" + LEAF, ": title must be a text"),
        ("titel = 1\n" + LEAF, ": unknown key 'titel'; known: title, [ca.NAME], [leaf.NAME]"),
        ("leaf.a", ": Expected '=' after a key"),
        (LEAF + 'san = ["a"]', ": [leaf.a]: unknown key 'san'; known: chain, common_name, dns, "),
        (CA + 'dns = ["a"]', ": [ca.a]: unknown key 'dns'; known: common_name, "),
        (LEAF + "path_length = 1", ": [leaf.a]: unknown key 'path_length'; known: "),
        ("[leaf.a]", ": [leaf.a]: Object missing required field `common_name`"),
        ("[leaf.a]\ncommon_name = 7", ": [leaf.a]: common_name: Expected `str`, got `int`"),
        ('[leaf.a]\ncommon_name = ""', ": [leaf.a]: common_name: '' is not 1 to 64 bytes of printable text"),
        (LEAF + 'organization = "a\\nb"', ": [leaf.a]: organization: 'a\\nb' is not 1 to 64 bytes"),
        (LEAF + f'organizational_unit = "{"ü" * 33}"', ": [leaf.a]: organizational_unit: "),
        (LEAF + 'dns = ["a", 7]', ": [leaf.a]: dns[1]: Expected `str`, got `int`"),
        (LEAF + 'dns = ["bücher.example"]', ": [leaf.a]: dns: 'bücher.example' is no ASCII name"),
        (LEAF + 'uri = [""]', ": [leaf.a]: uri: '' is no ASCII name"),
        (LEAF + 'ip = ["192.0.2.256"]', ": [leaf.a]: ip: '192.0.2.256' is no IP address"),
        (LEAF + 'ip = ["fe80::1%eth0"]', ": [leaf.a]: ip: 'fe80::1%eth0' names a device"),
        (LEAF + 'key = "rsa-512"', ": [leaf.a]: key: Invalid enum value 'rsa-512'"),
        (LEAF + 'eku = ["both"]', ": [leaf.a]: eku[0]: Invalid enum value 'both'"),
        (LEAF + 'not_after = "tomorrow"', ": [leaf.a]: not_after: 'tomorrow' is no duration such as 90d or -2h"),
        (LEAF + 'not_before = "1 d"', ": [leaf.a]: not_before: '1 d' is no duration"),
        (LEAF + 'not_before = "-51y"', ": [leaf.a]: not_before: '-51y' is not within -50y and 1000y"),
        (LEAF + 'not_after = "999999999y"', ": [leaf.a]: not_after: '999999999y' is not within -50y and 1000y"),
        (LEAF + 'not_after = "-24h"', ": [leaf.a]: not_after: '-24h' is not later than not_before '-1d'"),
        (CA + "path_length = -1", ": [ca.a]: path_length: Expected `int` >= 0"),
        ('[leaf."../a"]\ncommon_name = "a"', ": [leaf.../a]: '../a' cannot be a file's name"),
        (CA + LEAF, ": [leaf.a]: this name is taken by "),
        (LEAF + 'like = "b"', ": [leaf.a]: like: no table 'b' beside 'a'"),
        (LEAF + "like = 7", ": [leaf.a]: like: no table 7 beside 'a'"),
        (LEAF + 'like = "a"', ": [leaf.a]: like: goes in a circle: a -> a"),
        (LEAF + 'like = "b"\n[leaf.b]\nlike = "a"', ": [leaf.a]: like: goes in a circle: a -> b -> a"),
        (LEAF + 'issuer = "b"', ": [leaf.a]: issuer: no CA 'b'; known: none"),
        (CA + '[leaf.b]\ncommon_name = "b"\nissuer = "b"', ": [leaf.b]: issuer: no CA 'b'; known: a"),
        (CA + 'issuer = "a"', ": [ca.a]: issuer: goes in a circle: a -> a"),
        (
            CA + 'issuer = "b"\n[ca.b]\ncommon_name = "b"\nissuer = "a"',
            ": [ca.a]: issuer: goes in a circle: a -> b -> a",
        ),
        (
            CA + 'issuer = "b"\n[ca.b]\ncommon_name = "b"\nissuer = "b"\n[leaf.c]\ncommon_name = "c"\nissuer = "a"',
            ": [ca.b]: issuer: goes in a circle: b -> b",
        ),
    ],
)
def test_errors_name_file_table_and_key(text: str, complaint: str, tmp_path: Path) -> None:
    """One line that says where to look."""
    path = written(text, tmp_path)
    with pytest.raises(ConfigError) as error:
        load_recipes(path)
    assert str(error.value).startswith(f"--recipe {path}{complaint}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spec", ["webx", "", "../certs/webex", "webex.tml"])
def test_no_such_recipe(spec: str) -> None:
    """What is neither shipped nor a .toml file is told with what there is."""
    with pytest.raises(ConfigError, match=r"--recipe: no recipe '.*'; known: cucm, .*, or the path of a .toml file"):
        load_recipes(spec)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, a folder, no UTF-8: told with the path."""
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe4"')
    for name, reason in (("none", "No such file"), ("folder", "Is a directory"), ("latin", "codec can't decode")):
        path = tmp_path / f"{name}.toml"
        with pytest.raises(ConfigError, match=f"--recipe {re.escape(str(path))}: .*{reason}"):
            load_recipes(str(path))


def test_the_same_file_twice() -> None:
    """Names are unique among all files."""
    with pytest.raises(ConfigError, match=r"\[ca.cucm-root\]: this name is taken by --recipe cucm: \[ca.cucm-root\]"):
        load_recipes("cucm", "cucm")


def test_shipped() -> None:
    """Those that users know by name, each with a title, each complete in itself."""
    titles = shipped()
    assert set(titles) == {"cucm", "expressway-c", "expressway-e", "firewall", "webex"}
    for name, title in titles.items():
        assert title
        assert name in load_recipes(name).leafs
    everything = load_recipes()
    assert set(everything.names) == {name for recipe in titles for name in load_recipes(recipe).names}


def test_shipped_names_are_nobodys() -> None:
    """Outside the example domains there are only the names by which Webex's service is known."""
    known = {"callservice.ciscospark.com", "sub.call.ciscospark.com", "callservice.cisoospark.com"}
    examples = re.compile(r"(?:.*\.)?(?:example(?:\.com|\.local)?|exmaple\.(?:com|local))")
    for leaf in load_recipes().leafs.values():
        for name in (*leaf.dns, *(uri.removeprefix("sip:") for uri in leaf.uri)):
            assert name in known or examples.fullmatch(name)


def test_recipes_are_installed() -> None:
    """They stand beside the packages, where a wheel puts them too."""
    setup = configparser.ConfigParser()
    setup.read(SHIPPED.parent / "setup.cfg")
    assert SHIPPED.name in setup["options.packages.find"]["include"].split()
    assert setup["options.package_data"][SHIPPED.name] == "*.toml"
    assert (SHIPPED / "__init__.py").is_file()


def test_the_documented_example(tmp_path: Path) -> None:
    """The recipe in the description can be copied as it stands, and every key is described."""
    text = (SHIPPED / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    book = load_recipes(written(example, tmp_path))
    assert book.issuers("sbc-expired") == ("sbc-issuing", "sbc-root")
    rows = "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    described = set(re.findall(r"`(\w+)`", rows))
    assert described >= {"like", *CaRecipe.__struct_fields__, *LeafRecipe.__struct_fields__}
    for kind in (KeyKind, KeyUse, Purpose, Chain):
        assert all(f"`{member.value}`" in text for member in kind)


_values = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=70),
    st.sampled_from(["-1d", "1y", "-50y", "1000y", "0s", "root", "a", "none", "with-root", "192.0.2.1", "::1"]),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.lists(
        st.sampled_from(["server", "client", "crl-sign", "key-agreement", "a.example", "::", "sip:a", "é"]), max_size=3
    ),
)
_keys = st.sampled_from(sorted({"like", *CaRecipe.__struct_fields__, *LeafRecipe.__struct_fields__} - {"key"}))


@given(st.sampled_from(["ca", "leaf"]), st.dictionaries(_keys, _values, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_accepted_can_be_made(tmp_path: Path, kind: str, table: dict[str, object]) -> None:
    """Whatever a table says, it is refused with one line, or becomes a certificate."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in ({"common_name": "a"} | table).items()]
    path = written("\n".join(['[ca.root]\ncommon_name = "r"', f"[{kind}.a]", *lines]), tmp_path)
    complaint = ""
    try:
        book = load_recipes(path)
    except ConfigError as error:
        complaint = str(error)
    if complaint:
        assert len(complaint.splitlines()) == 1
    else:
        assert make(book, NOW)["a"].certificate_pem
