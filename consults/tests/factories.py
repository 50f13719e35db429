"""Plain makers of cases for tests: rows and files as the services leave them, without their rules."""

import io
import uuid
from datetime import timedelta

from django.utils import timezone
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from accounts.tests.factories import make_member, make_specialty
from consults.models import Case, CaseDraft, Consent, Diagnosis, Image, Reply, Solution
from consults.services import files
from consults.services.diagnoses import normalize
from questions.models import Byline, Post, Question, QuestionSpecialty
from sermo import crypto
from sermo.text import clip, plain, render_markdown, searchable

TITLE = "Annular rash on the trunk after a walk in the woods"
SOURCE = "**History.** Ten days after a tick bite.\n\n**Findings.** Central clearing, no fever.\n\n**What is this?**"
FIELDS = {
    "title": TITLE,
    "intent": "help",
    "ask": "what",
    "age_band": "40-49",
    "sex": "female",
    "history": "Ten days after a tick bite.",
    "findings": "Central clearing, no fever.",
    "tried": "",
    "solution": "",
    "final_diagnosis": "Erythema migrans",
    "confirmed": "response",
    "urgency": "days",
    "care_under_way": "",
    "tags": "",
    "audience": "physicians",
    "byline": "anonymous",
}
SIDES = {"full": (320, 240), "screen": (160, 120), "thumb": (80, 60)}


def jpeg(width=320, height=240, color=(180, 140, 120), text=""):
    """A picture of one color, with a line of text in it where one is given."""
    drawn = Picture.new("RGB", (width, height), color)
    if text:
        font = ImageFont.load_default(max(14, height // 12))
        ImageDraw.Draw(drawn).text((width // 10, height // 10), text, fill="white", font=font)
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=92, subsampling=0)
    return out.getvalue()


def make_consent(member=None, kind=Consent.Kind.DEIDENTIFIED, **fields):
    """A consent that stands; a signed one with its code, which `is_attested=False` leaves prepared."""
    member = member or make_member()
    is_attested = fields.pop("is_attested", True)
    if kind == Consent.Kind.SIGNED:
        code = fields.pop("code", uuid.uuid4().hex[:20].upper())
        fields |= {"code": code, "code_hash": crypto.keyed_hash(code, "consent-code")}
        if is_attested:
            fields = {
                "signer": Consent.Signer.PATIENT,
                "medium": Consent.Medium.PAPER,
                "form_version": "2026-11",
                "signed_on": timezone.localdate(),
                **fields,
            }
    else:
        fields.setdefault("statement", "No face, no mark of the skin, no text is in the pictures.")
    fields.setdefault("attested_at", timezone.now() if is_attested else None)
    return Consent.objects.create(member=member, kind=kind, **fields)


def make_draft(member=None, images=1, **fields):
    """A draft that only lacks its consent and its ticks; `typed` changes what was typed."""
    member = member or make_member()
    specialty = member.specialty or make_specialty()
    typed = {**FIELDS, "specialties": [specialty.pk], **fields.pop("typed", {})}
    state = fields.pop("image_state", Image.State.STAGED)
    draft = CaseDraft.objects.create(member=member, fields=typed, **fields)
    for place in range(1, images + 1):
        make_image(draft=draft, place=place, state=state)
    return draft


def make_case(asker=None, images=1, *, title=TITLE, consent=None, audience="physicians", **fields):
    """A published case with masked pictures whose files are there."""
    asker = asker or make_member()
    of_question = {
        name: fields.pop(name)
        for name in (
            *("status", "urgency", "peers_only", "answer_first"),
            *("opened_at", "activity_at", "solved_at", "closed_at"),
        )
        if name in fields
    }
    html = render_markdown(SOURCE)
    question = Question.objects.create(
        kind=Question.Kind.CASE,
        title=title,
        asker=asker,
        audience=audience,
        excerpt=clip(plain(html), 180),
        **{"peers_only": True, "answer_first": True, **of_question},
    )
    specialty = asker.specialty or make_specialty()
    QuestionSpecialty.objects.create(question=question, specialty=specialty, place=1)
    byline = Byline.objects.create(question=question, member=asker, mode=Byline.Mode.ANONYMOUS)
    Post.objects.create(
        question=question,
        kind=Post.Kind.OPENING,
        author=asker,
        byline=byline,
        source=SOURCE,
        html=html,
        posted_at=question.opened_at,
        search_text=searchable(title, plain(html)),
    )
    if fields.get("intent") == Case.Intent.TEACHING:
        fields.setdefault("solution", "Erythema migrans; it cleared under doxycycline.")
        fields.setdefault("solution_html", render_markdown(fields["solution"]))
    case = Case.objects.create(
        question=question,
        consent=consent or make_consent(asker),
        **{"age_band": "40-49", "sex": "female", **fields},
    )
    if case.is_teaching:
        make_solution(case, FIELDS["final_diagnosis"], FIELDS["confirmed"])
    for place in range(1, images + 1):
        make_image(case=case, place=place)
    return case


def make_diagnosis(case, name, **fields):
    return Diagnosis.objects.get_or_create(case=case, key=normalize(name), defaults={"name": name, **fields})[
        0
    ]


def make_solution(case, name="Erythema migrans", confirmed="response"):
    return Solution.objects.create(case=case, diagnosis=make_diagnosis(case, name), confirmed=confirmed)


def make_forecast(case, member=None, confidence=80, *, name="Erythema migrans", was_right=None):
    """An answer whose author had not read the others, with its diagnosis; the counters are left alone."""
    member = member or make_member()
    byline, _ = Byline.objects.get_or_create(
        question=case.question, member=member, defaults={"mode": Byline.Mode.ANONYMOUS}
    )
    source = f"**Diagnosis.** {name}, {confidence}% sure."
    post = Post.objects.create(
        question=case.question,
        kind=Post.Kind.ANSWER,
        author=member,
        byline=byline,
        source=source,
        html=render_markdown(source),
    )
    return Reply.objects.create(
        post=post,
        case=case,
        member=member,
        diagnosis=make_diagnosis(case, name),
        confidence=confidence,
        is_forecast=True,
        was_right=was_right,
    )


def make_image(*, case=None, draft=None, place=1, state=None, picture=None, **fields):
    """A picture with its files: of a case always masked."""
    state = state or (Image.State.MASKED if case else Image.State.STAGED)
    now = timezone.now()
    fields.setdefault("windows", [["", ""]])
    if state == Image.State.MASKED:
        fields = {"masked_at": now, "destroyed_at": now, "masked_hashes": ["0" * 64], **fields}
    if case:
        fields.setdefault("consent", case.consent)
    image = Image(
        case=case,
        draft=draft,
        place=place,
        upload=uuid.uuid4(),
        sort="photo",
        state=state,
        seal=files.new_seal(),
        received_hash="0" * 64,
        **{
            "width": 320,
            "height": 240,
            "description": "An annular rash with a pale middle, about 8 cm wide.",
            "staged_at": now - timedelta(minutes=5),
            **fields,
        },
    )
    image.save(force_insert=True)
    windows = [window for window, _ in image.windows]
    if state == Image.State.MASKED:
        sizes = {size: picture or jpeg(*sides) for size, sides in SIDES.items()}
        files.keep(image, [(window, sizes) for window in windows])
    elif state == Image.State.STAGED:
        files.stage(image, [(window, picture or jpeg()) for window in windows])
    return image
