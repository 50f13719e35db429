"""On PYTHONPATH of a site that a test starts: its empty database is migrated as those of tests are."""

import sys

if "sermo.runtime.prepare" in sys.orig_argv:
    from sermo.testing.schema import quick_migrations

    migrating = quick_migrations()  # held until the process ends: once forgotten, it would be over
    migrating.__enter__()
