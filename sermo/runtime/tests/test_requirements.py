import re

import pytest

from sermo.runtime.tests.running import CHECKOUT


def entries(name):
    """Each requirement of a lock: the name, the version, and whether it carries a hash."""
    blocks = re.split(r"\n(?=[a-z0-9])", (CHECKOUT / name).read_text(), flags=re.IGNORECASE)
    found = [(re.match(r"([\w.-]+)==([^\s;\\]+)", block), "--hash=sha256:" in block) for block in blocks]
    return {match[1].lower(): (match[2], hashed) for match, hashed in found if match}


def pins(name):
    text = (CHECKOUT / name).read_text()
    return {
        match[1].lower(): match[2]
        for match in re.finditer(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", text, re.MULTILINE)
    }


@pytest.mark.parametrize(
    ("source", "lock"),
    [
        ("requirements.in", "requirements.txt"),
        ("requirements-dev.in", "requirements-dev.txt"),
        ("requirements-uv.in", "requirements-uv.txt"),
    ],
)
def test_a_lock_holds_what_its_source_pins_and_a_hash_of_everything(source, lock):
    locked = entries(lock)

    assert {name: locked[name][0] for name in pins(source)} == pins(source)
    assert all(hashed for _, hashed in locked.values())


def test_the_lock_of_the_tests_holds_everything_the_site_runs_on_at_the_same_versions():
    run, dev = entries("requirements.txt"), entries("requirements-dev.txt")

    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt", "requirements-uv.txt"])
def test_a_lock_names_no_index_and_no_path(lock):
    text = (CHECKOUT / lock).read_text()

    assert "://" not in text
    assert "--index" not in text
    assert "file:" not in text


def test_every_direct_dependency_says_what_it_is_for():
    for name in ("requirements.in", "requirements-dev.in"):
        lines = (CHECKOUT / name).read_text().splitlines()

        assert all("  # " in line for line in lines if "==" in line)
