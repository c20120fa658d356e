"""How to come in to nodes by CQL: port, login and TLS, from files that may be renewed."""

import ssl
from dataclasses import dataclass
from pathlib import Path


class CqlError(Exception):
    """A node could not be asked; the text says why, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to come in; files are read anew for each connection, as secrets are renewed.

    Attributes:
        port: of the native transport.
        user_file, password_file: without them no login is tried.
        ca_file: certificate authority of the nodes; without it there is no TLS.
        cert_file, key_file: of this client, where nodes ask for one.
        verify_name: whether a node's certificate has to name the address it is asked at.

    """

    port: int = 9042
    user_file: Path | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    verify_name: bool = False

    def login(self) -> tuple[str, str] | None:
        """Return user and password; `CqlError` where a file cannot be read."""
        if self.user_file is None or self.password_file is None:
            return None
        return _text(self.user_file), _text(self.password_file)

    def tls(self) -> ssl.SSLContext | None:
        """Return how connections are protected; `CqlError` where a file is wrong."""
        if self.ca_file is None:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.check_hostname = self.verify_name
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            names = [file for file in (self.ca_file, self.cert_file, self.key_file) if file]
            raise CqlError(f"TLS with {_listed(names)}: {error}") from error
        return context

    def refused(self, said: str) -> str:
        """Say which files a login was refused for, and what the node said of it."""
        if self.user_file is None or self.password_file is None:
            return f"login: none is set, and the node asks for one: {said}"
        return f"login with {_listed([self.user_file, self.password_file])}: {said}"

    def untrusted(self, said: str) -> str:
        """Say with which files TLS failed, and how."""
        names = [file for file in (self.ca_file, self.cert_file) if file]
        return f"TLS with {_listed(names)}: {said}"

    def broken(self, said: str) -> str:
        """Say why a connection ended before anything was said, as far as that can be told."""
        if self.ca_file is None:
            return f"{said} (no TLS is set: does the node ask for it?)"
        return said


def _listed(files: list[Path]) -> str:
    return " and ".join(map(str, files))


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CqlError(f"login: {error}") from error
