"""The settings of the real workers in test_fetch_feeds.py, whose whole web is a server of that test."""

import os

from sermo.settings import *  # noqa: F403
from sermo.settings import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES

DATABASES["default"]["NAME"] = os.environ["FEED_DATABASE"]
CELERY_IMPORTS = ["newsfeed.tests.feed_worker"]
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS, "global_keyprefix": "feeds-test:"}
