"""The site's one stylesheet and one script, made from the small files under static/.

A page asks for `css/site.css` and `js/site.js` (the administration for `css/desk.css`; those of cases also for
`css/case.css` and `js/case.js`, those of firms for `css/console.css`, those of rooms on the desk for `css/rooms.css`
and `js/rooms.js`, those of claims there for `css/claims.css` and `js/claims.js`, which no other has to load); nobody
wants forty requests for the files behind them. `BundleFinder` offers these to Django's staticfiles as if they lay on
the disk, so that runserver, collectstatic and whitenoise treat them like any other file. The order of the files is the
order below; spaces and comments, which only authors need, are left out.
"""

import os
import re
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from rjsmin import jsmin

# The cascade layers from weakest to strongest. A file holds rules only; its layer is decided here.
STYLES = {
    "reset": ["reset"],
    "tokens": ["tokens"],
    "base": ["base"],
    "layout": ["layout"],
    "components": [
        "topbar",
        "bottom-bar",
        "footer",
        "disclosure",
        "icon",
        "button",
        "badge",
        "chip",
        "byline",
        "importance",
        "rule-head",
        "tabs",
        "filters",
        "question-row",
        "prose",
        "post",
        "verdict",
        "panel",
        "note",
        "field",
        "composer",
        "finding",
        "poll",
        "room",
        "card",
        "stepper",
        "list-row",
        "table",
        "stat",
        "empty",
        "dialog",
        "landing",
    ],
    "utilities": ["utilities"],
}

# What staff screens need beside Django's own styles, which are in no layer.
DESK_STYLES = ["tokens", "icon", "badge", "panel", "note", "table", "admin"]

# What only pages of cases need, in the layer of components.
CASE_STYLES = ["viewer", "case-form", "board", "redact", "on-call"]
CASE_SCRIPTS = ["upload", "redact", "viewer", "on-call"]

# What only the console of firms needs, in the layer of components.
CONSOLE_STYLES = ["observer"]

# What the guided pages of rooms need on the desk: components of the site, nested so that they outdo Django's styles.
ROOM_COMPONENTS = [
    "reset",
    "base",
    "layout",
    "button",
    "disclosure",
    "rule-head",
    "tabs",
    "field",
    "stat",
    "empty",
]
ROOM_STYLES = ["room-desk", "room-outcome"]
ROOM_SCRIPTS = ["focus", "room-desk"]

# The same for the pages on which reviewers verify.
CLAIM_COMPONENTS = ["reset", "base", "layout", "button", "disclosure", "rule-head", "tabs", "field", "dialog"]
CLAIM_STYLES = ["claim-desk"]
CLAIM_SCRIPTS = ["focus", "claim-desk"]

# Loaded by themselves: the one before the first paint, the other by the few sessions that need it.
ALONE = ["theme", "shared-device"]
SCRIPTS = [
    "toast",
    "menu",
    "search",
    "focus",
    "composer",
    "draft",
    "countdown",
    "preview",
    "picker",
    "inbox",
    "similar",
    "keys",
]


def stylesheet(root: Path) -> str:
    """Return the text of site.css from the files in `root`/css, wrapped in their cascade layers."""
    parts = [f"@layer {', '.join(STYLES)};\n"]
    for layer, names in STYLES.items():
        parts += [f"@layer {layer} {{\n", *(_read(root / "css" / f"{name}.css") for name in names), "}\n"]
    return "".join(parts)


def case_stylesheet(root: Path) -> str:
    """Return the text of case.css, which a page loads after site.css."""
    return _components(root, CASE_STYLES)


def console_stylesheet(root: Path) -> str:
    """Return the text of console.css, which a page loads after site.css."""
    return _components(root, CONSOLE_STYLES)


def _components(root: Path, names: list[str]) -> str:
    return "".join(["@layer components {\n", *(_read(root / "css" / f"{name}.css") for name in names), "}\n"])


def desk_stylesheet(root: Path) -> str:
    """Return the text of desk.css, for the administration."""
    return "".join(_read(root / "css" / f"{name}.css") for name in DESK_STYLES)


def room_stylesheet(root: Path) -> str:
    """Return the text of rooms.css, which a page of the desk loads after desk.css."""
    return _desk_pages(root, ".room-desk", ROOM_COMPONENTS, ROOM_STYLES)


def claim_stylesheet(root: Path) -> str:
    """Return the text of claims.css, which a page of the desk loads after desk.css."""
    return _desk_pages(root, ".claim-desk", CLAIM_COMPONENTS, CLAIM_STYLES)


def _desk_pages(root: Path, frame: str, components: list[str], styles: list[str]) -> str:
    """Components of the site inside a frame, then what only these pages have."""
    within = "".join(_read(root / "css" / f"{name}.css") for name in components)
    return f"{frame} {{\n{within}}}\n" + "".join(_read(root / "css" / f"{name}.css") for name in styles)


def script(root: Path, names: list[str] = SCRIPTS) -> str:
    """Return the text of site.js, or of these files in `root`/js, each in a block so that no name leaves it."""
    return '"use strict";\n' + "".join(f"{{\n{_read(root / 'js' / f'{name}.js')}}}\n" for name in names)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _closed_up(css: str) -> str:
    """Styles without comments, line ends and the spaces around braces, semicolons and commas.

    The minifiers on offer take a nested `.a :is(b)` for a declaration and close it up to `.a:is(b)`.
    """
    without_comments = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", without_comments))


BUNDLES = {
    "css/site.css": lambda root: _closed_up(stylesheet(root)),
    "css/desk.css": lambda root: _closed_up(desk_stylesheet(root)),
    "css/case.css": lambda root: _closed_up(case_stylesheet(root)),
    "css/console.css": lambda root: _closed_up(console_stylesheet(root)),
    "css/rooms.css": lambda root: _closed_up(room_stylesheet(root)),
    "css/claims.css": lambda root: _closed_up(claim_stylesheet(root)),
    "js/site.js": lambda root: jsmin(script(root)),
    "js/case.js": lambda root: jsmin(script(root, CASE_SCRIPTS)),
    "js/rooms.js": lambda root: jsmin(script(root, ROOM_SCRIPTS)),
    "js/claims.js": lambda root: jsmin(script(root, CLAIM_SCRIPTS)),
}


class BundleFinder(BaseFinder):
    """Offers each bundle as a file under `VAR_DIR`/assets, rewritten when what it is made of has changed."""

    def __init__(self, app_names=None, *args, **kwargs):
        self.source = Path(settings.BASE_DIR) / "static"
        self.storage = FileSystemStorage(location=Path(settings.VAR_DIR) / "assets")

    def check(self, **kwargs):
        return []

    def find(self, path, find_all=False, **kwargs):
        found = [self._written(path)] if path in BUNDLES else []
        if find_all or not found:
            return found
        return found[0]

    def list(self, ignore_patterns):
        for path in BUNDLES:
            self._written(path)
            yield path, self.storage

    def _written(self, path: str) -> str:
        """Return the absolute path of an up-to-date bundle."""
        target = Path(self.storage.path(path))
        text = BUNDLES[path](self.source)
        if not target.exists() or _read(target) != text:
            replace_text(target, text)
        return str(target)


def replace_text(target: Path, text: str) -> None:
    """Write a file in one step, so that another process never reads half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(draft, 0o644)
    os.replace(draft, target)
