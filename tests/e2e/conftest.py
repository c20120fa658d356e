"""One kind cluster for the session, and in it one ring of three that most scenarios share."""

import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e import kindcluster
from tests.e2e.app import App
from tests.e2e.diagnosis import diagnosis
from tests.e2e.kindcluster import KindCluster
from tests.e2e.operator import Operator
from tests.e2e.ring import Fetch, Ring, http_fetch, make_namespace, remove_namespace

SHARED = "shared-ring"
SIZE = 3

MakeRing = Callable[..., Ring]
CLUSTER = pytest.StashKey[KindCluster]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.kind)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what the cluster has to say of it, before anything is taken down."""
    report = yield
    if report.failed and report.when in {"setup", "call"}:
        cluster = item.session.stash.get(CLUSTER, None)
        if cluster is not None:
            report.sections.append(("the cluster at this moment", diagnosis(cluster)))
    return report


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[KindCluster]:
    """Build the images, make the cluster, load the images; say how long each took."""
    try:
        # Machines that start mostly wait, and so do builds that download.
        with timed("images and cluster"), ThreadPoolExecutor() as pool:
            images = pool.submit(kindcluster.build_images)
            cluster = kindcluster.create()
            request.session.stash[CLUSTER] = cluster
            images.result()
        with timed("images on the workers"):
            kindcluster.load_images()
        yield cluster
    finally:
        if kindcluster.kept():
            print(f"\nkept: kubectl --kubeconfig {kindcluster.CONFIG_FILE} get pods -A")
        else:
            kindcluster.delete()


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a step took."""
    began = time.monotonic()
    yield
    print(f"\n{what}: {time.monotonic() - began:.0f} s")


@pytest.fixture(scope="session")
def fetch(cluster: KindCluster) -> Iterator[Fetch]:
    """Read paths of the API server through `kubectl proxy`, without a process for each."""
    command = cluster.kubectl.command("proxy", "--port=0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:  # noqa: S603
        try:
            assert proxy.stdout is not None
            line = proxy.stdout.readline()  # Starting to serve on 127.0.0.1:PORT
            yield http_fetch(f"http://{line.rsplit(maxsplit=1)[-1]}")
        finally:
            proxy.terminate()


@pytest.fixture(scope="session")
def rings() -> list[Ring]:
    """All rings of the session, also those that are gone."""
    return []


@pytest.fixture(scope="module", autouse=True)
def replayed(rings: list[Ring]) -> Iterator[None]:
    """Hold what the rings did by the end of a module against the model of the seed protocol."""
    yield
    for ring in rings:
        ring.journals.fetch(ring.pods())
        print(f"\n{ring.journals.summary()}")


@pytest.fixture(scope="session")
def make_ring(cluster: KindCluster, fetch: Fetch, rings: list[Ring]) -> MakeRing:
    """Make a namespace with nothing in it yet; it stays as long as the cluster."""

    def make(name: str, *, restricted: bool = True) -> Ring:
        if name in cluster.kubectl.names("namespaces"):  # of a cluster that was kept
            remove_namespace(cluster.kubectl, name)
        make_namespace(cluster.kubectl, name, restricted=restricted)
        ring = Ring(cluster.kubectl.within(name), fetch)
        ring.journals.forget()
        rings.append(ring)
        return ring

    return make


@pytest.fixture(scope="session")
def first_start(make_ring: MakeRing) -> tuple[Ring, float]:
    """Apply the manifests to an empty namespace; return the seconds until all were NORMAL."""
    ring = make_ring(SHARED)
    began = time.monotonic()
    ring.apply("kind", components=("manager",))
    ring.wait_whole(SIZE)
    return ring, time.monotonic() - began


@pytest.fixture(scope="module")
def alone(cluster: KindCluster) -> None:
    """Give the machine to rings of their own: nobody needs the shared one any more."""
    if SHARED in cluster.kubectl.names("namespaces"):
        remove_namespace(cluster.kubectl, SHARED)


@pytest.fixture
def ring(first_start: tuple[Ring, float]) -> Ring:
    """Give the shared ring, whole: at least three members, all up."""
    ring, _ = first_start
    ring.wait_whole(ring.kubectl.read("statefulset", "cassandra")["spec"]["replicas"])
    return ring


@pytest.fixture(scope="session")
def operator(first_start: tuple[Ring, float]) -> Operator:
    """Give somebody who asks the shared ring's manager."""
    ring, _ = first_start
    return Operator(ring.kubectl)


@pytest.fixture(scope="session")
def app(first_start: tuple[Ring, float]) -> App:
    """Give an application of the shared ring, its table filled."""
    ring, _ = first_start
    app = App(ring.kubectl)
    app.fill()
    return app
