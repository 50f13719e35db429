"""The settings of the real worker in test_paging_survives.py: minutes are shorter, and it does nothing but page."""

import os

from sermo.settings import *  # noqa: F403
from sermo.settings import CELERY_BEAT_SCHEDULE, CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES

DATABASES["default"]["NAME"] = os.environ["ON_CALL_DATABASE"]
ON_CALL_MINUTES = tuple(float(minutes) for minutes in os.environ["ON_CALL_MINUTES"].split(","))
ON_CALL_EVERY = float(os.environ["ON_CALL_EVERY"])
CELERY_BEAT_SCHEDULE = {
    "advance-pagings": {**CELERY_BEAT_SCHEDULE["advance-pagings"], "schedule": ON_CALL_EVERY}
}
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS, "global_keyprefix": "on-call-test:"}
