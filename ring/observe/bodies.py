"""What others answer, from bytes to values: never too large, and garbage has one name."""

from collections.abc import Callable
from typing import Final, TypeVar

import aiohttp
import msgspec

from ring.observe.errors import Malformed

T = TypeVar("T")

GARBAGE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding raises for bytes that are something else: wrong, no UTF-8, too deep."""


def decoded(what: str, decode: Callable[[bytes], T], raw: bytes) -> T:
    """Decode an answer of the API server; `Malformed` where it is something else."""
    try:
        return decode(raw)
    except GARBAGE as error:
        raise Malformed(f"{what}: {error}") from None


async def whole(content: aiohttp.StreamReader, most: int) -> bytes:
    """Read a body of at most so many bytes; `OSError` where it is longer."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > most:
            raise OSError(f"an answer of over {most >> 20} MiB")
    return bytes(body)
