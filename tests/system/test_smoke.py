# SPDX-License-Identifier: MIT
"""make smoke, as a test."""
from smoke import smoke


def test_smoke():
    guests, seconds = smoke()
    assert guests == ["alpha", "beta"]
    assert all(0 < seconds[guest] < 180 for guest in guests)
