"""The SIP ALG of `sipalg`: bytes in, rewritten bytes and records out.

Five nouns carry it. A *framer* cuts a stream into messages; a *translator* finds the addresses that a *NAT table* maps
and turns them into edits; a *connection* drives both directions of one TCP connection; *records* say what was done and
why. Nothing here opens a socket or reads a clock: that is `alg.edge`.
"""
