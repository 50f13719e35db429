"""Files of pictures: encrypted under a key of each picture's own, so that whoever forgets the key destroys them.

What came lies in the storage "staging", which is no part of any backup, until it is masked; the masked sizes lie in
"private". Deleting follows the transaction; the key is gone with it, so a file left behind by a crash is noise, and a
sweep finds it. A file's name has a mark of its key: what is written under a new key overwrites nothing, and a
transaction that is rolled back has lost nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from consults.models import Image
from consults.models.images import SIZES
from sermo import images, private_files
from sermo.redaction import SIZES as SIDES

FOLDER = "cases"
PLAIN = "picture"  # the window of what has none


def new_seal() -> str:
    return Fernet.generate_key().decode()


def stage(image: Image, renditions: Iterable[tuple[str, bytes]]) -> None:
    """Keep what came of an upload, by window."""
    for window, jpeg in renditions:
        _save("staging", staged_name(image, window), image.seal, jpeg)


def read_staged(image: Image, window: str = "", size: str = "full") -> bytes:
    """The JPEG as it came, drawn anew, no larger than a size. Raises FileNotFoundError."""
    if size not in SIZES:
        raise FileNotFoundError(size)
    jpeg = _read("staging", staged_name(image, window), image.seal)
    return jpeg if size == "full" else images.shrunk(jpeg, SIDES[size])


def keep(image: Image, masked: Sequence[tuple[str, Mapping[str, bytes]]]) -> None:
    """Keep the masked sizes of each window, under the picture's seal of now."""
    for window, sizes in masked:
        for size, jpeg in sizes.items():
            _save("private", masked_name(image, size, window), image.seal, jpeg)


def read(image: Image, size: str = "screen", window: str = "") -> bytes:
    """A masked JPEG. Raises FileNotFoundError, also for sizes and windows there are not."""
    if size not in SIZES:
        raise FileNotFoundError(size)
    return _read("private", masked_name(image, size, window), image.seal)


def drop_staged(image: Image) -> None:
    """Delete what came, once the transaction stands."""
    private_files.delete_files(staged_names(image), storage="staging")


def drop_masked(image: Image) -> None:
    """Delete the masked sizes there are under the seal of now, once the transaction stands."""
    private_files.delete_files(masked_names(image))


def shred(image: Image) -> None:
    """Delete every file of a picture, once the transaction stands. Call it while the picture has its seal."""
    drop_staged(image)
    drop_masked(image)


def staged_names(image: Image) -> list[str]:
    return [staged_name(image, window) for window in _windows(image)]


def masked_names(image: Image) -> list[str]:
    return [masked_name(image, size, window) for window in _windows(image) for size in SIZES]


def staged_name(image: Image, window: str = "") -> str:
    return f"{_stem(image)}.{window or PLAIN}"


def masked_name(image: Image, size: str, window: str = "") -> str:
    return f"{_stem(image)}.{window or PLAIN}.{size}"


def _stem(image: Image) -> str:
    return f"{FOLDER}/{image.key[:2]}/{image.key}.{_mark(image.seal)}"


def _mark(seal: str | None) -> str:
    """Tells the files of one key from those of another, and nothing of the key."""
    return hashlib.sha256((seal or "").encode()).hexdigest()[:12]


NEEDED = {"staging": [Image.State.STAGED], "private": [Image.State.MASKED]}


def sweep() -> int:
    """Delete files of a day ago that no picture needs any more. Returns how many."""
    return sum(private_files.sweep(_strays(storage), storage=storage) for storage in NEEDED)


def count_strays() -> int:
    """How many of them there are."""
    return sum(len(_strays(storage)) for storage in NEEDED)


def _strays(storage: str) -> list[str]:
    def known(stems):
        keys = {stem.partition(".")[0] for stem in stems}
        images = Image.objects.filter(key__in=keys, state__in=NEEDED[storage])
        return [f"{image.key}.{_mark(image.seal)}" for image in images.only("key", "seal")]

    return private_files.strays(
        FOLDER, known=known, key_of=lambda name: ".".join(name.split(".")[:2]), storage=storage
    )


def sweep_destroyed() -> int:
    """Delete at once what is still staged of pictures that are masked or shredded. Returns how many files."""
    storage, swept = storages["staging"], 0
    for shelf in storage.listdir(FOLDER)[0] if storage.exists(FOLDER) else ():
        names = storage.listdir(f"{FOLDER}/{shelf}")[1]
        keys = {name.partition(".")[0] for name in names}
        done = Image.objects.filter(key__in=keys).exclude(state=Image.State.STAGED)
        gone = set(done.values_list("key", flat=True))
        for name in names:
            if name.partition(".")[0] in gone:
                storage.delete(f"{FOLDER}/{shelf}/{name}")
                swept += 1
    return swept


def _windows(image: Image) -> list[str]:
    return [window for window, _ in image.windows]


def _save(storage: str, name: str, seal: str, jpeg: bytes) -> None:
    storages[storage].save(name, ContentFile(Fernet(seal).encrypt(jpeg)))


def _read(storage: str, name: str, seal: str | None) -> bytes:
    if seal is None:  # forgotten: nothing opens it
        raise FileNotFoundError(name)
    with storages[storage].open(name) as sealed:
        try:
            return Fernet(seal).decrypt(sealed.read())
        except InvalidToken as error:
            raise FileNotFoundError(name) from error
