"""Recipes: what certificates shall look like, as TOML. No key is made here.

Strategy: a file has `[ca.NAME]` and `[leaf.NAME]` tables; each becomes one msgspec struct. `like` is resolved on the
tables, before they are typed, so that a deliberately bad certificate is a copy of a good one plus what is wrong with
it. Several files make one book, in which an issuer may come from another file. Whatever is wrong is a ConfigError that
names file, table and key. The keys are described in `certs/README.md`.
"""

from __future__ import annotations

import enum
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from alg.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "certs"
"""The folder of the shipped recipes: beside the packages, in a checkout as in an installation."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OFFSET = re.compile(r"([+-]?\d{1,9})([smhdwy])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_FIRST, _LAST = timedelta(days=-365 * 50), timedelta(days=365 * 1000)
"""Offsets that lead to a year X.509 can write: 1950 to 9999 (RFC 5280, 4.1.2.5)."""

LONGEST_ATTRIBUTE = 64
"""Bytes of an attribute of a subject (RFC 5280, A.1: ub-common-name, in characters; the library counts bytes)."""


class KeyKind(enum.Enum):
    """Algorithm and size of a key."""

    EC_P256 = "ec-p256"
    RSA_2048 = "rsa-2048"
    RSA_1024 = "rsa-1024"


class Purpose(enum.Enum):
    """Extended key usage (RFC 5280, 4.2.1.12): which side of TLS a certificate is good for."""

    SERVER = "server"
    CLIENT = "client"


class KeyUse(enum.Enum):
    """Key usage (RFC 5280, 4.2.1.3)."""

    DIGITAL_SIGNATURE = "digital-signature"
    CONTENT_COMMITMENT = "content-commitment"
    KEY_ENCIPHERMENT = "key-encipherment"
    DATA_ENCIPHERMENT = "data-encipherment"
    KEY_AGREEMENT = "key-agreement"
    KEY_CERT_SIGN = "key-cert-sign"
    CRL_SIGN = "crl-sign"


class Chain(enum.Enum):
    """What an endpoint sends after its own certificate."""

    NONE = "none"
    INTERMEDIATES = "intermediates"
    WITH_ROOT = "with-root"


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What CA and leaf have in common."""

    common_name: str
    organization: str | None = None
    organizational_unit: str | None = None
    issuer: str | None = None
    """Name of the CA that signs it; None if it signs itself."""
    key: KeyKind = KeyKind.EC_P256
    not_before: str = "-1d"
    """Offset from now, such as `-2h`; units s, m, h, d, w, y (365 days)."""
    not_after: str = "1y"
    """Offset from now."""
    key_usage: tuple[KeyUse, ...] | None = None
    """None: what such a certificate needs. Empty: no such extension."""
    wrong: str = ""
    """What is wrong with it on purpose, for people; empty if nothing is."""

    def __post_init__(self) -> None:
        for key in ("common_name", "organization", "organizational_unit"):
            value = getattr(self, key)
            if value is not None and not (value.isprintable() and 0 < len(value.encode()) <= LONGEST_ATTRIBUTE):
                raise ValueError(f"{key}: {value!r} is not 1 to {LONGEST_ATTRIBUTE} bytes of printable text")
        starts, ends = _offset("not_before", self.not_before), _offset("not_after", self.not_after)
        if starts >= ends:
            raise ValueError(f"not_after: {self.not_after!r} is not later than not_before {self.not_before!r}")

    def validity(self, now: datetime) -> tuple[datetime, datetime]:
        """The first and the last second it is valid, counted from `now`."""
        second = now.replace(microsecond=0)
        return second + _offset("not_before", self.not_before), second + _offset("not_after", self.not_after)


class CaRecipe(Recipe, frozen=True):
    """`[ca.NAME]`: a root if it signs itself, else an intermediate."""

    not_after: str = "10y"
    path_length: Annotated[int, msgspec.Meta(ge=0, le=99)] | None = None
    """How many intermediates may follow below; None: any number."""
    trusted: bool = True
    """Whether the bundle of roots holds it. Counts for roots only."""


class LeafRecipe(Recipe, frozen=True):
    """`[leaf.NAME]`: the certificate of an endpoint."""

    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    """Subject alternative names, by kind."""
    eku: tuple[Purpose, ...] = (Purpose.SERVER, Purpose.CLIENT)
    """Empty: no such extension, which means any purpose."""
    chain: Chain = Chain.INTERMEDIATES

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, names in (("dns", self.dns), ("uri", self.uri)):
            for name in names:
                if not re.fullmatch("[!-~]+", name):
                    raise ValueError(f"{key}: {name!r} is no ASCII name without spaces")
        for address in self.ip:
            try:
                scope = getattr(ipaddress.ip_address(address), "scope_id", None)
            except ValueError:
                raise ValueError(f"ip: {address!r} is no IP address") from None
            if scope is not None:
                raise ValueError(f"ip: {address!r} names a device, which no certificate can")


_R = TypeVar("_R", CaRecipe, LeafRecipe)


def _offset(key: str, text: str) -> timedelta:
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ValueError(f"{key}: {text!r} is no duration such as 90d or -2h (units: {', '.join(_UNITS)})")
    count, unit = int(match[1]), _UNITS[match[2]]
    if not _FIRST / unit <= count <= _LAST / unit:
        raise ValueError(f"{key}: {text!r} is not within -50y and 1000y")
    return count * unit


