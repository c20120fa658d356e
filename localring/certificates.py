"""A key and a certificate that vouches for itself, made with the JDK's keytool."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from localring.errors import StageError
from localring.java import Java, java_environment

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
    child = await asyncio.create_subprocess_exec(
        *(str(java.executable.with_name("keytool")), *words, "-alias", "it"),
        *("-keystore", str(keystore), "-storepass", PASSWORD),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=java_environment(),
    )
    try:
        async with asyncio.timeout(PATIENCE):
            output, _ = await child.communicate()
    except TimeoutError as error:
        raise StageError(f"keytool took over {PATIENCE:.0f} s") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise StageError(f"keytool: {output.decode(errors='replace').strip()}")
