"""The way to the Kubernetes API server: transport, watch events, and a reflector over both."""
