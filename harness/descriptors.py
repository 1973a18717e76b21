"""File descriptors: a proxied connection takes two, and the usual limit is 1024."""

from __future__ import annotations

import resource


def raise_descriptor_limit(wanted: int = 1 << 17) -> int:
    """Allow this process up to `wanted` open files, or as many as the system lets it; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for soft, ceiling in ((max(wanted, hard), max(wanted, hard)), (hard, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, ceiling))
        except (ValueError, OSError):
            continue
        return soft
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
