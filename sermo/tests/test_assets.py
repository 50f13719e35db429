import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

from sermo import assets

STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = Path(settings.BASE_DIR) / "templates"
SHEETS = sorted((STATIC / "css").glob("*.css"))
PAGES = sorted(TEMPLATES.rglob("*.html"))
TRUE_COLORS = {
    "tokens",
    "admin",
    "viewer",
    "panel",
    "utilities",
}  # images, a code to scan and print keep theirs
MOST_STYLES = 40_000  # bytes
MOST_SCRIPTS = 20_000
MOST_OF_CASES = 36_000  # beside either
MOST_OF_CONSOLE = 8_000
MOST_OF_ROOMS = 24_000  # on the desk, with the components of the site
READABLE = {
    "css/site.css": assets.stylesheet,
    "css/case.css": assets.case_stylesheet,
    "css/console.css": assets.console_stylesheet,
    "css/desk.css": assets.desk_stylesheet,
    "css/rooms.css": assets.room_stylesheet,
    "css/claims.css": assets.claim_stylesheet,
}


@pytest.fixture
def small_site(settings, tmp_path):
    """A site whose static files may be changed: the real ones, copied."""
    for kind in ("css", "js"):
        (tmp_path / "static" / kind).mkdir(parents=True)
        for file in (STATIC / kind).iterdir():
            (tmp_path / "static" / kind / file.name).write_bytes(file.read_bytes())
    settings.BASE_DIR = tmp_path
    settings.VAR_DIR = tmp_path / "var"
    return tmp_path


def test_the_stylesheet_names_its_layers_first_and_fills_each():
    sheet = assets.stylesheet(STATIC)

    assert sheet.startswith("@layer reset, tokens, base, layout, components, utilities;\n")
    assert re.findall(r"^@layer (\w+) \{$", sheet, re.M) == list(assets.STYLES)
    assert sheet.index(".topbar {") < sheet.index(".verdict {") < sheet.index(".sr {")


def test_no_style_or_script_is_forgotten():
    styles = {name for names in assets.STYLES.values() for name in names}
    styles |= {*assets.DESK_STYLES, *assets.CASE_STYLES, *assets.CONSOLE_STYLES, *assets.ROOM_STYLES}
    styles |= {*assets.CLAIM_STYLES}
    scripts = {
        *assets.SCRIPTS,
        *assets.CASE_SCRIPTS,
        *assets.ROOM_SCRIPTS,
        *assets.CLAIM_SCRIPTS,
        *assets.ALONE,
    }

    assert styles == {sheet.stem for sheet in SHEETS}
    assert scripts == {file.stem for file in (STATIC / "js").glob("*.js")}


def test_styles_and_scripts_stay_small():
    assert len(assets.BUNDLES["css/site.css"](STATIC).encode()) < MOST_STYLES
    assert len(assets.BUNDLES["js/site.js"](STATIC).encode()) < MOST_SCRIPTS
    for bundle in ("css/case.css", "js/case.js"):
        assert len(assets.BUNDLES[bundle](STATIC).encode()) < MOST_OF_CASES
    assert len(assets.BUNDLES["css/console.css"](STATIC).encode()) < MOST_OF_CONSOLE
    for bundle in ("css/rooms.css", "js/rooms.js", "css/claims.css", "js/claims.js"):
        assert len(assets.BUNDLES[bundle](STATIC).encode()) < MOST_OF_ROOMS


def test_what_only_cases_or_firms_need_is_loaded_by_nobody_else():
    site = {*assets.SCRIPTS, *(name for names in assets.STYLES.values() for name in names)}

    assert not site & {*assets.CASE_STYLES, *assets.CASE_SCRIPTS, *assets.CONSOLE_STYLES}
    assert assets.case_stylesheet(STATIC).startswith("@layer components {\n")
    assert assets.console_stylesheet(STATIC).startswith("@layer components {\n")


@pytest.mark.browser
@pytest.mark.parametrize("bundle", READABLE)
def test_a_browser_reads_the_same_rules_from_what_was_made_small(browser_page, bundle):
    readable = READABLE[bundle](STATIC)
    rules = """css => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        return [...sheet.cssRules].map(rule => rule.cssText.replace(/\\s+/g, " ").replace(/, /g, ","));
    }"""
    page = browser_page()

    assert page.evaluate(rules, assets.BUNDLES[bundle](STATIC)) == page.evaluate(rules, readable)


def test_each_sheet_is_whole_and_takes_its_colors_from_the_tokens():
    for sheet in SHEETS:
        rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)

        assert rules.count("{") == rules.count("}"), sheet.stem
        assert "url(" not in rules, sheet.stem
        assert "@import" not in rules, sheet.stem
        assert sheet.stem in TRUE_COLORS or not re.search(r"#[0-9a-f]{3}", rules), sheet.stem


def test_the_administration_repeats_no_color_but_the_accent():
    accent = re.search(r"--accent: (.*);", (STATIC / "css" / "tokens.css").read_text())[1]
    desk = (STATIC / "css" / "admin.css").read_text()

    assert re.findall(r"light-dark\(.*\)", desk) == [accent]


def test_staticfiles_finds_each_bundle(small_site):
    finder = assets.BundleFinder()

    found = {path: Path(finder.find(path)) for path in assets.BUNDLES}

    assert {path for path, _ in finder.list([])} == set(assets.BUNDLES)
    assert found["css/site.css"] == small_site / "var" / "assets" / "css" / "site.css"
    assert found["css/site.css"].read_text() == assets.BUNDLES["css/site.css"](small_site / "static")
    assert finder.find("css/other.css") == []
    assert finder.find("js/site.js", find_all=True) == [str(found["js/site.js"])]


def test_a_changed_file_changes_the_bundle_and_an_unchanged_one_is_left_alone(small_site):
    finder = assets.BundleFinder()
    bundle = Path(finder.find("js/site.js"))
    before = bundle.stat().st_ino

    finder.find("js/site.js")
    assert bundle.stat().st_ino == before

    (small_site / "static" / "js" / "search.js").write_text("other();\n")
    finder.find("js/site.js")
    assert "other()" in bundle.read_text()


def test_collectstatic_hashes_and_compresses_the_bundles(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    assert list(tmp_path.glob("css/site.*.css"))
    assert list(tmp_path.glob("css/site.*.css.gz"))
    assert list(tmp_path.glob("js/site.*.js"))
    assert list(tmp_path.glob("django_htmx/htmx-2.min.*.js"))


def test_the_finder_is_in_force():
    assert finders.find("css/site.css")


FORBIDDEN = {
    "a style attribute": re.compile(r"\sstyle\s*="),
    "a style element": re.compile("<style"),
    "an inline handler": re.compile(r"<[^>{]*\son[a-z]+\s*="),
    "something from another host": re.compile(r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//"""),
    "a script without a nonce": re.compile(r"<script\b(?![^>]*(?:nonce=|application/json))[^>]*>"),
}


def breaches(text: str) -> list[str]:
    return [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]


def test_every_template_keeps_to_the_content_security_policy():
    found = {str(page.relative_to(TEMPLATES)): breaches(page.read_text()) for page in PAGES}

    assert found
    assert {page: whats for page, whats in found.items() if whats} == {}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a style attribute", '<p style="color: red">'),
        ("a style element", "<style>p {}</style>"),
        ("an inline handler", '<button class="button" onclick="go()">'),
        ("something from another host", '<img src="//cdn.example/a.png">'),
        ("a script without a nonce", '<script src="/static/js/site.js" defer></script>'),
    ],
)
def test_what_the_content_security_policy_forbids_is_found(what, text):
    assert breaches(text) == [what]
