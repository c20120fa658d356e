"""Cut the bytes of a watch into lines; pure."""

from collections.abc import Iterator
from typing import Final

from seedprovider.kube.errors import Malformed

MAX_LINE_BYTES: Final = 4 * 2**20
"""A watch line holds one object, and the API server takes no request over 3 MiB."""


class Lines:
    """Cut a byte stream into lines, of which none may be longer than ``limit_bytes``.

    Our own, since aiohttp's line reader needs a buffer of twice the longest line for each
    stream and fails with an error that is no ``ClientError``.
    """

    def __init__(self, limit_bytes: int = MAX_LINE_BYTES) -> None:
        self._limit = limit_bytes
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that ``chunk`` completes, without their end and without blank ones.

        Consume it fully before the next call.  Raises `Malformed` for a line over the limit.
        """
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            self._extend(line)
            complete = bytes(self._rest)
            self._rest.clear()
            if complete.strip():
                yield complete
        self._extend(rest)

    def _extend(self, part: bytes) -> None:
        if len(self._rest) + len(part) > self._limit:
            self._rest.clear()
            raise Malformed(f"a watch line is longer than {self._limit} bytes")
        self._rest += part
