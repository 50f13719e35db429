"""The site itself, as it stands among members: it opens the threads of articles and does nothing else."""

from accounts.handles import HOUSE_KEY
from accounts.models import Member


def house() -> Member:
    """The site's own row, made by the first who asks. It has no log-in and never was a physician, so that it is met,
    counted, ranked, asked and told nowhere; its handle is one that no member can take.
    """
    return Member.objects.get_or_create(physician_key=HOUSE_KEY, defaults={"handle": "Sermo"})[0]
