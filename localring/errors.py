"""Every error the local ring raises on purpose; the command line shows them as one text."""


class StageError(Exception):
    """Base of the family: something the stage needs is missing, failed or took too long."""


class ProcessFailedError(StageError):
    """A process ended although it should run, or could not be started."""


class WaitTimeoutError(StageError):
    """Something that was waited for did not happen within its bound."""


def first_cause(error: BaseException) -> BaseException:
    """Return the first error inside groups of them: the others mostly follow from it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
