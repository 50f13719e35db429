"""Mail domains on which an address proves something: asked for by applicants, accepted or refused by reviewers."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from sermo.errors import RuleBroken
from verification import mail_domains
from verification.models import MailDomain
from verification.services import events, limits

State = MailDomain.State
MAY_REVIEW = "verification.review_maildomain"
NEIGHBORS = 50  # at most, on a reviewer's page


class NoDomain(RuleBroken):
    message = "This is no mail address. Type it whole, such as j.doe@hospital.org."


class FreeMail(RuleBroken):
    message = "Anybody can have an address there, so it proves nothing. Type the one your hospital gave you."


class MayNotReview(RuleBroken):
    message = "Only verification reviewers decide about mail domains."


class WhyMissing(RuleBroken):
    message = "Write why, in a sentence."


class WhoseMissing(RuleBroken):
    message = "Say which institution gives these addresses out, and of which sort it is."


def read_domain(address: str) -> str:
    """The domain of what somebody typed. Raises NoDomain, FreeMail."""
    domain = mail_domains.domain_of(address)
    if not domain:
        raise NoDomain
    if mail_domains.is_free(domain):
        raise FreeMail
    return domain


def accepted_for(domain: str) -> MailDomain | None:
    """The accepted domain that a domain is, or is a part of; one refused in between closes what is above it.

    A part for students or alumni counts only where reviewers have accepted it by its own name.
    """
    names = mail_domains.itself_and_above(domain)
    known = {each.name: each for each in MailDomain.objects.filter(name__in=names).exclude(state=State.ASKED)}
    nearest = next((known[name] for name in names if name in known), None)
    if nearest is None or nearest.state != State.ACCEPTED:
        return None
    return nearest if mail_domains.is_for_staff(domain, of=nearest.name) else None


def neighbors_of(domain: MailDomain) -> QuerySet[MailDomain]:
    """Other domains under the same last two labels: what was found out of one says something of the others."""
    base = ".".join(domain.name.split(".")[-2:])
    under = MailDomain.objects.filter(Q(name=base) | Q(name__endswith=f".{base}"))
    return under.exclude(pk=domain.pk).order_by("name")[:NEIGHBORS]


@transaction.atomic
def ask_for(*, user: User, address: str) -> None:
    """Have reviewers look at the domain of an address. One they know already stays as it is, and is not told of.

    Nothing says who asked. Raises NoDomain, FreeMail, limits.TooManyDomains.
    """
    name = read_domain(address)
    limits.count_domain(user)
    MailDomain.objects.bulk_create([MailDomain(name=name)], ignore_conflicts=True)


@transaction.atomic
def review(
    *, domain: MailDomain, by: User, accept: bool, note: str, institution: str = "", sort: str = ""
) -> MailDomain:
    """Accept a domain as one institution's, or refuse it; also against an earlier review. Codes that were right stay.

    Raises MayNotReview, WhyMissing, WhoseMissing.
    """
    if not by.has_perm(MAY_REVIEW):
        raise MayNotReview
    if not note.strip():
        raise WhyMissing
    if accept and not (institution.strip() and sort in MailDomain.Sort.values):
        raise WhoseMissing
    domain = MailDomain.objects.select_for_update().get(pk=domain.pk)
    was = domain.state
    domain.state = State.ACCEPTED if accept else State.REFUSED
    domain.note, domain.reviewed_at, domain.reviewed_by = note.strip(), timezone.now(), by
    if accept:
        domain.institution, domain.sort = institution.strip(), sort
    domain.save()
    events.record(
        kind="mail_domain", by=by, from_state=was, to_state=domain.state, object=f"domain:{domain.pk}"
    )
    return domain
