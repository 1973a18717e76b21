"""The texts of the call, shaped like an Expressway's. Line ends become CRLF when a message is composed.

Names and numbers are made up; addresses that belong to neither endpoint are from RFC 5737.
"""

from __future__ import annotations

INVITE = """\
INVITE sip:4015@{peer_host}:{peer_port};transport=tcp SIP/2.0
Via: SIP/2.0/TCP {host}:{port};egress-zone=BranchToHeadquarters;branch=z9hG4bK{branch}.{digest};\
proxy-call-id={proxy_call};rport
Via: SIP/2.0/TLS {host}:5073;branch=z9hG4bK{inner};x-cisco-local-service=nettle;received={host};rport=42533;\
ingress-zone=DefaultZone
Via: SIP/2.0/TLS 198.51.100.7:50614;branch=z9hG4bK{phone};received=198.51.100.7;rport=50614;\
ingress-zone=CollaborationEdgeZone
Call-ID: {call_id}@{host}
CSeq: 100 INVITE
Contact: <sip:2002@{host}:{port};transport=tcp>;video;audio;call-type=squared
From: "Harbour Room" <sip:harbour.room@branch.example>;tag={tag}
To: <sip:lighthouse.room@hq.example.com>
Max-Forwards: 15
Record-Route: <sip:proxy-call-id={proxy_call}@{host}:{port};transport=tcp;lr>
Record-Route: <sip:proxy-call-id={proxy_call}@{host}:5061;transport=tls;lr>
Allow: INVITE,ACK,CANCEL,BYE,INFO,OPTIONS,REFER,SUBSCRIBE,NOTIFY,UPDATE
Supported: timer,replaces,path,outbound
User-Agent: TANDBERG/4137 (X14.0.8)
P-Asserted-Identity: "Harbour Room" <sip:2002@{host}>
X-TAATag: {taa}
Session-Expires: 1800;refresher=uac
Min-SE: 90
Session-ID: {session};remote=00000000000000000000000000000000
Geolocation: <cid:harbour-room@branch.example>
Geolocation-Routing: no
MIME-Version: 1.0
Content-Type: multipart/mixed;boundary=boundary-{session}
"""

IN_DIALOG = """\
{method} {target} SIP/2.0
Via: SIP/2.0/TCP {host}:{port};branch=z9hG4bK{branch};proxy-call-id={proxy_call};rport
Call-ID: {dialog}
CSeq: {cseq} {method}
From: {local}
To: {remote}
Max-Forwards: 70
User-Agent: TANDBERG/4137 (X14.0.8)
"""
"""ACK and BYE; the Route header fields are put behind it."""

PROVISIONAL = """\
Server: TANDBERG/4137 (X14.0.8)
"""

ACCEPTED = """\
Contact: <sip:4015@{host}:{port};transport=tcp>;video;audio
Allow: INVITE,ACK,CANCEL,BYE,INFO,OPTIONS,REFER,SUBSCRIBE,NOTIFY,UPDATE
Supported: timer,replaces
Require: timer
Server: TANDBERG/4137 (X14.0.8)
P-Asserted-Identity: "Lighthouse Room" <sip:4015@{host}>
Session-Expires: 1800;refresher=uac
Content-Type: application/sdp
"""
"""What a 200 to INVITE has beside the header fields that come from the request."""

RECORD_ROUTE = "Record-Route: <sip:proxy-call-id={proxy_call}@{host}:{port};transport=tcp;lr>\n"
"""The callee's own, above those of the request (RFC 3261 16.6)."""

OFFER = """\
v=0
o=tandberg 7 1 IN IP4 {host}
s=-
c=IN IP4 {host}
b=AS:6000
t=0 0
m=audio {audio} RTP/AVP 8 0 101
b=TIAS:64000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^48
a=rtcp:{audio_rtcp} IN IP4 {host}
a=candidate:1 1 UDP 2130706431 {host} {audio} typ host
a=candidate:1 2 UDP 2130706430 {host} {audio_rtcp} typ host
a=candidate:2 1 UDP 16777215 203.0.113.40 24576 typ relay raddr {host} rport {audio}
a=sendrecv
m=video {video} RTP/AVP 97
b=TIAS:2000000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e016;max-mbps=108000;max-fs=3600
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^48
a=rtcp:{video_rtcp} IN IP4 {host}
a=candidate:1 1 UDP 2130706431 {host} {video} typ host
a=candidate:1 2 UDP 2130706430 {host} {video_rtcp} typ host
a=content:main
a=label:11
a=sendrecv
m=application {bfcp} UDP/BFCP *
c=IN IP4 {host}
a=floorctrl:c-s
a=confid:1
a=userid:7
a=floorid:1 mstrm:12
a=setup:actpass
a=connection:new
"""

ANSWER = """\
v=0
o=tandberg 9 1 IN IP4 {host}
s=-
c=IN IP4 {host}
b=AS:6000
t=0 0
m=audio {audio} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp:{audio_rtcp} IN IP4 {host}
a=sendrecv
m=video {video} RTP/AVP 97
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e016;max-mbps=108000;max-fs=3600
a=rtcp:{video_rtcp}
a=content:main
a=label:11
a=sendrecv
m=application {bfcp} UDP/BFCP *
a=floorctrl:s-only
a=confid:1
a=userid:9
a=floorid:1 mstrm:12
a=setup:passive
a=connection:new
"""

LOCATION = """\
<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"
 xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" entity="pres:harbour.room@branch.example">
<tuple id="room"><status><gp:geopriv><gp:location-info><ca:civicAddress><ca:LOC>Harbour Room</ca:LOC>
</ca:civicAddress></gp:location-info></gp:geopriv></status></tuple>
</presence>
"""
"""The second part of the INVITE's body (RFC 6442)."""

MULTIPART = """\
--{boundary}
Content-Type: application/sdp
Content-Disposition: session;handling=required
Content-Length: {length}

{sdp}
--{boundary}
Content-Type: application/pidf+xml
Content-ID: <harbour-room@branch.example>

{location}
--{boundary}--
"""
