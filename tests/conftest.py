"""Settings of all tests."""

from hypothesis import settings

# The same examples every time, and no limit on the time of one: machines are slow and busy.
settings.register_profile("cbow", deadline=None, derandomize=True)
settings.load_profile("cbow")
