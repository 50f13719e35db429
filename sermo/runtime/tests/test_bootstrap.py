"""The step before there is a virtual environment, on what a newcomer's machine may lack."""

import subprocess
import sys

import pytest

from sermo.runtime import bootstrap


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of the locks alone, and no uv to be found."""
    (tmp_path / "requirements.txt").write_text("a==1\n")
    (tmp_path / "requirements-dev.txt").write_text("a==1\nb==2\n")
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(bootstrap, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(bootstrap, "PYTHON", str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.setattr(bootstrap, "find_uv", lambda: None)
    return tmp_path


def ended(code, said=""):
    return subprocess.CompletedProcess([], code, said)


def test_an_old_python_is_one_clear_line(monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)

    with pytest.raises(SystemExit):
        bootstrap.main("run")

    said = capsys.readouterr().err
    assert "needs Python 3.11 or newer" in said
    assert "is 3.9." in said
    assert said.count("\n") == 1


def test_an_old_python_makes_way_for_a_newer_one_beside_it(monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(
        bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "python3.12" else None
    )
    monkeypatch.setattr(bootstrap, "works", lambda python: True)
    called = []
    monkeypatch.setattr(bootstrap.os, "execv", lambda *call: called.append(call) or sys.exit(0))

    with pytest.raises(SystemExit):
        bootstrap.main("run")

    assert called[0][0] == "/usr/bin/python3.12"


def test_a_python_without_venv_is_one_clear_line(checkout, monkeypatch, capsys):
    refusal = "The virtual environment was not created successfully because ensurepip is not\navailable."
    monkeypatch.setattr(bootstrap, "quietly", lambda command: ended(1, refusal))

    with pytest.raises(SystemExit):
        bootstrap.main("run")

    said = capsys.readouterr().err
    assert "sudo apt install python3." in said
    assert said.count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(checkout, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.os, "access", lambda path, mode: False)

    with pytest.raises(SystemExit):
        bootstrap.main("run")

    assert f"Cannot write in {checkout}: copy the checkout" in capsys.readouterr().err


def test_what_is_installed_is_not_installed_again(checkout, monkeypatch):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "installed-run").write_text(bootstrap.stamp_of("run"))
    monkeypatch.setattr(bootstrap, "finds_packages", lambda python: True)

    assert bootstrap.is_installed("run")
    assert not bootstrap.is_installed("dev")


def test_the_tests_tools_hold_all_that_the_site_needs(checkout, monkeypatch):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "installed-dev").write_text(bootstrap.stamp_of("dev"))
    monkeypatch.setattr(bootstrap, "finds_packages", lambda python: True)

    assert bootstrap.is_installed("run")


def test_changed_requirements_and_a_copied_checkout_are_installed_anew(checkout, monkeypatch):
    before = bootstrap.stamp_of("run")

    (checkout / "requirements.txt").write_text("a==2\n")
    changed = bootstrap.stamp_of("run")
    monkeypatch.setattr(bootstrap, "ROOT", str(checkout / "copy"))
    (checkout / "copy").mkdir()
    (checkout / "copy" / "requirements.txt").write_text("a==2\n")

    assert len({before, changed, bootstrap.stamp_of("run")}) == 3


def test_a_virtual_environment_whose_python_is_gone_does_not_work(tmp_path):
    (tmp_path / "python").symlink_to("/nowhere/python3.11")

    assert not bootstrap.works(str(tmp_path / "python"))
    assert bootstrap.works(sys.executable)


def test_without_uv_pip_installs(checkout, monkeypatch):
    (checkout / ".venv").mkdir()
    calls = []
    monkeypatch.setattr(bootstrap, "has_pip", lambda python: True)
    monkeypatch.setattr(bootstrap, "quietly", lambda command: ended(1, "no such package"))
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command, **options: calls.append(command) or 0)
    monkeypatch.setattr(bootstrap, "add_checkout_to_path", lambda: None)

    bootstrap.install("run")

    assert "--require-hashes" in calls[0]
    assert bootstrap.recorded_stamp("run") == bootstrap.stamp_of("run")
