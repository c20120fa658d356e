"""Who we are to the API server and whom we trust: base URL, token file, CA file."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from seedprovider.kube.errors import Unauthorized, Unavailable

MAX_TOKEN_BYTES: Final = 64 * 1024
"""Service account tokens take 1 to 2 KiB; more is some other file."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the API server is and how to prove who we are.

    Attributes:
        base_url: ``https://host:port``, no path.  Plain http only to loopback, or a token
            would cross the network in the clear.
        token_file: bearer token, read for each request, because the kubelet replaces it
            (BoundServiceAccountTokenVolume); None sends none.
        ca_file: PEM bundle that signs the server's certificate; None trusts the system's.

    """

    base_url: str
    token_file: Path | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a URL that we would only find unusable, or unsafe, at the first request."""
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"not an http or https URL: {self.base_url!r}")
        if url.path.strip("/") or url.query or url.fragment or url.username:
            raise ValueError(f"an API server URL is scheme, host and port: {self.base_url!r}")
        if url.scheme == "http" and self.token_file and not _is_loopback(url.hostname):
            raise ValueError(f"a token goes over https only, not to {self.base_url!r}")

    def headers(self) -> dict[str, str]:
        """Return the ``Authorization`` header; raise `Unauthorized` without a usable token."""
        if self.token_file is None:
            return {}
        try:
            with self.token_file.open("rb") as file:
                token = file.read(MAX_TOKEN_BYTES + 1).strip()
        except OSError as error:
            raise Unauthorized(f"cannot read the token file: {error}") from error
        # Checked here, as aiohttp's complaint about a bad header would quote the token.
        if not 0 < len(token) <= MAX_TOKEN_BYTES or not all(0x21 <= b < 0x7F for b in token):  # noqa: PLR2004 -- visible ASCII
            raise Unauthorized(f"no token in {self.token_file}")
        return {"Authorization": f"Bearer {token.decode('ascii')}"}

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return a context that trusts ``ca_file`` alone; None for plain http.

        Raises `Unavailable` where the file cannot be read or holds no certificate.
        """
        if not self.base_url.startswith("https:"):
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise Unavailable(f"cannot use the CA file {self.ca_file}: {error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
