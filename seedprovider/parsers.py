"""What the text of an environment variable may be: one function a kind of value.

Each returns the value, or raises ValueError with what is allowed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedprovider.view import canonical

MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a listener binds.

    Attributes:
        host: IP literal.
        port: TCP port, 0 for any free one.

    """

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as it is given: ``ADDRESS:PORT``, IPv6 in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def text(value: str) -> str:
    """Return the text without blanks around it; empty is an error."""
    if not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def address(value: str) -> str:
    """Return an IP literal in canonical form."""
    literal = canonical(value.strip())
    if literal is None:
        raise ValueError("an IPv4 or IPv6 address")
    return literal


def name(value: str) -> str:
    """Return the name of a Kubernetes object."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", value):
        raise ValueError("a Kubernetes object name (lower case, digits, '-' and '.')")
    return value


def pod(value: str) -> str:
    """Return the name of a StatefulSet's pod."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?-[0-9]+", value):
        raise ValueError("the name of a StatefulSet's pod, such as cassandra-0")
    return value


def optional(parse: Callable[[str], str]) -> Callable[[str], str]:
    """Return a parser that also takes the empty text, for nothing."""
    return lambda value: parse(value) if value else ""


def yes_no(value: str) -> bool:
    """Return True for yes, False for no."""
    if value.lower() not in {"yes", "no"}:
        raise ValueError("yes or no")
    return value.lower() == "yes"


def _digits(value: str) -> int | None:
    """Return a whole number; None for anything `int` would take beyond a few plain digits."""
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else None


def port(value: str) -> int:
    """Return a TCP port, 1 to 65535."""
    number = _digits(value)
    if number is None or not 0 < number <= MAX_PORT:
        raise ValueError(f"a port from 1 to {MAX_PORT}")
    return number


def listen(value: str) -> Listen:
    """Return an address and a port, 0 for any free one."""
    host, _, digits = value.strip().rpartition(":")
    literal, number = canonical(host.removeprefix("[").removesuffix("]")), _digits(digits)
    if literal is None or number is None or number > MAX_PORT:
        raise ValueError(
            "ADDRESS:PORT with an IP literal, such as 127.0.0.1:8078 or [::1]:8078"
        )
    return Listen(literal, number)


def seconds(low: float, high: float) -> Callable[[str], float]:
    """Return a parser of seconds within bounds."""

    def parse(value: str) -> float:
        allowed = f"seconds from {low:g} to {high:g}, such as {max(low, 1):g}"
        try:
            number = float(value)
        except ValueError:
            raise ValueError(allowed) from None
        if not low <= number <= high:
            raise ValueError(allowed)
        return number

    return parse


def count(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within bounds."""

    def parse(value: str) -> int:
        number = _digits(value)
        if number is None or not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return parse


def url(value: str) -> str:
    """Return an http or https URL without a slash at its end."""
    if not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", value):
        raise ValueError("an http:// or https:// URL")
    return value.rstrip("/")


def level(value: str) -> str:
    """Return the name of a log level."""
    allowed = ("DEBUG", "INFO", "WARNING", "ERROR")
    if value.upper() not in allowed:
        raise ValueError(f"one of {', '.join(allowed)}")
    return value.upper()


def path_or_none(value: str) -> Path | None:
    """Return an absolute path, None for the empty text."""
    return path(value) if value else None


def path(value: str) -> Path:
    """Return an absolute path."""
    if not value.startswith("/"):
        raise ValueError("an absolute path")
    return Path(value)
