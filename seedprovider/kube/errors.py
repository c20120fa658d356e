"""Everything that can go wrong between us and the API server, sorted by what to do about it.

Above `seedprovider.kube` nobody catches an error of aiohttp, ssl or msgspec: it arrives as one
of these.  No error holds a token, a header or a whole body.
"""

import math
from typing import ClassVar, Final

REASON_LIMIT: Final = 300
"""Characters of a server's own words that we pass on; a webhook may answer with pages."""


class KubeError(Exception):
    """Base of the family.

    Attributes:
        retry_may_help: whether the same request, unchanged, can succeed later by itself.
        reason: one line for people, at most `REASON_LIMIT` characters.
        status: the HTTP status, or the ``code`` of a Status object; None without an answer.

    """

    retry_may_help: ClassVar[bool] = False

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        """Cap and clean ``reason``: it may come from the server, and it ends in log lines."""
        self.reason: Final = one_line(reason)
        self.status: Final = status
        super().__init__(self.reason)


class Unavailable(KubeError):  # noqa: N818 -- reads as what happened
    """The server cannot be reached, does not answer in time, or answers 408, 429 or 5xx.

    Attributes:
        outcome_unknown: true when this was a write that may have been carried out all the
            same: read the object again before doing anything else.
        retry_after_seconds: what the server asked for (``Retry-After``), or None.

    """

    retry_may_help: ClassVar[bool] = True

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        outcome_unknown: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        """Say what failed and whether a write may have happened nevertheless."""
        super().__init__(reason, status=status)
        self.outcome_unknown: Final = outcome_unknown
        self.retry_after_seconds: Final = retry_after_seconds


class Silent(Unavailable):
    """A watch said nothing, not even a bookmark, for longer than a healthy one can."""


class Unauthorized(KubeError):  # noqa: N818
    """401, or no usable token: retry, because the kubelet replaces the token file."""

    retry_may_help: ClassVar[bool] = True


class Forbidden(KubeError):  # noqa: N818
    """403: the service account lacks a right; somebody has to grant it."""


class NotFound(KubeError):  # noqa: N818
    """404: no such object, or no such kind of object."""


class AlreadyExists(KubeError):  # noqa: N818
    """409 on a create: the name is taken."""


class Conflict(KubeError):  # noqa: N818
    """409 on anything else: the object is no longer the one that the caller read."""


class Invalid(KubeError):  # noqa: N818
    """Any other 3xx or 4xx: the request itself is wrong, or was refused by admission."""


class Expired(KubeError):  # noqa: N818
    """410: the server no longer holds the history we asked it to continue from."""

    retry_may_help: ClassVar[bool] = True


class Malformed(KubeError):  # noqa: N818
    """The server said something that is not a list, an object or a watch event we know."""

    retry_may_help: ClassVar[bool] = True


def one_line(text: str) -> str:
    """Return ``text`` on one line, printable, cut to `REASON_LIMIT` characters."""
    head = text[: 4 * REASON_LIMIT]  # enough even where runs of blanks collapse
    words = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    return words if len(words) <= REASON_LIMIT else words[: REASON_LIMIT - 1] + "…"


def from_status(
    status: int,
    reason: str,
    *,
    creating: bool = False,
    write: bool = False,
    retry_after_seconds: float | None = None,
) -> KubeError:
    """Return the error that an HTTP status means.

    ``creating`` tells the two meanings of 409 apart (Kubernetes' ``StatusReason`` AlreadyExists
    and Conflict) by the verb, which is there even when the body is not.
    """
    if status in (408, 429) or status >= 500:  # noqa: PLR2004 -- the classes of RFC 9110
        return Unavailable(
            reason,
            status=status,
            # 408 and 429 come from the filters in front; a 5xx may come after the write.
            outcome_unknown=write and status not in (408, 429),
            retry_after_seconds=retry_after_seconds,
        )
    kinds: dict[int, type[KubeError]] = {
        401: Unauthorized,
        403: Forbidden,
        404: NotFound,
        409: AlreadyExists if creating else Conflict,
        410: Expired,
    }
    return kinds.get(status, Invalid)(reason, status=status)


def parse_retry_after(value: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header; None for a date, garbage or absence."""
    try:
        seconds = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
