"""Mail addresses and their domains: whose mailbox one is, of whom it is a part, where anybody can get one."""

import re
from collections.abc import Iterable

from verification import names

_SHAPE = re.compile(r"[a-z0-9-]+([.][a-z0-9-]+)+")
# Of the part before the @. Quotes, %, ! and / are for servers that hand a letter on to an address inside it.
_LOCAL = re.compile(r"[A-Za-z0-9._'&+-]+")
_BEGINNING = 4  # letters of a last name by which an address shows it: o.quill for Quillfeather
LONGEST = 120

FREE = frozenset(
    """
    aim.com aol.com att.net bellsouth.net charter.net comcast.net cox.net duck.com earthlink.net email.com
    fastmail.com fastmail.fm free.fr frontier.com gmail.com gmx.com gmx.de gmx.net googlemail.com hey.com
    hotmail.co.uk hotmail.com hotmail.fr hushmail.com icloud.com inbox.com juno.com laposte.net live.com
    mac.com mail.com mail.ru mailbox.org mailinator.com me.com msn.com naver.com netzero.net optonline.net
    orange.fr outlook.com pm.me posteo.de proton.me protonmail.ch protonmail.com qq.com rediffmail.com
    rocketmail.com roadrunner.com sbcglobal.net t-online.de tuta.io tutanota.com verizon.net web.de
    windstream.net yahoo.ca yahoo.co.in yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com
    zoho.com 163.com 126.com
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


# Parts of an institution's domain that go to those who study there, or have left.
NOT_STAFF = frozenset({"alum", "alumna", "alumni", "alumnus", "alums", "stud", "student", "students"})


def is_plain(address: str) -> bool:
    """Whether an address means one mailbox at its domain, and cannot mean one elsewhere."""
    local, at, domain = address.rpartition("@")
    return bool(at and address.isascii() and _LOCAL.fullmatch(local) and domain_of(domain))


def mailbox_of(address: str) -> str:
    """One form for all spellings of an address that end in one mailbox: lower case, without what follows a plus."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def shows_name(address: str, last_names: Iterable[str]) -> bool:
    """Whether one of these last names, or its beginning, stands before the @."""
    local = address.lower().rpartition("@")[0]
    letters = re.sub(r"[^a-z]", "", local)
    words = [word for word in re.split(r"[^a-z]+", local) if word]
    for name in last_names:
        for key in {names.last_key(name), *map(names.last_key, name.replace("-", " ").split())} - {""}:
            if len(key) >= _BEGINNING and key[:_BEGINNING] in letters:
                return True
            if any(word.startswith(key) or word.endswith(key) for word in words if len(key) > 1):
                return True
    return False


def domain_of(address: str) -> str:
    """The domain of an address or of a bare domain, in lower case; empty where there is none."""
    domain = address.strip().rpartition("@")[2].lower().rstrip(".")
    return domain if _SHAPE.fullmatch(domain) and len(domain) <= LONGEST else ""


def itself_and_above(domain: str) -> list[str]:
    """A domain and those it is a part of, the nearest first, down to two labels: "a.b.c" gives it and "b.c"."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def is_for_staff(domain: str, of: str) -> bool:
    """Whether a part of the domain `of` is not named for students or alumni."""
    return NOT_STAFF.isdisjoint(domain.removesuffix(of).split("."))


def is_free(domain: str) -> bool:
    """Whether anybody can have an address there, so that one proves nothing."""
    return not FREE.isdisjoint(itself_and_above(domain))
