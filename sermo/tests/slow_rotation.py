"""A process of test_rotation.py: renews what the named database and folder hold, slowly enough to be killed."""

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sermo.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after the setup
from django.db import connection  # noqa: E402

from sermo import rotation  # noqa: E402

connection.settings_dict["NAME"] = sys.argv[1]
settings.STORAGES["private"]["OPTIONS"]["location"] = sys.argv[2]
put = rotation.Column.put


def slowly(column, *values):
    time.sleep(0.05)
    return put(column, *values)


rotation.Column.put = slowly
rotation.reencrypt(batch=10)
