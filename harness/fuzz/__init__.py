"""Finds the size, and the segmentation, that breaks an endpoint.

Strategy: what is sent and what it means are values; two files know sockets.

    Draft --growing--> bytes --Case.compose--> Probe --Prober.run--> Trial(probe, outcome, health)
                                                                       |
                       search <-- accepted or not -- journal, findings, report

A `Case` has a name and composes its `Probe` once the address is known that it will be sent from: the bytes, the
`Transaction`s whose answers are awaited, where the bytes are cut into segments, the pause between two. `Prober.run`
sends it, plays the caller's part as far as answers demand (ACK, BYE, CANCEL), and returns a `Trial`: the probe, the
`Outcome` (class, status, every segment and every answer with its time), and, unless it was accepted, the `Health` of
the target afterwards. `FindingFiles.write` keeps a trial as a directory that `sipalg fuzz replay` sends again.

Whoever has other cases (bytes that are no valid SIP, an expected class of answer) needs these four:
`probing.Case`, `probing.Prober`, `classification.Kind`, `findings.FindingFiles`. Two have: `torture_set`, messages that
are written down, and `mutation`, a message that `operators` spoil. `expecting` runs both, each case against its own
`expectation`, and `minimising` makes smaller what failed.

Pure:    drafts, growing, segments, dialog, exchange, classification, search, filling, specimen, mutation, minimising
Sockets: channel (with tls on memory BIOs), answering
Between: probing, journal, findings, report, and the runs: size, segmentation, torture, mutating, replay
"""