@dataclass(frozen=True, slots=True)
class RecipeBook:
    """Recipes of one or several files, all issuers known and none its own issuer's issuer."""

    cas: Mapping[str, CaRecipe]
    leafs: Mapping[str, LeafRecipe]

    def __getitem__(self, name: str) -> Recipe:
        return self.cas[name] if name in self.cas else self.leafs[name]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, CAs first, in the order of the files."""
        return *self.cas, *self.leafs

    def issuers(self, name: str) -> tuple[str, ...]:
        """The CAs above a certificate, the nearest first, the root last; none if it signs itself."""
        above: list[str] = []
        issuer = self[name].issuer
        while issuer is not None:
            above.append(issuer)
            issuer = self[issuer].issuer
        return tuple(above)


def shipped() -> dict[str, str]:
    """The title of each shipped recipe file, by the name it is asked for."""
    return {path.stem: tomllib.loads(path.read_text("utf-8"))["title"] for path in sorted(SHIPPED.glob("*.toml"))}


def load_recipes(*specs: str, setting: str = "--recipe") -> RecipeBook:
    """The recipes of these files, each a shipped one by name or one's own by the path of a .toml file.

    Without files, all shipped ones. ConfigError naming `setting`, file, table and key of whatever is wrong.
    """
    cas: dict[str, CaRecipe] = {}
    leafs: dict[str, LeafRecipe] = {}
    places: dict[str, str] = {}
    for spec in specs or shipped():
        where = f"{setting} {spec}"
        for kind, table in _tables(_read(spec, setting), where):
            for name in table:
                place = f"{where}: [{kind}.{name}]"
                if not _NAME.fullmatch(name):
                    raise ConfigError(f"{place}: {name!r} cannot be a file's name: letters, digits, '.', '_', '-'")
                if name in places:
                    raise ConfigError(f"{place}: this name is taken by {places[name]}")
                places[name] = place
                complete = _inherited(name, table, place)
                if kind == "ca":
                    cas[name] = _convert(complete, CaRecipe, place)
                else:
                    leafs[name] = _convert(complete, LeafRecipe, place)
    _check_issuers(book := RecipeBook(cas, leafs), places)
    return book


def _read(spec: str, setting: str) -> dict[str, Any]:
    path = Path(spec)
    if path.suffix != ".toml":
        path = SHIPPED / f"{spec}.toml"
        if "/" in spec or not path.is_file():
            known = ", ".join(shipped())
            raise ConfigError(f"{setting}: no recipe {spec!r}; known: {known}, or the path of a .toml file")
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{setting} {spec}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting} {spec}: {error}") from None


def _tables(content: dict[str, Any], where: str) -> list[tuple[str, dict[str, Any]]]:
    """The tables of CAs and of leafs, each with the tables in it by name."""
    for key in content:
        if key not in {"title", "ca", "leaf"}:
            raise ConfigError(f"{where}: unknown key {key!r}; known: title, [ca.NAME], [leaf.NAME]")
    if not isinstance(content.get("title", ""), str):
        raise ConfigError(f"{where}: title must be a text")
    found: list[tuple[str, dict[str, Any]]] = [(kind, content[kind]) for kind in ("ca", "leaf") if kind in content]
    if not any(table for _, table in found):
        raise ConfigError(f"{where}: neither [ca.NAME] nor [leaf.NAME] in it")
    for kind, table in found:
        if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
            raise ConfigError(f"{where}: [{kind}]: give each a name: [{kind}.NAME]")
    return found


def _inherited(name: str, tables: dict[str, Any], place: str) -> dict[str, Any]:
    """The table of that name on top of the one it is like."""
    merged: dict[str, Any] = {}
    seen = [name]
    table = tables[name]
    while True:
        merged = table | merged
        model = table.get("like")
        if model is None:
            return {key: value for key, value in merged.items() if key != "like"}
        if not isinstance(model, str) or model not in tables:
            raise ConfigError(f"{place}: like: no table {model!r} beside {seen[-1]!r}")
        if model in seen:
            raise ConfigError(f"{place}: like: goes in a circle: {' -> '.join([*seen, model])}")
        seen.append(model)
        table = tables[model]


def _convert(table: dict[str, Any], type_: type[_R], place: str) -> _R:
    fields: list[str] = [field.name for field in msgspec.structs.fields(type_)]
    for key in table:
        if key not in fields:
            known = ", ".join(sorted([*fields, "like"]))
            raise ConfigError(f"{place}: unknown key {key!r}; known: {known}")
    try:
        return msgspec.convert(table, type_)
    except msgspec.ValidationError as error:
        # msgspec says "Expected `str`, got `int` - at `$.dns[0]`"
        complaint, _, key = str(error).partition(" - at `$.")
        raise ConfigError(f"{place}: {key.rstrip('`') + ': ' if key else ''}{complaint}") from None


def _check_issuers(book: RecipeBook, places: dict[str, str]) -> None:
    for name in book.names:
        seen = [name]
        while (issuer := book[seen[-1]].issuer) is not None:
            if issuer not in book.cas:
                known = ", ".join(book.cas) or "none"
                raise ConfigError(f"{places[seen[-1]]}: issuer: no CA {issuer!r}; known: {known}")
            if issuer in seen:
                circle = " -> ".join([*seen[seen.index(issuer) :], issuer])
                raise ConfigError(f"{places[issuer]}: issuer: goes in a circle: {circle}")
            seen.append(issuer)
