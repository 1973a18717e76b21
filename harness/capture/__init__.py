"""Packet captures: pcapng written, pcap and pcapng read, and the proxy's connections told as packets."""
