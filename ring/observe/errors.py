"""How reading the API server can fail, and what may be done about it."""


class KubeError(Exception):
    """A request to the API server failed; the text says how, in one line.

    Attributes:
        status: of the answer; None where none came.

    """

    def __init__(self, problem: str, status: int | None = None) -> None:
        super().__init__(" ".join(problem.split())[:MOST_TEXT])
        self.status = status


class Expired(KubeError):  # noqa: N818 -- the API's own name of it
    """The version to watch from is no longer known (410): list again."""


class Malformed(KubeError):  # noqa: N818 -- an adjective says it
    """The answer is not what was asked for; what is known cannot be trusted to be complete."""


MOST_TEXT = 300  # characters of an error that are shown; a proxy's page may have thousands
