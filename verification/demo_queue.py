"""The reviewers' queue of the demonstration: one claim of every kind, with drawn documents.

Everybody in it is of the sample registry or invented. All of it goes through the services that applicants and
reviewers use; only the moments are put back afterwards. A second reviewer, with no log-in of its own, did what takes
two people.
"""

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group
from django.db.models import F
from django.utils import timezone
from PIL import Image, ImageDraw, ImageFont

from accounts.demo_logins import DEMO_PASSWORD
from accounts.models import Member, User
from accounts.roles import REVIEWERS
from accounts.services import members
from verification import rules
from verification.models import Claim, Decision, Dispute, LicenseCheck, Objection, Provider
from verification.models.claims import State
from verification.names import PersonName
from verification.services import (
    claims,
    decisions,
    disputes,
    license_clock,
    proofs,
    queue,
    states,
    vouching,
)

SECOND_REVIEWER = "second-reviewer@demo.sermo.test"
DECIDED = 60  # of the verified claims have the decision that was taken, with how long they waited
INK, PAPER, FRAME = "#22223a", "#f4f1e6", "#3a3a6a"


@dataclass(frozen=True)
class Case:
    """Who claims to be whom, what differs, and how long they wait (hours)."""

    handle: str
    npi: str
    hours: float
    last: str = ""  # as typed, where it is not the registry's
    degree: str = ""
    number: str = ""
    passed: bool = False  # the questions
    documents: tuple[str, ...] = ("license",)


NAMESAKE = Case(
    "second_name", "2007678420", 31, last="Stonebridger", passed=True
)  # and on the exclusion list
RESIDENT = Case("in_training", "2147356739", 20)
MISSPELLED = Case("misspelled", "2474676832", 3, last="Brockthorne")
OTHER_NUMBER = Case("two_digits_swapped", "2112986692", 9, number="A957856")
MARRIED = Case("half_a_name", "2860112707", 2, last="Lockridge", passed=True)
SIDEWAYS = Case("photographed_sideways", "2824883435", 6, documents=("sideways",))
TWO_PAGES = Case("letter_of_two_pages", "2361114988", 1, passed=True, documents=("letter",))
BILL_ONLY = Case("sent_a_bill", "2990799654", 14, passed=True, documents=("bill",))
VOUCHED = Case("two_vouch", "2591595154", 5)
APPROVED_ONCE = Case("other_degree", "2617621711", 26, degree="MD")
APPEALS = Case("appeals", "2835276603", 40, last="Delatorrez")
HOLDER = Case("came_first", "2170443180", 0)
RIVAL = Case("came_second", "2170443180", 500, passed=True)
OBJECTED = Case("somebody_objects", "2742046354", 4)
SUSPENDED = Case("board_says_no", "2884609472", 7)
LAPSED = Case("date_is_over", "2943395634", 0)
WAITING = (NAMESAKE, RESIDENT, MISSPELLED, OTHER_NUMBER, MARRIED, SIDEWAYS, TWO_PAGES, BILL_ONLY)
ALL = (*WAITING, VOUCHED, APPROVED_ONCE, APPEALS, HOLDER, OBJECTED, SUSPENDED, LAPSED)
LOCKED_NAMES = ("2054512530", "2235114339", "2795792094", "2371164882")  # one account named all of these
RESERVED = {*(case.npi for case in ALL), *LOCKED_NAMES}  # nobody else of the demonstration is one of them


def seed() -> int:
    """Fill the queue; how many claims wait in it then."""
    second = _second_reviewer()
    _decide_past(second)
    for case in WAITING:
        _put_back(_start(case), case.hours)
    _two_vouch()
    _approved_once(second)
    _appeals(second)
    _dispute(second)
    _objected(second)
    _suspended(second)
    _lapsed(second)
    _nobody_fits()
    _locked()
    queue.weigh_all()
    return Claim.objects.in_queue().count()


def _second_reviewer() -> User:
    second = User.objects.create_user(SECOND_REVIEWER, is_staff=True)
    second.groups.add(Group.objects.get(name=REVIEWERS))
    return second


def _decide_past(second: User) -> None:
    """The last decisions that were taken, most of them within the day: from these the next are foretold."""
    rng = random.Random(50)  # noqa: S311 - the same every time is the purpose
    decided = Claim.objects.filter(state=State.VERIFIED).order_by("-verified_at")[:DECIDED]
    Decision.objects.bulk_create(
        Decision(
            claim=claim,
            reviewer=second,
            outcome=Decision.Outcome.APPROVE,
            reason=Decision.Reason.DOCUMENT_FITS,
            note="License card and registry agree.",
            at=claim.verified_at,
            waited=timedelta(hours=min(60, rng.lognormvariate(1.2, 0.9))),
        )
        for claim in decided
    )


def _applicant(handle: str) -> User:
    user = User.objects.create_user(f"{handle.replace('_', '-')}@demo.sermo.test")
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    members.create_member(user=user, handle=handle)
    return user


