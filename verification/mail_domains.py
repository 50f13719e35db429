"""Mail domains by their names: of an address, of whom it is a part, and which anybody can get an address at."""

import re

_SHAPE = re.compile(r"[a-z0-9-]+([.][a-z0-9-]+)+")
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


def domain_of(address: str) -> str:
    """The domain of an address or of a bare domain, in lower case; empty where there is none."""
    domain = address.strip().rpartition("@")[2].lower().rstrip(".")
    return domain if _SHAPE.fullmatch(domain) and len(domain) <= LONGEST else ""


def itself_and_above(domain: str) -> list[str]:
    """A domain and those it is a part of, the nearest first, down to two labels: "a.b.c" gives it and "b.c"."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def is_free(domain: str) -> bool:
    """Whether anybody can have an address there, so that one proves nothing."""
    return not FREE.isdisjoint(itself_and_above(domain))
