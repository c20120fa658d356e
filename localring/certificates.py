"""A key and a certificate that vouches for itself, made with the JDK's keytool."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from localring.java import Java, run_tool

PASSWORD = "changeit"  # noqa: S105 -- of files that live as long as the run, in its own folder
PATIENCE = 60.0  # seconds; 1 on an idle machine


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server shows to its clients.

    Attributes:
        keystore: PKCS #12, with the key; its password is `PASSWORD`.
        certificate: PEM; clients that trust it trust the server.

    """

    keystore: Path
    certificate: Path


async def make_identity(java: Java, folder: Path, name: str) -> Identity:
    """Make one for the common name ``name`` in ``folder``; `StageError` if it cannot be."""
    made = Identity(folder / f"{name}.p12", folder / f"{name}.pem")
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    key = ("-genkeypair", "-keyalg", "EC", "-dname", f"CN={name}", "-ext", "bc:c")
    await _keytool(java, made.keystore, *key, "-storetype", "PKCS12")
    await _keytool(java, made.keystore, "-exportcert", "-rfc", "-file", str(made.certificate))
    return made


async def _keytool(java: Java, keystore: Path, *words: str) -> None:
    named = ("-alias", "it", "-keystore", str(keystore), "-storepass", PASSWORD)
    await run_tool(java, "keytool", *words, *named, patience=PATIENCE)
