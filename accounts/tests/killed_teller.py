"""A worker process of test_notice_scale.py: works off all fan-outs of the database named.

With a batch size and a number of batches it stops dead within the next one, told but not committed, and says so.
"""

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sermo.settings")
django.setup()

from django.db import connection  # noqa: E402 - after the setup

from accounts import tasks  # noqa: E402
from accounts.services import notices  # noqa: E402


def stop_after(batches):
    """Let so many batches pass; the one after that never commits."""
    tell_first, done = notices.tell_first, iter(range(batches))

    def tell_and_wait(**what):
        told = tell_first(**what)
        if next(done, None) is None:
            print("within a batch", flush=True)
            time.sleep(600)
        return told

    notices.tell_first = tell_and_wait


connection.settings_dict["NAME"] = sys.argv[1]
if len(sys.argv) > 2:
    notices.BATCH = int(sys.argv[2])
    stop_after(int(sys.argv[3]))
print("started", flush=True)
tasks.work_off_fan_outs()
