"""How the `ring` command reaches a manager: kubeconfig, the API server's service proxy, HTTP.

Standard library alone but for PyYAML: a command that has to answer in well under a second
cannot wait for the import of a Kubernetes client.
"""
