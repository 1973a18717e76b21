"""The moments at which the guides' own lines were written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

SYDNEY = datetime(2016, 4, 19, 17, 9, 13, 973_000, timezone(timedelta(hours=10)))
"""When a SERVICE arrived, in the document about NAT reflection."""
NEW_YORK = datetime(2017, 9, 22, 11, 11, 19, 485_999, timezone(timedelta(hours=-4)))
"""When a handshake was in progress, in the guide to hybrid calls."""
