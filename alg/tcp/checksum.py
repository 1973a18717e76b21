"""The internet checksum (RFC 1071), in full and as an update (RFC 1624).

Strategy: the one's complement sum of 16-bit words is the whole block, read as one big-endian number, modulo 0xffff,
because 2^16 is 1 modulo 0xffff. Python divides a long number by a short one in one pass of C. Zero has two forms in
one's complement: a block that is not all zeros sums up to 0xffff, never to 0.
"""

from __future__ import annotations


def ones_complement_sum(data: bytes | bytearray | memoryview) -> int:
    """The one's complement sum of a block of any length, padded with a zero byte if that is odd; 0 to 0xffff."""
    number = int.from_bytes(data, "big")
    if len(data) & 1:
        number <<= 8
    return number % 0xFFFF or (0xFFFF if number else 0)


def internet_checksum(data: bytes | bytearray | memoryview, initial: int = 0) -> int:
    """The checksum of a block whose checksum field is zero; `initial` is a sum to begin with (of a pseudo-header).

    Over a block with its checksum in place the result is 0 if the checksum is right.
    """
    total = ones_complement_sum(data) + initial
    return 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0))


def updated_checksum(checksum: int, old: bytes, new: bytes) -> int:
    """The checksum after `old`, at an even offset, became `new`: HC' = ~(~HC + ~m + m') (RFC 1624 3).

    Both have the same even length. A checksum that was wrong stays as wrong as it was.
    """
    assert len(old) == len(new), "replaces bytes in place"
    assert len(old) % 2 == 0, "replaces whole words"
    if old == new:
        return checksum
    total = (0xFFFF - checksum) + (0xFFFF - ones_complement_sum(old)) + ones_complement_sum(new)
    return 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0))


def pseudo_header_sum(source: bytes, destination: bytes, protocol: int, length: int) -> int:
    """The sum of the IPv4 pseudo-header (RFC 9293 3.1, RFC 768); `length` counts transport header and payload."""
    return ones_complement_sum(source + destination) + protocol + length
