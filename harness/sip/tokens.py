"""What must never be the same twice: branches, tags, Call-IDs, nonces (RFC 3261 8.1.1.7, 19.3, 8.1.1.4)."""

from __future__ import annotations

from random import Random

from harness.sip.via import MAGIC_COOKIE


class Tokens:
    """By chance that can be had again with the same seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = Random(seed)

    def branch(self) -> str:
        """Of a Via."""
        return f"{MAGIC_COOKIE}{self._hex(64)}"

    def tag(self) -> str:
        """Of a From or To."""
        return self._hex(64)

    def call_id(self, host: str) -> str:
        """With the host it is made on."""
        return f"{self._hex(96)}@{host}"

    def nonce(self) -> str:
        """Of a digest, ours or the other side's."""
        return self._hex(128)

    def number(self, most: int = 2**31) -> int:
        """Less than `most`: a first CSeq, an RTP port, the version of a session."""
        return self._random.randrange(1, most)

    def _hex(self, bits: int) -> str:
        return f"{self._random.getrandbits(bits):0{bits // 4}x}"
