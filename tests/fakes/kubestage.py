"""An emulated API server, a client, and a mirror of its ConfigMaps over real HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from localring.apiserver import ApiServer
from seedprovider.kube.collection import Bounds, HttpCollection, Selection
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.errors import KubeError
from seedprovider.kube.events import Change
from seedprovider.kube.mirror import Mirror
from seedprovider.kube.resources import CONFIG_MAPS
from seedprovider.kube.transport import Transport
from tests.fakes.pauses import Bell, Pauses

USUAL = Bounds()


class ConfigMap(msgspec.Struct):
    data: dict[str, str] = {}


decode_config_map = msgspec.json.Decoder(ConfigMap).decode


class Witness(Mirror[ConfigMap]):
    """A mirror that notes what it was told.  Its clock stands still but for ``now``."""

    def __init__(self, bell: Bell) -> None:
        super().__init__(
            clock=lambda: self.now, on_change=lambda: self.views.append(self.held())
        )
        self.now = 0.0
        self.views: list[dict[str, str]] = []
        self.told: list[Change[ConfigMap]] = []
        self.heard: list[KubeError] = []
        self._bell = bell

    def take(self, change: Change[ConfigMap]) -> None:
        super().take(change)
        self.told.append(change)
        self._bell.ring()

    def fail(self, error: KubeError) -> None:
        super().fail(error)
        self.heard.append(error)
        self._bell.ring()

    def held(self) -> dict[str, str]:
        """Return name and version of what it holds."""
        return {key.name: each.version for key, each in self.view.objects.items()}

    async def told_of(self, kind: type[Change[ConfigMap]], times: int = 1) -> None:
        """Wait until so many changes of a kind have come in all."""
        await self._bell.until(
            lambda: sum(isinstance(each, kind) for each in self.told) >= times
        )


@dataclass
class Stage:
    """The server, our way to it, and what holds the mirror's task up."""

    api: ApiServer
    transport: Transport
    token_file: Path
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.pauses = Pauses(self.bell)
        self.mirror = Witness(self.bell)

    def collection(self, bounds: Bounds = USUAL) -> HttpCollection[ConfigMap]:
        selection = Selection(CONFIG_MAPS, "ns")
        return HttpCollection(self.transport, selection, decode_config_map, bounds=bounds)

    def put(self, name: str, text: str = "") -> None:
        """Create or change a ConfigMap on the server, behind the client's back."""
        body = {"metadata": {"name": name}, "data": {"text": text}}
        if name in self.stored():
            self.api.store.replace("configmaps", name, body, "ns")
        else:
            self.api.store.create("configmaps", body, "ns")

    def drop(self, name: str) -> None:
        self.api.store.delete("configmaps", name, "ns")

    def stored(self) -> dict[str, str]:
        """Return name and version of what the server holds."""
        found = self.api.store.list("configmaps", "ns")
        return {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in found}

    def verbs(self) -> list[str]:
        """Return what the server was asked for so far."""
        return [each.verb for each in self.api.requests]

    async def caught_up(self) -> None:
        """Wait until the mirror holds what the server holds."""
        await self.bell.until(
            lambda: self.mirror.synced and self.mirror.held() == self.stored()
        )

    @contextlib.asynccontextmanager
    async def following(self, bounds: Bounds = USUAL) -> AsyncIterator[Witness]:
        """Have the mirror follow the server inside the block."""
        source = self.collection(bounds)
        run = asyncio.create_task(
            self.mirror.run(source, sleep=self.pauses.sleep, jitter=lambda: 0.5)
        )
        try:
            yield self.mirror
        finally:
            run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await run


@contextlib.asynccontextmanager
async def stage_in(
    folder: Path, *, request_seconds: float = 2.0, bookmark_seconds: float = 60.0
) -> AsyncIterator[Stage]:
    token_file = folder / "token"
    token_file.write_text("good")
    async with (
        ApiServer("127.77.1.1", tokens=["good"], bookmark_seconds=bookmark_seconds) as api,
        Transport(
            Credentials(api.url, token_file),
            user_agent="unit/1",
            request_seconds=request_seconds,
        ) as transport,
    ):
        yield Stage(api, transport, token_file)
