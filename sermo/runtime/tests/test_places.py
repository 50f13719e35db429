import os
from pathlib import Path

import pytest

from sermo.runtime import places
from sermo.runtime.trouble import Trouble

LONG = Path("/tmp") / ("long" * 30) / "var"


def test_sockets_stand_in_var_where_their_path_is_short():
    assert places.postgres_socket_dir(Path("/srv/sermo/var")) == Path("/srv/sermo/var/pg")
    assert places.valkey_socket(Path("/srv/sermo/var")) == Path("/srv/sermo/var/valkey.sock")


def test_a_path_the_kernel_would_refuse_gets_a_short_folder_of_its_own():
    found = places.postgres_socket_dir(LONG)

    assert len(os.fsencode(found / places.SOCKET_NAME)) <= 107
    assert found != places.postgres_socket_dir(LONG.with_name("other"))
    assert found == places.postgres_socket_dir(LONG)
    assert len(os.fsencode(places.valkey_socket(LONG))) <= 107


def test_under_root_a_private_checkout_keeps_its_database_where_nobody_can_walk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tmp_path.chmod(0o700)

    home = places.postgres_home(tmp_path / "var")

    assert home.parent.parent == Path("/var/lib")
    assert home.parent.name.startswith("sermo-")


def test_under_an_ordinary_user_a_private_checkout_keeps_its_database(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tmp_path.chmod(0o700)

    assert places.postgres_home(tmp_path / "var") == tmp_path / "var" / "pg"


def test_a_link_decides_where_the_database_is(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "pg").symlink_to(elsewhere)

    assert places.postgres_home(tmp_path / "var") == elsewhere


def test_a_var_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(Trouble, match=r"Cannot write in .*VAR_DIR="):
        places.make_var(tmp_path / "file" / "var")
