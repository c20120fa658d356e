"""What can be wrong on the way to the manager, each with what to do."""

from ring.errors import RingError


class AccessError(RingError):
    """The manager cannot be asked, and asking again does not help.

    Attributes:
        advice: what to do, in words or as a command; empty where the problem says it.

    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem, advice)
        self.problem, self.advice = problem, advice

    def __str__(self) -> str:
        """Say what is wrong, then what to do."""
        return f"{self.problem}\n  {self.advice}" if self.advice else self.problem


class ConfigError(AccessError):
    """The kubeconfig is not there, cannot be read, or does not say what is needed."""


class UnavailableError(AccessError):
    """The manager cannot answer now; later it may."""


class SilentError(UnavailableError):
    """There was no answer in time."""


class RefusedError(AccessError):
    """The manager or the API server understood the question and says no.

    Attributes:
        status: HTTP status.

    """

    def __init__(self, status: int, problem: str, advice: str = "") -> None:
        super().__init__(problem, advice)
        self.status = status
