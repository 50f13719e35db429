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


def modules():
    for app in LEVEL:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            name = path.relative_to(settings.BASE_DIR).as_posix()
            if name not in ROOF and "/tests/" not in name:
                yield pytest.param(app, path, id=name)


@pytest.mark.parametrize(("app", "path"), list(modules()))
def test_an_app_imports_only_to_its_left(app, path):
    higher = {other for other in imported(path) & LEVEL.keys() if other != app and LEVEL[other] >= LEVEL[app]}

    assert not higher


def test_every_app_of_ours_has_its_place_in_the_order():
    places = [LEVEL[app] for app in settings.LOCAL_APPS]

    assert places == sorted(places)