def _start(case: Case, user: User | None = None) -> Claim:
    """A claim with its documents, as far as the applicant alone comes."""
    provider = Provider.objects.get(npi=case.npi)
    main = provider.licenses().first()
    last = case.last or provider.last_name.title()
    claim = claims.start_claim(
        user=user or _applicant(case.handle),
        name=PersonName(last, provider.first_name.title(), ""),
        degree=case.degree or provider.degree or "MD",
        state=main.state or provider.practice_state,
        npi=provider.npi,
        license_number=case.number,
    )
    if case.passed and claim.state == State.MATCHED:
        claim = states.move(claim=claim, to=State.CHALLENGED, as_=states.SYSTEM, evidence=["questions"])
    elif claim.state == State.MATCHED:
        claim = claims.to_review(claim, "skipped")
    for kind in case.documents:
        _send(claim, kind, f"{provider.first_name} {last}".upper(), case.number or main.number)
    return Claim.objects.get(pk=claim.pk)


def _send(claim: Claim, kind: str, name: str, number: str) -> None:
    state = claim.get_license_state_display()
    card = license_card(name, state, number or "IN TRAINING")
    drawn = {
        "license": lambda: ("license", _jpeg(card)),
        "sideways": lambda: ("license", _jpeg(card.rotate(90, expand=True))),
        "letter": lambda: ("letter", _pdf(_letter(name, state, number))),
        "bill": lambda: (
            "other",
            _jpeg(_page(["Invented Power & Light", "", f"Customer: {name}", "Amount due: $41.17"])),
        ),
    }
    sort, data = drawn[kind]()
    proofs.add_document(claim=claim, sort=sort, data=data)


def _put_back(claim: Claim, hours: float) -> Claim:
    """As if it had been sent so many hours ago."""
    now = timezone.now()
    Claim.objects.filter(pk=claim.pk).update(
        queued_at=now - timedelta(hours=hours), started_at=now - timedelta(hours=hours + 1)
    )
    return Claim.objects.get(pk=claim.pk)


def _two_vouch() -> None:
    claim = _put_back(_start(VOUCHED), VOUCHED.hours)
    code = vouching.ask_colleagues(claim=claim).code
    said = (
        "We were residents together and share the Tuesday clinic since 2019.",
        "I have covered their patients on weekends for four years.",
    )
    before = timezone.now() - timedelta(days=120)
    able = Member.objects.filter(user__claims__state=State.VERIFIED, user__claims__verified_at__lt=before)
    able = able.exclude(user__email__in=[claim.user.email]).order_by("pk").select_related("user")[5:7]
    for voucher, statement in zip(able, said, strict=True):
        vouching.vouch(code=code, voucher=voucher.user, relation="works", statement=statement)
    Claim.objects.filter(pk=claim.pk).update(is_ahead=True)


def _approved_once(second: User) -> None:
    claim = _put_back(_start(APPROVED_ONCE), APPROVED_ONCE.hours)
    decisions.approve(
        claim=claim,
        by=second,
        reason=Decision.Reason.DOCUMENT_FITS,
        note="The card says DO, as the registry does; MD was a slip of the form. All else agrees.",
    )


def _appeals(second: User) -> None:
    claim = _put_back(_start(APPEALS), 70)
    decisions.reject(
        claim=claim,
        by=second,
        reason=Decision.Reason.MISMATCH,
        note="The card writes the surname as one word, the registry as three.",
        message="The document and what you typed name different people. An appeal is read by another reviewer.",
    )
    claims.appeal(
        user=claim.user,
        text="My family writes our name as one word, and so does my card. The license number is the same.",
    )
    _put_back(claim, APPEALS.hours)


def _dispute(second: User) -> None:
    """A holder of long ago and somebody who proved the same license; the holder's days are over."""
    holder = _verified(HOLDER, second, days=200)
    rival = _put_back(_start(RIVAL), RIVAL.hours)
    decisions.approve(
        claim=rival,
        by=second,
        reason=Decision.Reason.DOCUMENT_FITS,
        note="Card and registry agree. Somebody else holds this identity.",
    )
    proofs.add_document(
        claim=holder, sort="letter", data=_pdf(_letter("PATRICIA ABERNATHY-VOSS", "Nebraska", "97652"))
    )
    dispute = Dispute.objects.get(rival_claim=rival)
    past = timedelta(days=16)
    Dispute.objects.filter(pk=dispute.pk).update(opened_at=F("opened_at") - past, due_at=F("due_at") - past)
    disputes.give_opinion(
        dispute=dispute,
        by=second,
        side="holder",
        note="The holder's letter is of this year and names the hospital.",
    )
    _put_back(rival, RIVAL.hours)
    disputes.bring_due()


def _verified(case: Case, second: User, days: int) -> Claim:
    claim = _start(case)
    decisions.approve(
        claim=claim, by=second, reason=Decision.Reason.DOCUMENT_FITS, note="License card and registry agree."
    )
    when = timezone.now() - timedelta(days=days)
    moments = {"started_at": when - timedelta(hours=9), "verified_at": when, "decided_at": when}
    Claim.objects.filter(pk=claim.pk).update(**moments)
    Decision.objects.filter(claim=claim).update(at=when, waited=timedelta(hours=8))
    return Claim.objects.get(pk=claim.pk)


