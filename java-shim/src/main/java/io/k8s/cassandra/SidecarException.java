package io.k8s.cassandra;

import java.io.IOException;

/** The sidecar answered, but not as the contract says; to the shim this is as good as silence. */
final class SidecarException extends IOException {
    private static final long serialVersionUID = 1L;

    SidecarException(String message) {
        super(message);
    }
}
