"""The subject names of certificates, as text.

Strategy: only as much DER (X.690) is read as leads to the subject of an X.509 certificate (RFC 5280 4.1); the name is
written as RFC 4514 says, the last part first, with a space behind each comma: `CN=sip.example.com, O=Example`. A
certificate whose subject cannot be read this way is `?`, and an empty subject is an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator

UNREADABLE = "?"

_SEQUENCE = 0x30
_SET = 0x31
_INTEGER = 0x02
_OBJECT_IDENTIFIER = 0x06
_VERSION = 0xA0

_MOST_PARTS = 32
"""Of a name; more make it unreadable."""
_MOST_VALUE = 256
"""Bytes of a value; the upper bounds of RFC 5280 A.1 are lower."""

_ATTRIBUTES = {
    **{"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST"},
    **{"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.42": "GN"},
    **{"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC"},
    "1.2.840.113549.1.9.1": "emailAddress",
}

_ENCODINGS = {
    **{0x0C: "utf-8", 0x12: "ascii", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii"},
    **{0x1C: "utf-32-be", 0x1E: "utf-16-be"},
}
"""Of UTF8String, NumericString, PrintableString, TeletexString (as all read it), IA5String, VisibleString,
UniversalString, BMPString."""

_SPECIAL = '"+,;<>\\'

_Element = tuple[int, bytes, bytes]
"""Tag, contents, and the bytes from the tag to the end of the contents."""


def subject_of(certificate: bytes) -> str:
    """The subject of a DER certificate, or `?`."""
    try:
        return _name(_subject(certificate))
    except ValueError:
        return UNREADABLE


def _elements(data: bytes) -> Iterator[_Element]:
    """The elements that stand one after the other; ValueError where one does not end."""
    at = 0
    while at < len(data):
        head = data[at : at + 2]
        if len(head) < 2 or head[0] & 0x1F == 0x1F:
            raise ValueError("no tag and length of one byte each")
        start, size = at + 2, head[1]
        if size & 0x80:
            digits = size & 0x7F
            if not 1 <= digits <= 4 or start + digits > len(data):
                raise ValueError("length of unusual form")
            size = int.from_bytes(data[start : start + digits])
            start += digits
        stop = start + size
        if stop > len(data):
            raise ValueError("contents are cut")
        yield head[0], data[start:stop], data[at:stop]
        at = stop


def _expect(elements: Iterator[_Element], tag: int) -> bytes:
    """The contents of the next element, which has to be of this kind."""
    found, contents, _ = next(elements, (None, b"", b""))
    if found != tag:
        raise ValueError("another element stands here")
    return contents


def _subject(certificate: bytes) -> bytes:
    """The contents of the subject: it follows version, serial number, algorithm, issuer and validity."""
    fields = _elements(_expect(_elements(_expect(_elements(certificate), _SEQUENCE)), _SEQUENCE))
    tag, _, _ = next(fields, (None, b"", b""))
    if tag == _VERSION:
        _expect(fields, _INTEGER)
    elif tag != _INTEGER:
        raise ValueError("no serial number")
    for _ in ("signature algorithm", "issuer", "validity"):
        _expect(fields, _SEQUENCE)
    return _expect(fields, _SEQUENCE)


def _name(subject: bytes) -> str:
    """A name as RFC 4514 2.1 writes it."""
    parts: list[str] = []
    for tag, part, _ in _elements(subject):
        if tag != _SET or len(parts) == _MOST_PARTS:
            raise ValueError("no name")
        parts.append("+".join(_attribute(tag, attribute) for tag, attribute, _ in _elements(part)))
    return ", ".join(reversed(parts))


def _attribute(tag: int, attribute: bytes) -> str:
    if tag != _SEQUENCE:
        raise ValueError("no attribute")
    members = _elements(attribute)
    oid = _dotted(_expect(members, _OBJECT_IDENTIFIER))
    kind, value, whole = next(members, (0, b"", b""))
    if not whole or len(whole) > _MOST_VALUE:
        raise ValueError("no value, or one longer than any name")
    return f"{_ATTRIBUTES.get(oid, oid)}={_value(kind, value, whole)}"


def _dotted(oid: bytes) -> str:
    """An object identifier as text (X.690 8.19)."""
    if not oid or len(oid) > 64 or oid[-1] & 0x80:
        raise ValueError("no object identifier")
    numbers = [0]
    for byte in oid:
        numbers[-1] = numbers[-1] << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(0)
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:-1])))


def _value(kind: int, value: bytes, whole: bytes) -> str:
    """A value as RFC 4514 2.4 writes it; one that is no text as `#` and its DER in hexadecimal."""
    if kind not in _ENCODINGS:
        return "#" + whole.hex()
    try:
        text = value.decode(_ENCODINGS[kind])
    except UnicodeDecodeError:
        return "#" + whole.hex()
    written = [_character(character) for character in text]
    if text[:1] in ("#", " "):
        written[:1] = ["\\" + text[0]]
    if text[-1:] == " ":
        written[-1] = "\\ "
    return "".join(written)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
