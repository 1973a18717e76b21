"""The limit of open files."""

from __future__ import annotations

import resource

from harness.descriptors import raise_descriptor_limit


def test_the_soft_limit_rises_as_far_as_it_may() -> None:
    """Afterwards the soft limit is what the function says, and not below what it was."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    allowed = raise_descriptor_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == allowed >= before
