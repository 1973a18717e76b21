"""Dialogs: what both ends make of the same messages (RFC 3261 12)."""

from __future__ import annotations

import pytest

from alg.errors import SipSyntaxError
from harness.sip.dialog import Dialog, dialog_id
from harness.sip.message import Response
from tests.harness.sip.samples import request

INVITE = request(number=7, Record_Route="<sip:p2;lr>, <sip:p1;lr>", Contact="<sip:alice@192.0.2.1:5080>")
OK = Response.to_request(INVITE, 200, "", [("Contact", "<sip:bob@192.0.2.2:5090;transport=tcp>")], "b")


def test_both_ends() -> None:
    """Each sees the other's tag as remote, and the proxies in the order in which its requests take them."""
    alice, bob = Dialog.of_caller(INVITE, OK), Dialog.of_callee(INVITE, "b")
    assert (alice.id, bob.id) == (("call-1", "a", "b"), ("call-1", "b", "a"))
    assert (alice.routes, bob.routes) == (["<sip:p1;lr>", "<sip:p2;lr>"], ["<sip:p2;lr>", "<sip:p1;lr>"])
    assert (alice.target, bob.target) == ("sip:bob@192.0.2.2:5090;transport=tcp", "sip:alice@192.0.2.1:5080")


def test_requests() -> None:
    """To the target, by the route set, counted on; an ACK has its INVITE's number."""
    alice, bob = Dialog.of_caller(INVITE, OK), Dialog.of_callee(INVITE, "b")
    bye = alice.request("BYE", [("Reason", "Q.850;cause=47")])
    assert (bye.uri, str(bye.cseq), bye.values("Route")) == (alice.target, "8 BYE", alice.routes)
    assert (bye.sender.tag, bye.to.tag, bye.first("Reason")) == ("a", "b", "Q.850;cause=47")
    assert str(alice.request("ACK", number=7).cseq) == "7 ACK"
    assert str(alice.request("INFO").cseq) == "9 INFO"
    assert dialog_id(bye) == bob.id


def test_strict_router() -> None:
    """An old proxy gets the Request-URI that it expects."""
    alice = Dialog.of_caller(INVITE, OK)
    alice.routes = ["<sip:old>"]
    bye = alice.request("BYE")
    assert (bye.uri, bye.values("Route")) == ("sip:old", [f"<{alice.target}>"])


def test_order() -> None:
    """A number that is not greater than the last one is out of order (12.2.2)."""
    bob = Dialog.of_callee(INVITE, "b")
    assert [bob.in_order(request("INFO", number=number)) for number in (8, 8, 7, 20)] == [True, False, False, True]


def test_contact_changes() -> None:
    """With a re-INVITE; a message without one changes nothing."""
    alice = Dialog.of_caller(INVITE, OK)
    alice.refresh(request(Contact="<sip:bob@192.0.2.77>"))
    alice.refresh(request())
    assert alice.target == "sip:bob@192.0.2.77"


def test_without_contact() -> None:
    """An INVITE has to have one; a 2xx that has none is answered where the INVITE went."""
    with pytest.raises(SipSyntaxError, match="without a Contact"):
        Dialog.of_callee(request(), "b")
    assert Dialog.of_caller(INVITE, OK.drop("Contact")).target == INVITE.uri
