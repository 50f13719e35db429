import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from sermo.runtime import places, postgres, valkey
from sermo.runtime.tests.running import CHECKOUT


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def var_dir():
    """A `var` short enough for sockets and open enough for `nobody`; pytest's own tmp_path is neither."""
    folder = Path(tempfile.mkdtemp(prefix="sermo-var-", dir="/tmp"))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    var = folder / "var"
    places.make_var(var)
    yield var
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def binaries():
    """The PostgreSQL programs, unpacked once by the session's own servers."""
    return postgres.find_binaries(places.server_base(CHECKOUT / "var") / "pg0")


@pytest.fixture
def database(var_dir, binaries):
    home = var_dir / "pg"
    return postgres.Postgres(home=home, socket_dir=home, binaries=binaries, durable=False)


@pytest.fixture
def broker(var_dir):
    return valkey.Valkey(
        folder=var_dir / "valkey", socket=places.valkey_socket(var_dir), program=valkey.find_program()
    )
