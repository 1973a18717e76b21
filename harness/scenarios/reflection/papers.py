"""Certificates of one run, of those that are ours; without TLS there are none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from harness.ca import Pki
from harness.peers import traversal_tls
from harness.scenarios.reflection.names import CORE, EDGE
from harness.scenarios.stage import Stage
from harness.sip.security import Secure

_SHOWN: Final = {EDGE: traversal_tls.EDGE, CORE: traversal_tls.CORE}
"""Recipes, by the parts that show them."""
_KNOWN: Final = (traversal_tls.EDGE_ROOT, traversal_tls.CORE_ROOT)
_NOBODYS: Final = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % (
    b"OfigoKhe90kV6Y7PRbRpwFv6jGiFR8hyepr3t2BPec0aZ\n" * 36
)
"""Of the size of one."""


class Papers:
    """All of them."""

    def __init__(self, stage: Stage, kind: str) -> None:
        """`kind` is TLS or TCP. ConfigError if one cannot be read."""
        shown = [recipe for part, recipe in _SHOWN.items() if part not in stage.peers]
        self._pki = stage.pki(shown, _KNOWN) if kind == "TLS" else None

    @property
    def shown_in_service(self) -> bytes:
        """The certificate that our Expressway-E has in a SERVICE; PEM."""
        return _NOBODYS if self._pki is None else self._pki[traversal_tls.EDGE].certificate_pem

    def secure(self, make: Callable[[Pki, datetime], Secure]) -> Secure | None:
        """TLS of one end, or none."""
        return None if self._pki is None else make(self._pki, datetime.now(UTC))
