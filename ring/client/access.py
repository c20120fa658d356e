"""From a kubeconfig context to a way in: address, TLS and headers, with credentials fetched."""

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ring.client.errors import ConfigError
from ring.client.execplugin import Credential, fetched
from ring.client.kubeconfig import Chosen, Named

STRICT = getattr(ssl, "VERIFY_X509_STRICT", 0)
"""On by default from Python 3.13; certificates that clusters make for themselves fail it."""

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Access:
    """A way to an HTTP server.

    Attributes:
        url: base URL, without a slash at the end.
        headers: to be sent with every request.
        tls: None where the URL is plain HTTP.
        server_name: that the certificate has to have; the URL's host where empty.
        proxy: URL of an HTTP proxy; empty where there is none, None where the environment
            may name one.
        namespace: that the context names; empty where none.

    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    server_name: str = ""
    proxy: str | None = None
    namespace: str = ""


def access(chosen: Chosen) -> Access:
    """Resolve a context; runs its exec plugin where it has one.

    Raises:
        ConfigError: where it says what cannot be, or what is not supported here.

    """
    cluster, user = chosen.cluster, chosen.user
    url = cluster.text("server").rstrip("/")
    if user.body.get("auth-provider"):
        raise ConfigError(
            "the kubeconfig has an auth-provider, which Kubernetes 1.26 gave up",
            "use an exec plugin, as kubectl needs by now too",
        )
    credential = fetched(user, cluster) if user.body.get("exec") else Credential()
    secure = url.lower().startswith("https:")
    tls = _context(cluster, user, credential) if secure else None
    return Access(
        url=url,
        headers=_headers(user, credential),
        tls=tls,
        server_name=cluster.text("tls-server-name"),
        proxy=cluster.text("proxy-url") or None,
        namespace=chosen.namespace,
    )


def in_cluster() -> Access | None:
    """Return the way in that a pod has; None outside of one."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{each}", "") for each in ("HOST", "PORT"))
    try:
        token = (ACCOUNT / "token").read_text().strip()
        authority = (ACCOUNT / "ca.crt").read_text()
        namespace = (ACCOUNT / "namespace").read_text().strip()
    except OSError:
        return None
    if not host:
        return None
    tls = ssl.create_default_context(cadata=authority)
    tls.verify_flags &= ~STRICT
    host = f"[{host}]" if ":" in host else host
    return Access(
        f"https://{host}:{port or 443}",
        {"Authorization": f"Bearer {token}"},
        tls,
        proxy="",
        namespace=namespace,
    )


def _headers(user: Named, credential: Credential) -> dict[str, str]:
    headers = {}
    token = credential.token or _token(user)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    elif name := user.text("username"):
        pair = base64.b64encode(f"{name}:{user.text('password')}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    if person := user.text("as"):
        headers["Impersonate-User"] = person
    if user.body.get("as-groups") or user.body.get("as-user-extra"):
        raise ConfigError(
            "as-groups and as-user-extra of a kubeconfig are not supported here",
            "impersonate by name alone (as), or use another context",
        )
    return headers


def _token(user: Named) -> str:
    """Return the bearer token; as in client-go a file goes before the text."""
    if path := user.path("tokenFile"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            if not user.text("token"):
                raise ConfigError(f"{path}: {error.strerror or error}") from error
    return user.text("token")


def _context(cluster: Named, user: Named, credential: Credential) -> ssl.SSLContext:
    try:
        context = _verifying(cluster)
        certificate = credential.certificate or _data(user, "client-certificate")
        key = credential.key or _data(user, "client-key")
        if certificate and key:
            _present(context, certificate, key)
    except ssl.SSLError as error:
        raise ConfigError(f"the kubeconfig's certificates cannot be used: {error}") from error
    return context


def _verifying(cluster: Named) -> ssl.SSLContext:
    if cluster.body.get("insecure-skip-tls-verify") is True:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # as the kubeconfig says
        return context
    authority = _data(cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    context.verify_flags &= ~STRICT
    return context


def _data(named: Named, key: str) -> bytes:
    """Return what a kubeconfig has itself (``…-data``), or in a file; empty where neither."""
    if text := named.text(f"{key}-data"):
        try:
            return base64.b64decode(text, validate=False)
        except binascii.Error as error:
            raise ConfigError(f"kubeconfig: {key}-data is no base64: {error}") from error
    if not (path := named.path(key)):
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error


def _present(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a client's certificate; the ssl module takes files alone."""
    with tempfile.TemporaryDirectory(prefix="ring-") as folder:  # nobody else may enter it
        file = Path(folder) / "client.pem"
        file.touch(mode=0o600)
        file.write_bytes(certificate.rstrip() + b"\n" + key)
        context.load_cert_chain(file)
