"""What a call is to others: how far it is, how it ended, and the user agent it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from harness.sip.exchange import Means
from harness.sip.flow import Flow
from harness.sip.message import Request, Response
from harness.sip.offer_answer import Capabilities

if TYPE_CHECKING:
    from harness.sip.call import Call


class CallState(Enum):
    """How far it is."""

    CALLING = "calling"
    RINGING = "ringing"
    ESTABLISHED = "established"
    ENDED = "ended"


class End(Enum):
    """Why a call ended."""

    HUNG_UP = "hung up here"
    REMOTE = "hung up there"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    FAILED = "no response"
    NO_ACK = "its 2xx was not acknowledged"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    end: End
    response: Response | None = None
    """That refused it, ours or theirs."""
    request: Request | None = None
    """That ended it: their BYE or CANCEL."""
    detail: str = ""


class Home(Protocol):
    """The user agent that a call belongs to."""

    @property
    def means(self) -> Means:
        """What it sends with."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do now."""

    def common_fields(self) -> list[tuple[str, str]]:
        """What every message of its calls has."""

    def contact(self, flow: Flow) -> str:
        """Its Contact on a flow."""

    def joined(self, call: Call) -> None:
        """A call has its dialog."""

    def left(self, call: Call) -> None:
        """A call is over."""
