"""The proxy between programs that are not ours: SIPp, baresip, tshark."""
