"""News for the page, sent as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

HEARTBEAT_S = 15.0
"""Seconds after which a comment is sent, so that a dead connection is noticed."""
MAX_WAITING = 1000
"""Events that wait for one page; a page that is slower than that is disconnected and reads the state anew."""


class News:
    """Distributor of events to all open pages."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[str | None]] = set()

    def publish(self, kind: str, **values: Any) -> None:
        """Send an event to all open pages."""
        text = json.dumps({"type": kind, **values})
        for reader in list(self._readers):
            try:
                reader.put_nowait(text)
            except asyncio.QueueFull:
                self._readers.discard(reader)

    def close(self) -> None:
        """End all streams."""
        for reader in self._readers:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(None)

    async def stream(self) -> AsyncIterator[str]:
        """Yield events in the wire format until the page goes away."""
        reader: asyncio.Queue[str | None] = asyncio.Queue(MAX_WAITING)
        self._readers.add(reader)
        try:
            yield "retry: 1000\n\n"
            while reader in self._readers or not reader.empty():
                try:
                    text = await asyncio.wait_for(reader.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if text is None:
                    return
                yield f"data: {text}\n\n"
        finally:
            self._readers.discard(reader)
