"""A call as one of its ends sees it: INVITE, dialog, offer and answer, BYE (RFC 3261 13 to 15, RFC 3264).

Strategy: one class for both directions, as they differ only until the call stands. How a call ended is a value, and
both Deferreds fire without failing: `established` with whether it ever stood, `ended` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred

from alg.errors import SipSyntaxError
from harness.sip import sdp
from harness.sip.call_states import CallState, End, Ended, Home
from harness.sip.dialog import Dialog
from harness.sip.element import Where
from harness.sip.exchange import Exchange, NoResponse, Outcome, send_ack
from harness.sip.flow import Flow
from harness.sip.message import Request, Response
from harness.sip.offer_answer import make_answer, make_offer
from harness.sip.sdp import Description
from harness.sip.server import ServerTransaction

Fields = Iterable[tuple[str, str]]


class Call:
    """One call."""

    def __init__(self, home: Home, request: Request, transaction: ServerTransaction | None, tag: str = "") -> None:
        """`transaction` of a call that came in, with our tag."""
        self.request = request
        """Its INVITE."""
        self.incoming = transaction is not None
        self.transaction = transaction
        self.state = CallState.RINGING if self.incoming else CallState.CALLING
        self.dialog: Dialog | None = Dialog.of_callee(request, tag) if self.incoming else None
        self.local: Description | None = None
        """What we said last."""
        self.remote: Description | None = None
        """What they said last."""
        self.where: Where | None = None
        """Where its requests go; None for where its dialog says."""
        self.responses: list[Response] = []
        """Every response to our INVITE."""
        self.established: Deferred[bool] = Deferred()
        self.ended: Deferred[Ended] = Deferred()
        self.result: Ended | None = None
        """How it ended."""
        self.acknowledged = False
        """Its 2xx was, by an ACK that we got."""
        self._home = home
        self._tag = tag
        self._alarms = home.means.element.alarms()
        self._exchange: Exchange | None = None
        self._ack: Request | None = None
        self._extra: dict[str, Request] = {}
        """ACKs of other 2xx to our INVITE, by tag."""
        self._changing = False
        """A re-INVITE of ours is on its way."""
        self._answered: Response | None = None
        """Our 2xx that waits for its ACK."""
        self._answering: ServerTransaction | None = None
        if transaction is not None:
            transaction.on_cancel = self._cancelled
            self.remote = _description(request)

    def start(self, where: Where | None) -> None:
        """Send our INVITE; its body is our offer, if it has one."""
        self.local = _description(self.request)
        self.where = where
        self._exchange = Exchange(self._home.means, self.request, where, self._response)
        self._exchange.done.addCallback(self._concluded)

    def ring(self, status: int = 180, with_media: bool = False, fields: Fields = ()) -> None:
        """Say that it rings; `with_media` answers the offer already, as 183 does."""
        body = self._own_description() if with_media else None
        self._respond(status, fields, body)

    def after(self, delay: float, action: Callable[[], None]) -> None:
        """Have something done in so many seconds, unless the call is over by then."""
        self._alarms.set("after", delay, action)

    def answer(self, fields: Fields = ()) -> None:
        """Take the call: 200 with the answer, or with our offer if the INVITE had none. SipSyntaxError for a body
        that cannot be answered.
        """
        assert self.incoming, "a call that came in is answered"
        if self.state is not CallState.RINGING or self.transaction is None:
            return
        self.state = CallState.ESTABLISHED
        self._accept(self.transaction, self._respond(200, fields, self._own_description()))
        self.established.callback(True)

    def reject(self, status: int, reason: str = "", fields: Fields = ()) -> None:
        """Do not take the call."""
        if self.state is CallState.RINGING and self.incoming:
            response = self._respond(status, fields, None, reason)
            self._end(Ended(End.REFUSED, response))

    def hang_up(self, fields: Fields = ()) -> None:
        """End it in whichever way it can be: BYE, CANCEL, or 603."""
        if self.state is CallState.ESTABLISHED:
            self._say_bye(Ended(End.HUNG_UP), fields)
        elif self.incoming:
            self.reject(603)
        elif self._exchange is not None:
            self._exchange.cancel()

    def reinvite(self, description: Description | None) -> Deferred[Outcome]:
        """Change the session: a new offer, or none to be offered something."""
        dialog = self._standing()
        self._changing = True
        body = description.to_bytes() if description else b""
        request = dialog.request("INVITE", self._home.common_fields()).with_body(body)
        exchange = Exchange(self._home.means, request, self.where, next_sequence=self._count)
        exchange.done.addCallback(self._reinvited, description, exchange)
        return exchange.done

    def ask(self, method: str, fields: Fields = (), body: bytes = b"") -> Deferred[Outcome]:
        """Any other request in the dialog, such as INFO."""
        request = self._standing().request(method, fields, body)
        return Exchange(self._home.means, request, self.where, next_sequence=self._count).done

    def receive(self, request: Request, transaction: ServerTransaction) -> bool:
        """A request in its dialog; False if somebody else has to answer it."""
        dialog = self._standing()
        if not dialog.in_order(request):
            transaction.respond(Response.to_request(request, 500))
        elif request.method == "BYE":
            transaction.respond(Response.to_request(request, 200))
            if self.incoming and self.state is CallState.RINGING:
                self._respond(487, (), None)
            self._finish(Ended(End.REMOTE, request=request))
        elif request.method == "INVITE":
            self._change(request, transaction)
        else:
            return False
        return True

    def receive_ack(self, request: Request) -> None:
        """The ACK of our 2xx; with the answer, if that had the offer."""
        if self._answered is None or request.cseq.number != self._answered.cseq.number:
            return
        self._answered = None
        self.acknowledged = True
        self._alarms.stop("2xx", "ack")
        self.remote = _description(request) or self.remote

    def _response(self, response: Response) -> None:
        self.responses.append(response)
        if response.success:
            self._accepted(response)
        elif response.provisional and response.status > 100 and self.state is CallState.CALLING:
            self.state = CallState.RINGING
        if response.provisional and response.is_sdp:
            self.remote = _description(response)

    def _accepted(self, response: Response) -> None:
        if self.dialog is not None and self._ack is not None and response.to.tag == self.dialog.remote.tag:
            self._send_ack(self._ack)
        elif self.state is CallState.ENDED or self.dialog is not None:
            self._decline(response)
        else:
            self._join(response)

    def _join(self, response: Response) -> None:
        """Our call stands (13.2.2.4)."""
        dialog = self.dialog = Dialog.of_caller(self._sent, response)
        self.remote = _description(response) or self.remote
        body = b""
        if self.local is None and self.remote is not None:
            self.local = make_answer(self.remote, self._home.capabilities, *self._session())
            body = self.local.to_bytes()
        self._ack = self._make_ack(dialog, response).with_body(body)
        self.state = CallState.ESTABLISHED
        self._home.joined(self)
        self._send_ack(self._ack)
        self.established.callback(True)

    def _decline(self, response: Response) -> None:
        """A 2xx of somebody else, or one that crossed our CANCEL: acknowledged, and ended (13.2.2.4)."""
        if response.to.tag in self._extra:
            self._send_ack(self._extra[response.to.tag])
            return
        dialog = Dialog.of_caller(self._sent, response)
        ack = self._extra[response.to.tag] = self._make_ack(dialog, response)
        self._send_ack(ack)
        Exchange(self._home.means, dialog.request("BYE", self._home.common_fields()), self.where)

    def _make_ack(self, dialog: Dialog, response: Response) -> Request:
        """With the credentials of its INVITE."""
        ack = dialog.request("ACK", number=response.cseq.number)
        for name in ("Authorization", "Proxy-Authorization"):
            if values := self._sent.all(name):
                ack = ack.put(name, *values)
        return ack

    def _send_ack(self, ack: Request) -> None:
        send_ack(self._home.means, ack, self.where)

    @property
    def _sent(self) -> Request:
        return self._exchange.request if self._exchange is not None else self.request

    def _concluded(self, outcome: Outcome) -> None:
        """Our INVITE has come to its end."""
        if isinstance(outcome, NoResponse):
            self._finish(Ended(End.FAILED, detail=outcome.detail))
        elif not outcome.success:
            self._finish(Ended(End.CANCELLED if outcome.status == 487 else End.REFUSED, outcome))

    def _own_description(self) -> Description:
        if self.local is None:
            able, session = self._home.capabilities, self._session()
            self.local = make_answer(self.remote, able, *session) if self.remote else make_offer(able, *session)
        return self.local

    def _session(self) -> tuple[int, int]:
        number = self._home.means.element.tokens.number()
        return number, number

    def _respond(self, status: int, fields: Fields, body: Description | None, reason: str = "") -> Response:
        assert self.transaction is not None, "came in"
        response = self._compose(self.request, status, fields, body, reason, self.transaction.flow)
        self.transaction.respond(response)
        return response

    def _compose(
        self, request: Request, status: int, fields: Fields, body: Description | None, reason: str, flow: Flow
    ) -> Response:
        contact = [("Contact", self._home.contact(flow))] if status < 300 else []
        more = [*contact, *self._home.common_fields(), *fields]
        response = Response.to_request(request, status, reason, more, self._tag)
        return response.with_body(body.to_bytes() if body is not None else b"")

    def _accept(self, transaction: ServerTransaction, response: Response) -> None:
        """Send a 2xx again and again until its ACK comes (13.3.1.4)."""
        timers = self._home.means.element.settings.timers
        self._answered = response
        self._alarms.repeat("2xx", timers.t1, timers.t2, lambda: transaction.respond(response))
        self._alarms.set("ack", timers.timeout, self._never_acknowledged)

    def _never_acknowledged(self) -> None:
        self._alarms.stop_all()
        if self.state is CallState.ESTABLISHED:
            self._say_bye(Ended(End.NO_ACK))

    def _cancelled(self) -> None:
        if self.state is CallState.RINGING:
            response = self._respond(487, (), None)
            self._end(Ended(End.CANCELLED, response))

    def _change(self, request: Request, transaction: ServerTransaction) -> None:
        """A re-INVITE (14.2)."""
        flow = transaction.flow
        if self._changing:
            transaction.respond(self._compose(request, 491, (), None, "", flow))
            return
        offer, able = _description(request), self._home.capabilities
        version = (self.local.session, self.local.version + 1) if self.local else self._session()
        local = make_answer(offer, able, *version) if offer else make_offer(able, *version)
        self._standing().refresh(request)
        self.local, self.remote = local, offer or self.remote
        response = self._compose(request, 200, (), local, "", flow)
        transaction.respond(response)
        self._accept(transaction, response)

    def _reinvited(self, outcome: Outcome, offered: Description | None, exchange: Exchange) -> Outcome:
        self._changing = False
        if isinstance(outcome, NoResponse) or not outcome.success or self.state is not CallState.ESTABLISHED:
            return outcome
        dialog = self._standing()
        dialog.refresh(outcome)
        self.remote = _description(outcome) or self.remote
        body = b""
        if offered is not None:
            self.local = offered
        elif self.remote is not None:
            self.local = make_answer(self.remote, self._home.capabilities, *self._session())
            body = self.local.to_bytes()
        self._send_ack(dialog.request("ACK", number=outcome.cseq.number).with_body(body))
        return outcome

    def _count(self) -> int:
        dialog = self._standing()
        dialog.sequence += 1
        return dialog.sequence

    def _standing(self) -> Dialog:
        assert self.dialog is not None, "the call has its dialog"
        return self.dialog

    def _say_bye(self, ended: Ended, fields: Fields = ()) -> None:
        self._alarms.stop_all()
        self.state = CallState.ENDED
        request = self._standing().request("BYE", [*self._home.common_fields(), *fields])
        exchange = Exchange(self._home.means, request, self.where, next_sequence=self._count)
        exchange.done.addCallback(lambda outcome: self._end(ended))

    def _finish(self, ended: Ended) -> None:
        if self.state is not CallState.ENDED:
            self._end(ended)

    def _end(self, ended: Ended) -> None:
        stood = self.established.called
        self.state = CallState.ENDED
        self._alarms.stop_all()
        if self.result is not None:
            return
        self.result = ended
        self._home.left(self)
        if not stood:
            self.established.callback(False)
        self.ended.callback(ended)


def _description(message: Request | Response) -> Description | None:
    """What a message says of the session; None if it says nothing, or nothing that can be understood."""
    if not message.is_sdp:
        return None
    try:
        return sdp.parse(message.body)
    except SipSyntaxError:
        return None
