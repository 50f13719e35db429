"""Shutting firms out, one by one or by sector, and what else a member chooses about all of them."""

from collections.abc import Iterable

from django.db import transaction

from accounts.models import Member
from observers.models import FirmBlock
from rewards.models import Firm


def block_firm(*, member: Member, firm: Firm) -> FirmBlock:
    """From now on a firm reads nothing this member wrote or writes. Twice is as good as once."""
    return FirmBlock.objects.get_or_create(member=member, firm=firm)[0]


def unblock_firm(*, member: Member, firm: Firm) -> None:
    """Let a firm read again. A block of its sector stands for itself."""
    FirmBlock.objects.filter(member=member, firm=firm).delete()


@transaction.atomic
def block_sectors(*, member: Member, sectors: Iterable[str]) -> None:
    """Shut out all firms of exactly these kinds, those that come later too. Blocks of single firms stay."""
    sectors, own = {Firm.Kind(sector) for sector in sectors}, FirmBlock.objects.filter(member=member)
    own.filter(firm=None).exclude(sector__in=sectors).delete()
    for sector in sorted(sectors):
        own.get_or_create(member=member, firm=None, sector=sector)


@transaction.atomic
def choose(*, member: Member, peers_only: bool, hides_industry: bool, sectors: Iterable[str]) -> None:
    """What holds for a member's posts from now on, whether they meet what firms ask, and which sectors are shut out."""
    member.peers_only, member.hides_industry = peers_only, hides_industry
    member.save(update_fields=["peers_only", "hides_industry"])
    block_sectors(member=member, sectors=sectors)
