"""Passwords by Argon2id in the form OWASP names for small servers: 19 MiB, two passes, one lane."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idHasher(Argon2PasswordHasher):
    """100 MiB a hash, Django's default, would let a few log-ins at once exhaust the machine."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
