"""The layers of the design, read from the imports."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

ORDER = [
    ["sermo"],
    ["accounts"],
    ["verification"],
    ["questions"],
    ["polls", "consults", "newsfeed", "focusgroups"],
    ["rewards"],
    ["observers"],
]
LEVEL = {app: level for level, apps in enumerate(ORDER) for app in apps}
ROOF = {"sermo/settings.py", "sermo/urls.py", "sermo/celery.py", "sermo/views.py", "sermo/apps.py"}


def imported(path: Path) -> set[str]:
    """The top-level packages a module imports, those for type checking and inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def modules(app: str) -> dict[str, Path]:
    """Its modules by name, tests and what holds the apps together aside."""
    found = sorted((settings.BASE_DIR / app).rglob("*.py"))
    named = {path.relative_to(settings.BASE_DIR).as_posix(): path for path in found}
    return {name: path for name, path in named.items() if name not in ROOF and "/tests/" not in name}


@pytest.mark.parametrize("app", LEVEL)
def test_an_app_imports_only_to_its_left(app):
    higher = {other for other in LEVEL if other != app and LEVEL[other] >= LEVEL[app]}
    found = {name: imported(path) & higher for name, path in modules(app).items()}

    assert found
    assert {name: names for name, names in found.items() if names} == {}


def test_every_app_of_ours_has_its_place_in_the_order():
    places = [LEVEL[app] for app in settings.LOCAL_APPS]

    assert places == sorted(places)