def _objected(second: User) -> None:
    """Verified yesterday; the practice was told by fax, and somebody there says that it was not them."""
    claim = _verified(OBJECTED, second, days=1)
    now = timezone.now()
    Objection.objects.create(
        claim=claim,
        way=Objection.Way.FAX,
        code_hash="of the demonstration",
        sent_at=now - timedelta(hours=20),
        objected_at=now - timedelta(hours=OBJECTED.hours),
        words="The doctor named in your fax is on leave and knows of no account. Call the office in the morning.",
    )
    states.move(
        claim=claim,
        to=State.NEEDS_REVIEW_HELD,
        as_=states.SYSTEM,
        reason="objected",
        doubts=["objected"],
        is_ahead=True,
        queued_at=now - timedelta(hours=OBJECTED.hours),
        decided_at=claim.decided_at,
    )


def _suspended(second: User) -> None:
    """Looked up at the board and found suspended; the member, who can log in, has appealed since."""
    claim = _verified(SUSPENDED, second, days=300)
    license_clock.look_up(
        check=license_clock.ask_for_look(claim=claim, by=second),
        by=second,
        finding=LicenseCheck.Finding.ENDED,
        status="Suspended, pending hearing",
        note="The board's page says so since this month. No order is linked there.",
    )
    Claim.objects.filter(pk=claim.pk).update(state_at=timezone.now() - timedelta(days=3))
    claims.appeal(
        user=_let_in(claim.user),
        text="The board took the suspension back on Friday; its page is behind. I can send the letter.",
    )
    Claim.objects.filter(pk=claim.pk).update(queued_at=timezone.now() - timedelta(hours=SUSPENDED.hours))


def _lapsed(second: User) -> None:
    """The date on the license was over for two months; its member, who can log in, reads and writes nothing."""
    claim = _verified(LAPSED, second, days=380)
    over = timezone.localdate() - timedelta(days=rules.LAPSE_DAYS + 4)
    Claim.objects.filter(pk=claim.pk).update(license_expires_on=over)
    _let_in(claim.user)
    states.move(claim=claim, to=State.LAPSED, as_=states.SYSTEM, reason="expired")


def _let_in(user: User) -> User:
    """Whose page is worth a look gets the password of the demonstration."""
    user.set_password(DEMO_PASSWORD)
    user.save(update_fields=["password"])
    return user


def _nobody_fits() -> None:
    claim = claims.start_claim(
        user=_applicant("not_in_the_file"),
        name=PersonName("Quarrington", "Hadleigh", ""),
        degree="MD",
        state="GA",
        license_number="40881",
    )
    _send(claim, "license", "HADLEIGH QUARRINGTON", "40881")
    _put_back(claim, 11)


def _locked() -> None:
    """One account that named four people in a row."""
    user = _applicant("four_people")
    for number in LOCKED_NAMES:
        claim = _start(Case("", number, 0, documents=()), user)
    _put_back(claim, 17)


# Drawn documents, which nobody could take for real ones


def license_card(name: str, state: str, number: str) -> Image.Image:
    """A license card of an invented board."""
    lines = [
        (60, "Specimen license card", 44),
        (130, f"{state} (invented board)", 32),
        (260, name, 54),
        (360, f"License {number}", 40),
        (430, "Physician and surgeon", 32),
        (500, "Valid to 12/31/2027", 32),
        (600, "SYNTHETIC DEMO DATA, NOT A REAL PERSON", 28),
    ]
    return _drawn((1100, 700), lines)


def _letter(name: str, state: str, number: str) -> list[Image.Image]:
    """A letter of two pages from an invented hospital."""
    first = [
        "Invented General Hospital",
        "Office of the Medical Staff",
        "",
        "To whom it may concern:",
        "",
        name,
        "has been on our active medical",
        "staff since 2019.",
        f"License: {state} {number}.",
    ]
    return [
        _page(first),
        _page(["Page 2 of 2", "", "Signed for the medical staff office,", "A. N. Invented, coordinator"]),
    ]


def _page(lines: Sequence[str]) -> Image.Image:
    placed = [(90 + 70 * place, line, 38) for place, line in enumerate(lines) if line]
    return _drawn((900, 1150), [*placed, (1060, "SYNTHETIC DEMO DATA", 28)])


def _drawn(size: tuple[int, int], lines) -> Image.Image:
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((20, 20, size[0] - 20, size[1] - 20), outline=FRAME, width=6)
    for top, text, height in lines:
        draw.text((70, top), text, fill=INK, font=ImageFont.load_default(size=height))
    return sheet


def _jpeg(sheet: Image.Image) -> bytes:
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=85)
    return out.getvalue()


def _pdf(sheets: list[Image.Image]) -> bytes:
    out = io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])
    return out.getvalue()
