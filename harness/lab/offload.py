"""Segmentation offload and checksum offload of a device, by ioctl: what `ethtool -K` does, without the program.

With offload a veth device hands on packets of up to 64 kB with no checksum; without it, every segment is one that could
have crossed a wire.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946
_GET_TSO = 0x1E
_SETTERS = {"tx checksum": 0x17, "scatter-gather": 0x19, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}
"""ETHTOOL_S* of <linux/ethtool.h>, in the order in which they depend on each other."""


def set_offload(devices: tuple[str, ...], on: bool) -> None:
    """Turn offload on or off for devices of the namespace we are in."""
    for device in devices:
        for command in _SETTERS.values():
            _ethtool(device, command, int(on))


def offloads(devices: tuple[str, ...]) -> dict[str, bool]:
    """Which devices of the namespace we are in take more than a segment at a time."""
    return {device: bool(_ethtool(device, _GET_TSO, 0)) for device in devices}


def _ethtool(device: str, command: int, value: int) -> int:
    """One command of `struct ethtool_value`; the value it has afterwards."""
    request = array.array("I", [command, value])
    address, _ = request.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCETHTOOL, struct.pack("16sP", device.encode(), address))
    return request[1]
