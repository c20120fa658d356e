"""How hypothesis runs here."""

from hypothesis import settings

# A deadline is a timed assertion: on a busy machine it fails without a bug.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
