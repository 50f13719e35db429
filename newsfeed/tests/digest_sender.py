"""A sending process of test_digest_sending.py: queues the digests that are due in the database named, in batches of
the size named, and sends each batch before the next. Says at its end how much memory it took.
"""

import os
import resource
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sermo.settings")
django.setup()

from django.db import connection  # noqa: E402 - after the setup
from django.utils.dateparse import parse_datetime  # noqa: E402

from accounts.services import mail  # noqa: E402
from newsfeed.services import digests  # noqa: E402

connection.settings_dict["NAME"] = sys.argv[1]
digests.BATCH = int(sys.argv[2])
mail.nudge = lambda *args: None
for _ in digests.batches(parse_datetime(sys.argv[3])):
    mail.send_due()
mail.send_due()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)
