"""Names of adoption seeds → addresses; the only name lookups of the sidecar."""

import asyncio
import logging
from typing import Final

from seedprovider.model import Address
from seedprovider.view import canonical

RESOLVE_SECONDS: Final = 1.0
"""Bound on each name; all are looked up at once, within the time for one answer."""

log = logging.getLogger(__name__)


async def resolve(names: tuple[str, ...]) -> tuple[Address, ...]:
    """Return the addresses of adoption seeds; a name that does not resolve is left out."""
    answers = await asyncio.gather(*map(_addresses_of, names))
    return tuple(dict.fromkeys(address for each in answers for address in each))


async def _addresses_of(name: str) -> list[Address]:
    literal = canonical(name)
    if literal is not None:
        return [literal]
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            places = await asyncio.get_running_loop().getaddrinfo(name, None)
    except (OSError, TimeoutError) as error:
        log.warning("adoption seed %s does not resolve: %s", name, error)
        return []
    found = (canonical(str(place[0])) for *_, place in places)
    return [address for address in found if address is not None]
