import os
import subprocess
import sys
from pathlib import Path

import environ
import pytest
import redis
from kombu import Connection

from sermo.runtime import addresses
from sermo.runtime.trouble import Trouble

ODD = Path("/srv/my checkout #1/50% & more/var")


def test_the_database_url_survives_an_odd_path():
    config = environ.Env.db_url_config(addresses.database_url(ODD))

    assert (config["HOST"], config["NAME"], config["USER"]) == (f"{ODD}/pg", "sermo", "sermo")


def test_the_cache_url_survives_an_odd_path():
    location = addresses.cache_location(addresses.redis_url(ODD))

    kwargs = redis.ConnectionPool.from_url(location).connection_kwargs
    assert (kwargs["path"], kwargs["db"]) == (f"{ODD}/valkey.sock", 1)


def test_the_broker_url_survives_an_odd_path():
    location = addresses.broker_location(addresses.redis_url(ODD))

    assert Connection(location).as_uri() == f"redis+socket://{ODD}/valkey.sock"


@pytest.mark.parametrize(
    ("named", "broker", "cache"),
    [
        ("redis://cache.internal:6379", "redis://cache.internal:6379", "redis://cache.internal:6379/1"),
        ("rediss://u:p@cache:6380/4", "rediss://u:p@cache:6380/4", "rediss://u:p@cache:6380/5"),
        ("unix:///run/v.sock?db=2", "redis+socket:///run/v.sock?virtual_host=2", "unix:///run/v.sock?db=3"),
        (
            "redis+socket:///run/v.sock",
            "redis+socket:///run/v.sock?virtual_host=0",
            "unix:///run/v.sock?db=1",
        ),
    ],
)
def test_one_redis_url_gives_broker_and_cache_databases_of_their_own(named, broker, cache):
    assert addresses.broker_location(named) == broker
    assert addresses.cache_location(named) == cache


def test_another_database_of_the_same_server_keeps_the_rest_of_its_address():
    assert addresses.with_database_number("redis://u:p@h:1/0", 7) == "redis://u:p@h:1/7"
    assert addresses.with_database_number("unix:///a%20b.sock?db=0", 7) == "unix:///a%20b.sock?db=7"


def test_secrets_are_made_once_and_for_the_owner_alone(tmp_path):
    made = addresses.secrets(tmp_path)

    assert addresses.secrets(tmp_path) == made
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(made["HASH_KEY"])) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.env"]


def test_the_field_key_is_one_that_fernet_takes(tmp_path):
    from cryptography.fernet import Fernet

    key = Fernet(addresses.secrets(tmp_path)["FIELD_KEYS"])

    assert key.decrypt(key.encrypt(b"Ada")) == b"Ada"


def test_secrets_that_others_may_read_are_closed_again(tmp_path):
    addresses.secrets(tmp_path)
    (tmp_path / "secrets.env").chmod(0o644)

    addresses.secrets(tmp_path)

    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_processes_that_ask_at_once_get_the_same_secrets(tmp_path):
    ask = (
        "import sys; from pathlib import Path; from sermo.runtime.addresses import secrets; "
        "sys.stdin.read(); print(secrets(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", ask, str(tmp_path)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]

    for process in running:
        process.stdin.flush()
    answers = {process.communicate()[0] for process in running}

    assert len(answers) == 1
    assert "SECRET_KEY" in answers.pop()


def test_secrets_that_cannot_be_made_are_one_clear_line(tmp_path):
    occupied = tmp_path / "a file"
    occupied.touch()

    with pytest.raises(Trouble, match="Cannot read or make"):
        addresses.secrets(occupied)


def test_the_tests_use_no_server_of_make_run():
    own_var = str(Path(__file__).resolve().parents[3] / "var")

    assert own_var not in os.environ["DATABASE_URL"]
    assert own_var not in os.environ["REDIS_URL"]
    assert not os.environ["VAR_DIR"].startswith(own_var)
