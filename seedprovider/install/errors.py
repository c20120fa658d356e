"""The two ways in which an installation ends without success."""


class InstallError(Exception):
    """It cannot be decided or written now; later, or after somebody acted, it may be."""


class InputError(Exception):
    """A file or setting is wrong; nothing was changed, and the text says what to do."""
