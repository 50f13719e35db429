"""Addresses and secrets the settings fall back to when the environment names none.

Importing this module and calling its address functions touches no server and writes nothing.
"""

import base64
import os
import secrets as random
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

from sermo.runtime import places
from sermo.runtime.trouble import Trouble

DATABASE = USER = "sermo"


def database_url(var_dir: Path) -> str:
    """The embedded PostgreSQL, as `postgres://user@//socket/folder/database`, which django-environ reads."""
    folder = quote(str(places.postgres_socket_dir(var_dir)))
    return f"postgres://{USER}@/{folder}/{DATABASE}"


def redis_url(var_dir: Path) -> str:
    """The embedded Valkey's address, `unix:///path?db=0`, as redis-py reads it."""
    return f"unix://{quote(str(places.valkey_socket(var_dir)))}?db=0"


def broker_location(redis_url: str) -> str:
    """`redis_url` as Celery wants it: the same database, `redis+socket://` for a socket."""
    url = urlsplit(redis_url)
    if url.scheme not in ("unix", "redis+socket"):
        return redis_url
    return f"redis+socket://{url.path}?virtual_host={database_number(redis_url)}"


def cache_location(redis_url: str) -> str:
    """`redis_url` as Django's RedisCache wants it: the next database, so that clearing it spares the tasks."""
    url = urlsplit(redis_url)
    number = database_number(redis_url) + 1
    if url.scheme in ("unix", "redis+socket"):
        return f"unix://{url.path}?db={number}"
    return urlunsplit(url._replace(path=f"/{number}"))


def with_database_number(redis_url: str, number: int) -> str:
    """The same server's database `number`, in the form redis-py reads."""
    url = urlsplit(redis_url)
    if url.scheme in ("unix", "redis+socket"):
        return f"unix://{url.path}?{urlencode({'db': number})}"
    return urlunsplit(url._replace(path=f"/{number}"))


def database_number(redis_url: str) -> int:
    """The 3 in `redis://host/3`, `unix:///path?db=3` and `redis+socket:///path?virtual_host=3`; else 0."""
    url = urlsplit(redis_url)
    query = parse_qs(url.query)
    named = query.get("db") or query.get("virtual_host")
    if not named and url.scheme in ("redis", "rediss"):
        named = [url.path.strip("/")]
    return int(named[0]) if named and named[0].isdigit() else 0


def secrets(var_dir: Path) -> dict[str, str]:
    """SECRET_KEY, FIELD_KEYS (one Fernet key), HASH_KEY (64 hex digits), made once in `var_dir/secrets.env`.

    Two processes that ask at the same moment get the same three. Raises Trouble where the file can be neither
    read nor made.
    """
    path = Path(var_dir) / "secrets.env"
    try:
        if not path.exists():
            make_secrets(path)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        lines = path.read_text().splitlines()
    except OSError as error:
        raise Trouble(f"Cannot read or make {path}: {error.strerror}.") from error
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def make_secrets(path: Path) -> None:
    """Write a whole file beside `path`, then link it there: whoever comes second keeps the first one's."""
    made = {
        "SECRET_KEY": random.token_urlsafe(50),
        "FIELD_KEYS": base64.urlsafe_b64encode(random.token_bytes(32)).decode(),
        "HASH_KEY": random.token_hex(32),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(
                "# Made once. Without FIELD_KEYS stored identity data is lost; without HASH_KEY, not found.\n"
            )
            file.writelines(f"{name}={value}\n" for name, value in made.items())
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
