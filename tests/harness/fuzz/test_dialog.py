"""ACK, BYE, CANCEL and 200, compared with what was written by hand after RFC 3261."""

from __future__ import annotations

from harness.fuzz import dialog

INVITE = (
    b"INVITE sip:bob@192.0.2.7 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKone;rport, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKtwo\r\n"
    b"v: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKthree\r\n"
    b"Record-Route: <sip:own@192.0.2.1;lr>\r\n"
    b'f: "A" <sip:alice@192.0.2.1>;tag=a\r\n'
    b"To: <sip:bob@192.0.2.7>\r\n"
    b"Call-ID: call@192.0.2.1\r\n"
    b"CSeq:  41\r\n INVITE\r\n"
    b"Contact: <sip:alice@192.0.2.1>\r\n"
    b"Content-Length: 0\r\n\r\n"
)

OK = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKone\r\n"
    b"Record-Route: <sip:outer@192.0.2.20;lr>,\r\n <sip:inner@192.0.2.10;lr>\r\n"
    b"Record-Route: <sip:own@192.0.2.1;lr>\r\n"
    b"From: <sip:alice@192.0.2.1>;tag=a\r\n"
    b"To: <sip:bob@192.0.2.7>;tag=b\r\n"
    b"Call-ID: call@192.0.2.1\r\n"
    b"CSeq: 41 INVITE\r\n"
    b"Contact: <sip:bob@192.0.2.70:5062;transport=tcp>;expires=5\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def test_ack_of_a_failure_belongs_to_the_transaction() -> None:
    """Same Request-URI, same topmost Via and no other, the response's To (17.1.1.3)."""
    assert dialog.ack_failure(INVITE, OK.replace(b"200 OK", b"486 Busy Here")) == (
        b"ACK sip:bob@192.0.2.7 SIP/2.0\r\n"
        b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKone;rport\r\n"
        b"Max-Forwards: 70\r\n"
        b'From: "A" <sip:alice@192.0.2.1>;tag=a\r\n'
        b"To: <sip:bob@192.0.2.7>;tag=b\r\n"
        b"Call-ID: call@192.0.2.1\r\n"
        b"CSeq: 41 ACK\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_bye_follows_the_dialog() -> None:
    """Remote target, the routes that were added behind us in reverse order, the next number (12.2.1.1)."""
    assert dialog.in_dialog(b"BYE", INVITE, OK, steps=1) == (
        b"BYE sip:bob@192.0.2.70:5062;transport=tcp SIP/2.0\r\n"
        b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKone-bye;rport\r\n"
        b"Route: <sip:inner@192.0.2.10;lr>\r\n"
        b"Route: <sip:outer@192.0.2.20;lr>\r\n"
        b"Max-Forwards: 70\r\n"
        b'From: "A" <sip:alice@192.0.2.1>;tag=a\r\n'
        b"To: <sip:bob@192.0.2.7>;tag=b\r\n"
        b"Call-ID: call@192.0.2.1\r\n"
        b"CSeq: 42 BYE\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_ack_of_a_2xx_is_a_transaction_of_its_own() -> None:
    """The number of the INVITE, another branch (13.2.2.4)."""
    ack = dialog.in_dialog(b"ACK", INVITE, OK) or b""
    assert b"\r\nCSeq: 41 ACK\r\n" in ack
    assert b";branch=z9hG4bKone-ack;" in ack


def test_a_2xx_without_contact() -> None:
    """The call is hung up at the address that was called."""
    answer = OK.replace(b"Contact: <sip:bob@192.0.2.70:5062;transport=tcp>;expires=5\r\n", b"")
    assert (dialog.in_dialog(b"BYE", INVITE, answer) or b"").startswith(b"BYE sip:bob@192.0.2.7 SIP/2.0\r\n")


def test_cancel_matches_its_request() -> None:
    """Request-URI, topmost Via, To without a tag, the number (9.1)."""
    cancel = dialog.cancel(INVITE) or b""
    assert cancel.startswith(b"CANCEL sip:bob@192.0.2.7 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKone;")
    assert b"\r\nTo: <sip:bob@192.0.2.7>\r\n" in cancel
    assert b"\r\nCSeq: 41 CANCEL\r\n" in cancel


def test_a_response_copies_what_it_must() -> None:
    """Every Via in order, From, To with a tag, Call-ID, CSeq (8.2.6.2)."""
    assert dialog.response_to(INVITE, b"487 Request Terminated", b"us") == (
        b"SIP/2.0 487 Request Terminated\r\n"
        b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKone;rport, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKtwo\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKthree\r\n"
        b'From: "A" <sip:alice@192.0.2.1>;tag=a\r\n'
        b"To: <sip:bob@192.0.2.7>;tag=us\r\n"
        b"Call-ID: call@192.0.2.1\r\n"
        b"CSeq: 41 INVITE\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_a_dialog_that_exists_keeps_its_tag() -> None:
    """The 200 to somebody's BYE has the To of the BYE."""
    bye = dialog.in_dialog(b"BYE", INVITE, OK) or b""
    assert b"\r\nTo: <sip:bob@192.0.2.7>;tag=b\r\n" in (dialog.ok(bye) or b"")


def test_what_cannot_be_composed() -> None:
    """From a request that is no SIP nothing follows; nothing is raised either."""
    for wreck in (b"", b"INVITE", b"INVITE sip:x SIP/2.0\r\n\r\n", INVITE.replace(b"41", b"x"), b"\xff" * 50):
        assert dialog.cancel(wreck) is None
        assert dialog.ack_failure(wreck, OK) is None
        assert dialog.in_dialog(b"BYE", wreck, OK) is None
        assert dialog.ok(wreck) is None or b"41" not in wreck


def test_what_tells_transactions_apart() -> None:
    """Read from the topmost Via, from the compact names too, over folds."""
    assert dialog.branch_of(INVITE) == b"z9hG4bKone"
    assert dialog.sequence_of(INVITE) == (b"41", b"INVITE")
    assert dialog.call_id_of(INVITE.replace(b"Call-ID", b"i")) == b"call@192.0.2.1"
    assert dialog.branch_of(b"OPTIONS sip:x SIP/2.0\r\n\r\n") == b""
