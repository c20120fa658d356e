"""An emulated Kubernetes API server: the stage on which tests and the demo run.

Lists, watches and conflicts follow kube-apiserver; `Fault` brings about what can go wrong.

It is no Kubernetes: there are no controllers and no defaults, of subresources only the service
proxy, hardly any validation, namespaces exist by being named, and a patch is a merge patch.
Field values are kept as sent.
"""

from localring.apiserver.faults import Fault, Faults, Kind
from localring.apiserver.requestlog import Logged, RequestLog
from localring.apiserver.server import ApiServer
from localring.apiserver.status import ApiError
from localring.apiserver.store import Store

__all__ = ["ApiError", "ApiServer", "Fault", "Faults", "Kind", "Logged", "RequestLog", "Store"]
