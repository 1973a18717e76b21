"""`sipalg proxy`: the ALG between two TCP endpoints."""

from __future__ import annotations

from typing import Any

import click

from alg.config import MediaMode
from harness.commands.options import alg_options, capture_option, sip_port_option
from harness.interception import print_rules, transparent_options
from harness.proxying import ProxyRun, proxy_flags
from harness.settings import alg_config, listeners, load_settings
from harness.termination import termination_options


@click.command("proxy")
@click.option("--listen", metavar="HOST:PORT", help="Where clients connect; port 0 takes any free one.")
@click.option("--to", metavar="HOST:PORT", help="Where connections go.")
@alg_options
@sip_port_option
@transparent_options
@click.option("--side", type=click.Choice(["inside", "outside"]), help="Where clients connect from.  [default: inside]")
@click.option(
    "--media",
    type=click.Choice([mode.value for mode in MediaMode]),
    help="relay: a UDP door for each media line that is translated; rewrite: addresses only; off: SDP stays as "
    "it is.  [default: relay]",
)
@click.option(
    "--tls-inspect",
    multiple=True,
    metavar="MODE",
    help="What a firewall's application inspection does to TLS connections: pass, reset:WHEN[:TO[:ELSEWHERE]], "
    "drop:WHEN, delay:WHEN:SECONDS, terminate, alg-blind[:BITS]; each may be limited by ,sni=PATTERN "
    ",direction=outward|inward ,nth=N ,tls=1.2|1.3. WHEN: client-hello, server-hello, server-certificate, "
    "certificate-request, client-certificate, client-finished, application-data or after:N bytes. "
    "Repeatable: the first that fits a connection decides.  [default: pass]",
)
@termination_options
@click.option("--events", metavar="F.jsonl", help="Write events there, one JSON object a line.")
@capture_option
@click.option(
    "--capture-clear",
    metavar="F.pcapng",
    help="terminate: write a capture there as if the terminated connections had been in clear.",
)
@click.option("--debug-ip-nat-sip", is_flag=True, help="Print what IOS's debug ip nat sip would, on standard error.")
@click.option("--config", metavar="F.toml", help="Configuration file; flags win over it. SIGHUP reads it again.")
def command(**options: Any) -> int:
    """Stand between two TCP endpoints as a NAT SIP ALG.

    Terminates each connection, makes one of its own to the target, and rewrites the SIP that passes. Prints
    `listening on HOST:PORT` on standard error when ready. SIGTERM ends it within a second.

    \b
    Example:
      sipalg proxy --listen 127.0.0.1:5060 --to 127.0.0.3:5060 --map 10.0.30.2=64.100.0.10 --events calls.jsonl

    \b
    On a router, unnoticed by both sides:
      sipalg proxy --transparent --listen 0.0.0.0:15060 --inside 10.0.30.0/24 --pool 203.0.113.10 --sip-port 5060 \\
          --install-rules

    \b
    NAT reflection: 10.0.30.2:27901 reaches the inside host 10.0.10.2 at its outside address, and is seen there as
    64.100.0.10:4401:
      sipalg proxy --transparent --listen 0.0.0.0:15060 --map 10.0.10.2=64.100.0.10 \\
          --map 10.0.30.2:27901=64.100.0.10:4401 --sip-port 7003 --install-rules
    """
    if options["print_rules"]:
        settings, said = load_settings(options["config"]), proxy_flags(options)
        print_rules(
            listeners(settings, said, options["listen"], options["to"], options["side"]), alg_config(settings, said)
        )
        return 0
    from twisted.internet import reactor  # noqa: PLC0415 - installing the reactor is the program's choice

    return ProxyRun(reactor, options).run()
