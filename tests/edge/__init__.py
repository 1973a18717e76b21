"""The proxy and its media doors on real sockets."""
