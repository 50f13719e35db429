#!/usr/bin/env python
"""Sermo's command line."""

import os
import sys


def main():
    if sys.argv[1:2] == ["up"]:  # the supervisor needs no Django and starts seconds sooner without it
        from sermo.runtime.supervisor import main as up

        sys.exit(up(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sermo.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
