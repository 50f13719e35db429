"""What each app contributes to a command that concerns them all."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings


def parts(module: str, function: str) -> list[Callable]:
    """`function` of `<app>.<module>` for every app that has that module, in the order of the layers."""
    names = [f"{app}.{module}" for app in settings.LOCAL_APPS]
    return [getattr(import_module(name), function) for name in names if find_spec(name)]
