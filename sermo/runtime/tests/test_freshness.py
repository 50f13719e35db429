import os
from types import SimpleNamespace

import pytest

from sermo.runtime import freshness


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A checkout and a var that the last run prepared; `migrations` stands for what the database answers."""
    checkout, var_dir = tmp_path / "checkout", tmp_path / "var"
    (checkout / "app").mkdir(parents=True)
    (checkout / "app" / "models.py").write_text("a = 1\n")
    (var_dir / "static").mkdir(parents=True)
    (var_dir / "static" / "staticfiles.json").touch()
    site = SimpleNamespace(checkout=checkout, var_dir=var_dir, migrations="0001", env={"DEMO": "1"})
    monkeypatch.setattr(freshness, "database_mark", lambda server: site.migrations)
    freshness.note_prepared(var_dir, freshness.checkout_mark(checkout), None, site.env)
    return site


def is_fresh(site):
    return freshness.is_fresh(site.var_dir, freshness.checkout_mark(site.checkout), None, site.env)


def test_an_unchanged_checkout_and_database_need_no_preparing(prepared):
    assert is_fresh(prepared)


def test_an_edited_file_does(prepared):
    (prepared.checkout / "app" / "models.py").write_text("a = 22\n")

    assert not is_fresh(prepared)


def test_a_new_file_does(prepared):
    (prepared.checkout / "app" / "tasks.py").touch()

    assert not is_fresh(prepared)


@pytest.mark.parametrize("folder", ["var", ".venv", ".git", "app/__pycache__", "app/tests"])
def test_what_is_not_the_site_does_not_matter(prepared, folder):
    (prepared.checkout / folder).mkdir()
    (prepared.checkout / folder / "file.py").touch()

    assert is_fresh(prepared)


def test_a_database_with_other_migrations_does(prepared):
    prepared.migrations = "0001, 0002"

    assert not is_fresh(prepared)


def test_switching_the_demo_on_does(prepared):
    prepared.env = {"DEMO": "0"}

    assert not is_fresh(prepared)


def test_static_files_that_are_gone_do(prepared):
    os.remove(prepared.var_dir / "static" / "staticfiles.json")

    assert not is_fresh(prepared)


def test_a_database_that_cannot_be_asked_is_never_taken_for_prepared(prepared):
    freshness.forget(prepared.var_dir)
    prepared.migrations = ""

    freshness.note_prepared(prepared.var_dir, freshness.checkout_mark(prepared.checkout), None, prepared.env)

    assert not is_fresh(prepared)
