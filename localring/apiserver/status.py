"""Refusals: one exception, and the Status document that tells a client about it.

The fields are those of ``meta/v1 Status``; codes and reasons are what kube-apiserver answers.
Clients act on code and reason, so those are exact; the messages are our own words.
"""

from typing import Any

from localring.apiserver.resources import Resource

_STATUS = {"kind": "Status", "apiVersion": "v1", "metadata": {}}


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        code: HTTP status.
        reason: ``meta/v1 StatusReason``, what clients branch on.
        details: ``meta/v1 StatusDetails``; ``retryAfterSeconds`` becomes a header as well.

    """

    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details or {}

    def document(self) -> dict[str, Any]:
        """Tell it as a Status."""
        return {
            **_STATUS,
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }

    def headers(self) -> dict[str, str]:
        """Give what goes into the head of the response as well."""
        seconds = self.details.get("retryAfterSeconds")
        return {} if seconds is None else {"Retry-After": str(seconds)}


def _about(resource: Resource, name: str) -> dict[str, Any]:
    group = {"group": resource.group} if resource.group else {}
    return {"name": name, **group, "kind": resource.plural}


def deleted(resource: Resource, name: str, uid: str) -> dict[str, Any]:
    """Answer a DELETE of an object that is not shown again."""
    details = {**_about(resource, name), "uid": uid}
    return {**_STATUS, "status": "Success", "details": details}


def not_found(resource: Resource, name: str) -> ApiError:
    """404: no such object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _about(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """409: the name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _about(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """409: what the writer knew of the object is no longer so."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _about(resource, name))


def bad_request(message: str) -> ApiError:
    """400: it cannot be read."""
    return ApiError(400, "BadRequest", message)


def invalid(kind: str, name: str, field: str, why: str) -> ApiError:
    """422: it can be read, and one field is not allowed to be so."""
    causes = [{"reason": "FieldValueInvalid", "message": why, "field": field}]
    details = {"name": name, "kind": kind, "causes": causes}
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {field}: {why}', details)


def expired(message: str) -> ApiError:
    """410: the history that was asked for is gone."""
    return ApiError(410, "Expired", message)


def too_large_version(asked: int, current: int) -> ApiError:
    """504: a version that the server has not reached, as a client of another server may ask."""
    message = f"Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def unauthorized() -> ApiError:
    """401: no token, or one that is not accepted."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource, name: str, verb: str) -> ApiError:
    """403: RBAC says no."""
    message = f'{resource.qualified} "{name}" is forbidden: the token may not {verb} it'
    return ApiError(403, "Forbidden", message, _about(resource, name))


def too_many_requests(retry_after_seconds: int) -> ApiError:
    """429: priority and fairness turned the request away."""
    details = {"retryAfterSeconds": retry_after_seconds}
    return ApiError(429, "TooManyRequests", "too many requests, try again later", details)


def internal_error(message: str) -> ApiError:
    """500: the server's own trouble."""
    return ApiError(500, "InternalError", f"Internal error occurred: {message}")


def method_not_allowed(method: str) -> ApiError:
    """405: the path is there, the method is not."""
    return ApiError(405, "MethodNotAllowed", f"{method} is not supported here")


def unsupported_media_type(sent: str, wanted: str) -> ApiError:
    """415: a body of another type."""
    message = f"a body of type {sent} is not supported here, only {wanted}"
    return ApiError(415, "UnsupportedMediaType", message)


def too_large_body() -> ApiError:
    """413: a body over the limit."""
    return ApiError(413, "RequestEntityTooLarge", "the body is over the limit")


def failure(code: int) -> ApiError:
    """Answer with any error code, as a broken server or a proxy before it would."""
    if code == 500:  # noqa: PLR2004 - the one with a reason of its own
        return internal_error("a fault was asked for")
    reason = {502: "BadGateway", 503: "ServiceUnavailable", 504: "Timeout"}.get(code, "Unknown")
    return ApiError(code, reason, "a fault was asked for")
