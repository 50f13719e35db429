"""Files in the private storage: deleted once a transaction stands, and swept where no row knows them."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

YOUNG = timedelta(days=1)  # of a file whose row may still be on its way


def delete_files(names: Iterable[str], *, storage: str = "private") -> None:
    """Delete private files once the transaction stands. What is lost on the way there, each folder's sweep finds."""
    names = list(names)

    def delete():
        for name in names:
            storages[storage].delete(name)

    if names:
        transaction.on_commit(delete, robust=True)


def strays(
    folder: str,
    *,
    known: Callable[[list[str]], Iterable[str]],
    key_of: Callable[[str], str] = str,
    storage: str = "private",
) -> list[str]:
    """What has lain in a folder for a day without a row.

    Files lie under `<folder>/<two signs>/<name>`, and `key_of` makes the key of a name. `known(keys)` says which of
    the keys have a row that still needs its file.
    """
    place, found = storages[storage], []
    if not place.exists(folder):
        return found
    oldest = timezone.now() - YOUNG
    for shelf in place.listdir(folder)[0]:
        names = place.listdir(f"{folder}/{shelf}")[1]
        keys = {f"{folder}/{shelf}/{name}": key_of(name) for name in names}
        kept = set(known(list(keys.values())))
        found += [
            name for name, key in keys.items() if key not in kept and place.get_modified_time(name) < oldest
        ]
    return found


def sweep(names: Iterable[str], *, storage: str = "private") -> int:
    """Delete strays; return how many went."""
    names = list(names)
    for name in names:
        storages[storage].delete(name)
    return len(names)
