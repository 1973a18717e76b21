"""What can be wrong with input, told apart by whose fault it is.

`ConfigError` is a person's: it names the option or key. `SipSyntaxError` and `LimitExceeded` are a peer's: they carry
the rule that was broken and where. Wrong use by our own code is an AssertionError.
"""

from __future__ import annotations


class SipalgError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(SipalgError, ValueError):
    """A setting that makes no sense; the message names the setting and the value."""


class MessageError(SipalgError):
    """A message that cannot be rewritten; it passes on as it came."""

    def __init__(self, rule: str, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (offset {offset})")
        self.rule = rule
        """Name of the rule that was broken, such as `content-length`."""
        self.reason = reason
        """One sentence for a person."""
        self.offset = offset
        """Bytes from the start of the message."""


class SipSyntaxError(MessageError):
    """Bytes that are no SIP, or SIP whose end cannot be told."""


class LimitExceeded(MessageError):
    """A message larger than the configuration lets us hold."""


class SegmentError(SipalgError):
    """A packet that is no IPv4 packet, or whose transport header is cut or contradicts itself."""

    def __init__(self, rule: str, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (offset {offset})")
        self.rule = rule
        """Name of the rule that was broken, such as `tcp-data-offset`."""
        self.reason = reason
        """One sentence for a person."""
        self.offset = offset
        """Bytes from the start of the packet."""
