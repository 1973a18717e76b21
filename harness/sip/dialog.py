"""Dialogs (RFC 3261 12): what two ends know about each other, and the requests that follow from it.

Strategy: a request and a response make a dialog, as caller or callee. It makes requests, and judges those that come.
SipSyntaxError for messages that lack what a dialog needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from alg.errors import SipSyntaxError
from harness.sip.message import CSeq, Request, Response
from harness.sip.routing import with_routes
from harness.sip.uri import NameAddr

DialogId = tuple[str, str, str]
"""Call-ID, our tag, theirs."""

_FIRST_SEQUENCE = 1


@dataclass(slots=True)
class Dialog:
    """One dialog, as one of its ends sees it."""

    call_id: str
    local: NameAddr
    """With our tag."""
    remote: NameAddr
    """With theirs."""
    target: str
    """The URI that they are reached by: their last Contact."""
    routes: list[str] = field(default_factory=list)
    """The route set, in the order in which our requests take it."""
    sequence: int = _FIRST_SEQUENCE
    """CSeq of our last request."""
    remote_sequence: int | None = None
    """CSeq of their last one."""

    @classmethod
    def of_caller(cls, request: Request, response: Response) -> Dialog:
        """Made by a response to our request (12.1.2)."""
        return cls(
            request.call_id,
            request.sender,
            response.to,
            _target(response) or request.uri,
            list(reversed(response.values("Record-Route"))),
            request.cseq.number,
        )

    @classmethod
    def of_callee(cls, request: Request, tag: str) -> Dialog:
        """Made by our response, whose To has our tag, to their request (12.1.1)."""
        target = _target(request)
        if not target:
            raise SipSyntaxError("contact", f"{request.method} without a Contact", 0)
        return cls(
            request.call_id,
            request.to.with_tag(tag),
            request.sender,
            target,
            request.values("Record-Route"),
            _FIRST_SEQUENCE,
            request.cseq.number,
        )

    @property
    def id(self) -> DialogId:
        """By which requests that come are told."""
        return self.call_id, self.local.tag, self.remote.tag

    def request(
        self, method: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"", number: int | None = None
    ) -> Request:
        """Our next request; an ACK has the `number` of its INVITE (12.2.1.1, 13.2.2.4)."""
        if number is None:
            self.sequence += 1
            number = self.sequence
        first = (
            ("Max-Forwards", "70"),
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.call_id),
            ("CSeq", str(CSeq(number, method))),
        )
        return with_routes(Request.make(method, self.target, (*first, *fields), body), self.routes)

    def in_order(self, request: Request) -> bool:
        """Whether their request is later than their last one; remembers it if so (12.2.2). ACKs do not count."""
        number = request.cseq.number
        if self.remote_sequence is not None and number <= self.remote_sequence:
            return False
        self.remote_sequence = number
        return True

    def refresh(self, message: Request | Response) -> None:
        """They may have a new Contact: a re-INVITE or its 2xx, or an INVITE's 2xx behind its 1xx."""
        self.target = _target(message) or self.target


def dialog_id(request: Request) -> DialogId:
    """Of a request that came: ours is the To tag, which may be empty."""
    return request.call_id, request.to.tag, request.sender.tag


def _target(message: Request | Response) -> str:
    contact = message.contact
    return contact.uri if contact is not None else ""
