"""The site's settings for measuring: one page more, and nothing else."""

from sermo.settings import *  # noqa: F403

ROOT_URLCONF = "sermo.bench.urls"
