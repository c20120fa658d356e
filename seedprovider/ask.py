"""``seedprovider explain``: asks the sidecar of this pod why it answers as it does.

For people in a shell of the container, where no other way leads to the pod's own address.
"""

import json
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlencode

from seedprovider.settings import Settings

SECONDS: Final = 10.0


class AskError(Exception):
    """The sidecar did not answer; the text says why."""


def explanation(settings: Settings, pod: str | None) -> str:
    """Return ``GET /v1/seeds`` of our own sidecar as readable JSON, whatever was decided.

    `pod` is another pod of the Service that is asked about, None for our own.
    """
    host = f"[{settings.pod_ip}]" if ":" in settings.pod_ip else settings.pod_ip
    query = f"?{urlencode({'pod': pod})}" if pod else ""
    url = f"http://{host}:{settings.pod_port}/v1/seeds{query}"
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(url, timeout=SECONDS) as response:
            body = response.read()
    except urllib.error.HTTPError as error:  # withheld and refused are answers too
        with error:
            body = error.read()
    except OSError as error:
        raise AskError(f"the sidecar at {url} does not answer: {error}") from None
    try:
        return json.dumps(json.loads(body), indent=2)
    except ValueError:
        return str(body.decode(errors="replace").strip())
