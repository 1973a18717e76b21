"""Where the ALG meets sockets: Twisted, and nothing else of the package imports it."""
