"""What members of the demonstration keep from firms."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Member
from consults.models import Case
from focusgroups.models import Participant
from observers import figures
from observers.demo.seats import FUND, PHARMA
from observers.models import FirmBlock
from questions.models import Post
from rewards.models import Firm

CARDIO, DERM, EMERGENCY = (f"{name}@demo.sermo.test" for name in ("cardio", "derm", "emergency"))
EACH_SECTOR = 11  # of so many physicians one blocks financial firms
EACH_FIRM = 29  # and one the largest firm
EACH_ANSWER = 23  # of so many answers one is peers only
AGO = timedelta(days=20)


@transaction.atomic
def seed() -> None:
    """Write all of it once; a second run changes nothing."""
    if FirmBlock.objects.exists():
        return
    since, pharma = timezone.now() - AGO, Firm.objects.get(name=PHARMA)
    others = Member.objects.filter(standing=Member.Standing.PHYSICIAN, user__isnull=False)
    others = others.exclude(user__email__in=[CARDIO, DERM, EMERGENCY]).exclude(pk__in=_shows_a_case())
    others = others.exclude(pk__in=Participant.objects.seated().values("member"))  # said yes to being watched
    others = list(others.order_by("pk"))
    blocks = [FirmBlock(member=one, sector=Firm.Kind.FINANCE, since=since) for one in others[::EACH_SECTOR]]
    blocks += [FirmBlock(member=one, firm=pharma, since=since) for one in others[::EACH_FIRM]]
    blocks.append(FirmBlock(member=_of(CARDIO), firm=Firm.objects.get(name=FUND["name"])))  # after its reads
    blocks.append(FirmBlock(member=_of(DERM), sector=Firm.Kind.FINANCE))
    FirmBlock.objects.bulk_create(blocks)
    Member.objects.filter(user__email=DERM).update(peers_only=True)
    Member.objects.filter(user__email=EMERGENCY).update(hides_industry=True)
    answers = Post.objects.answers().alias(place=F("pk") % EACH_ANSWER).filter(place=0)
    answers.filter(author__in=others).update(peers_only=True)
    for _ in range(2):  # nights: a rate is shown from the second on
        figures.take_blocks()


def _shows_a_case():
    """Whose patients said that firms may see the pictures."""
    return Case.objects.consented_to_observers().values("question__asker")


def _of(email: str) -> Member:
    return Member.objects.get(user__email=email)
