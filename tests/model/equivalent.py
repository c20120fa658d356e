"""Guards that may be off without harm to a ring, each with the reason."""

EQUIVALENT: dict[str, str] = {}

HELD: dict[str, str] = {}
