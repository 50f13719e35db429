"""The desk, as the admin finds it."""

from verification.desk import (  # noqa: F401 - registers what it has
    checks,
    claims,
    disputes,
    domains,
    incidents,
    records,
    rosters,
    switch,
    unmasking,
)
