"""Turns the written cases into rows. Their pictures go the way of every upload: searched, masked, destroyed."""

import random
import re
import tomllib
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from consults.demo import past, pictures, solved
from consults.models import (
    Case,
    CaseDraft,
    Consent,
    Diagnosis,
    DiagnosisVote,
    Image,
    Marker,
    Reply,
    Solution,
)
from consults.services import consents, diagnoses, files, masking, replies, settling, submitting
from consults.words import TICKS
from consults.written import Written, read
from questions.demo import seeding
from questions.models import Commitment, Credit, Post, Question, Vote
from questions.services.counting import recount_questions
from sermo import images, redaction
from sermo.crypto import keyed_hash
from sermo.text import render_markdown

WRITTEN = Path(__file__).parent / "cases.toml"
SEED = 20261123
STATEMENT = "No face, no text and no mark that would tell who it is are in the pictures."
SIDES = 150  # thousandths: what a film says about itself stands above this line
HEAD = 100  # and of a page of results, above this one
SHOWS = {
    "rash": "skin",
    "chest_film": "xray",
    "ekg": "ekg",
    "chest_ct": "ct",
    "dermoscopy": "skin",
    "fundus": "eye",
    "lab_page": "other",
    "wheals": "skin",
    "wheals_later": "skin",
}
# Found boxes that stay, of the pictures on which some bear what the case is about.
STAYS = {
    None: lambda box: True,
    "text": lambda box: False,
    "side": lambda box: box.top < SIDES and box.left < 500,
    "values": lambda box: box.top < HEAD,
}
FORM = (
    *("title", "ask", "age_band", "sex", "history", "findings", "tried"),
    *("solution", "final_diagnosis", "confirmed", "urgency"),
)


def seed(stdout) -> None:
    """Write the cases once; a second run changes nothing."""
    if Case.objects.exists() or CaseDraft.objects.exists():
        stdout.write("cases: here already")
        return
    now = timezone.now()
    entries = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))["case"]
    entries.sort(key=lambda entry: -entry["age_days"])
    with ThreadPoolExecutor(2) as pool:
        prepared = list(pool.map(_prepare, entries))
    cast = seeding.Cast(random.Random(SEED))  # noqa: S311 - the same every time is the purpose
    waiting = [pair for pair in zip(entries, prepared, strict=True) if pair[0].get("state") == "waiting"]
    shown = [pair for pair in zip(entries, prepared, strict=True) if pair not in waiting]
    with transaction.atomic():
        cases = [Scribe(cast, entry, [], now).publish() for entry in past.entries(cast.rng)]
        cases += [Scribe(cast, entry, drawn, now).publish() for entry, drawn in shown]
        recount_questions([case.pk for case in cases])
        seeding.close_the_silent(now)
        solved.seed(stdout)
    for entry, drawn in waiting:
        _send(cast, entry, drawn)
    stdout.write(
        f"cases: {len(cases)} with {Image.objects.count()} pictures, {len(waiting)} waiting for a moderator"
    )


def _prepare(entry: dict) -> list[tuple[images.Intake, list[redaction.Box]]]:
    """Each picture of an entry as its upload would leave it. Touches no row."""
    taken = [images.take_in(getattr(pictures, one["draw"])()) for one in entry["pictures"]]
    return [(intake, redaction.propose(intake.renditions[0].jpeg)) for intake in taken]


def _written(cast, entry: dict) -> tuple[dict, Written]:
    """The values of the form, and the case they make."""
    specialties = [cast.specialties[name].pk for name in entry["specialties"]]
    typed = {name: entry.get(name, "") for name in FORM}
    typed |= {
        "intent": entry.get("intent", "help"),
        "specialties": specialties,
        "audience": "physicians",
        "care_under_way": "on" if entry["urgency"] == "now" else "",
        "tags": ", ".join(entry.get("tags", [])),
    }
    return typed, read(typed)


def _image(entry: dict, intake: images.Intake, found: list[redaction.Box], **where) -> Image:
    """A staged picture with its files, and with the boxes its author would leave."""
    stays = STAYS[entry.get("keep")]
    image = Image(
        shows=SHOWS[entry["draw"]],
        upload=uuid.uuid4(),
        sort=intake.sort,
        width=intake.width,
        height=intake.height,
        windows=[[rendition.window, rendition.label] for rendition in intake.renditions],
        seal=files.new_seal(),
        description=entry["description"],
        proposals=masking.as_dicts(found),
        boxes=masking.as_dicts(box for box in found if stays(box)),
        received_hash="0" * 64,
        **where,
    )
    files.stage(image, [(rendition.window, rendition.jpeg) for rendition in intake.renditions])
    image.save(force_insert=True)
    return image


class Scribe(seeding.Scribe):
    """Writes one case with its discussion."""

    def __init__(self, cast, entry: dict, drawn: list, now):
        self.typed, self.said = _written(cast, entry)
        super().__init__(cast, {**entry, "kind": Question.Kind.CASE, "body": self.said.source}, now)
        self.drawn = drawn
        self.replies: list[tuple[Post, dict]] = []

    def publish(self) -> Case:
        self.write()
        consent = Consent.objects.create(
            member=self.asker,
            kind=Consent.Kind.DEIDENTIFIED,
            statement=STATEMENT,
            for_teaching=self.said.intent == Case.Intent.TEACHING,
            made_at=self.opened_at,
            attested_at=self.opened_at,
        )
        is_watched = self.entry.get("for_observers", False)
        if is_watched:
            have_signed(consent, for_observers=True)
        Question.objects.filter(pk=self.question.pk).update(peers_only=not is_watched, answer_first=True)
        case = Case.objects.create(
            question=self.question,
            intent=self.said.intent,
            ask=self.said.ask,
            age_band=self.said.age_band,
            sex=self.said.sex,
            care_under_way=self.said.care_under_way,
            solution=self.said.solution,
            solution_html=render_markdown(self.said.solution) if self.said.solution else "",
            consent=consent,
        )
        shown = [self._show(case, place) for place in range(1, len(self.drawn) + 1)]
        for number, mark in enumerate(self.entry.get("mark", []), start=1):
            self._mark(case, shown, number, mark)
        self._put_on_board(case)
        return case

    def _answer(self, answer: dict) -> Post:
        parts = (answer.get(name, "") for name in ("diagnosis", "code", "confidence", "next_step"))
        post = super()._answer({**answer, "body": replies.compose(*parts, answer["body"])})
        post.saw_others = answer.get("after", False)
        post.save(update_fields=["saw_others"])
        self.replies.append((post, answer))
        return post

    def _solve(self, answers: list[Post]) -> None:
        """At the hour the file names, where it names one."""
        super()._solve(answers)
        hours = self.entry.get("solved_after_hours")
        if hours is None or not self.question.is_solved:
            return
        self.question.solved_at = self._at(hours)
        self.question.save(update_fields=["solved_at"])
        Credit.objects.filter(question=self.question).update(credited_at=self.question.solved_at)

    def _put_on_board(self, case: Case) -> None:
        """What the answers say beside their words, which names mean one, the outcome, and what the crowd thinks."""
        for post, answer in self.replies:
            self._reply(case, post, answer)
        for name, other in self.entry.get("merged", []):
            synonym = self._diagnosis(case, name)
            synonym.merged_into = self._diagnosis(case, other)
            synonym.save(update_fields=["merged_into"])
        if final := self.entry.get("final_diagnosis"):
            Solution.objects.create(
                case=case,
                diagnosis=self._diagnosis(case, final),
                confirmed=self.entry["confirmed"],
                stated_at=self.question.solved_at or self.opened_at,
            )
        for verdict in self.entry.get("verdict", []):
            self._verdicts(case, verdict)
        self._open_to_voters(case)
        settling.settle(case.pk)

    def _diagnosis(self, case: Case, name: str, code: str = "") -> Diagnosis:
        return diagnoses.named(case=case, name=name, code=code)

    def _reply(self, case: Case, post: Post, answer: dict) -> None:
        name = answer.get("diagnosis")
        found = self._diagnosis(case, name, answer.get("code", "")) if name else None
        Reply.objects.create(
            post=post,
            case=case,
            member=post.author,
            diagnosis=found,
            confidence=answer.get("confidence"),
            is_forecast=found is not None and not post.saw_others,
        )
        how = Commitment.How.READING if post.saw_others else Commitment.How.ANSWERED
        Commitment.objects.create(
            question=self.question, member=post.author, how=how, committed_at=post.posted_at
        )

    def _verdicts(self, case: Case, verdict: dict) -> None:
        """Votes by colleagues who named no diagnosis."""
        yes, no = verdict.get("corroborate", 0), verdict.get("dispute", 0)
        diagnosis, reasons = self._diagnosis(case, verdict["diagnosis"]), list(verdict.get("disputes", []))
        voters = self.cast.crowd(yes + no, near=self.near, besides=self.speakers)
        rows = []
        for place, voter in enumerate(voters):
            vote = DiagnosisVote(
                diagnosis=diagnosis, voter=voter, value=1, cast_at=self._later(self.replies[-1][0].posted_at)
            )
            if place < no:
                said = reasons[place] if place < len(reasons) else self._another(reasons)
                vote.value, vote.reason, vote.explanation = -1, said["reason"], said["text"]
            rows.append(vote)
        DiagnosisVote.objects.bulk_create(rows)

    def _open_to_voters(self, case: Case) -> None:
        """Whoever judged what colleagues said had asked to read it."""
        votes = Vote.objects.filter(post__question=self.question).exclude(voter=self.asker)
        judged = {*votes.values_list("voter", flat=True)}
        judged |= {*DiagnosisVote.objects.filter(diagnosis__case=case).values_list("voter", flat=True)}
        Commitment.objects.bulk_create(
            (
                Commitment(
                    question=self.question,
                    member_id=pk,
                    how=Commitment.How.READING,
                    committed_at=self.opened_at,
                )
                for pk in sorted(judged)
            ),
            ignore_conflicts=True,
        )

    def _show(self, case: Case, place: int) -> Image:
        draft = CaseDraft.objects.create(member=self.asker)
        intake, found = self.drawn[place - 1]
        image = masking.mask(
            _image(self.entry["pictures"][place - 1], intake, found, draft=draft, place=place)
        )
        image.draft, image.case, image.consent = None, case, case.consent
        image.staged_at = image.masked_at = image.destroyed_at = self.opened_at
        image.save()
        draft.delete()
        return image

    def _mark(self, case: Case, shown: list[Image], number: int, mark: dict) -> None:
        """A mark by whoever answered from a specialty."""
        answers = self.question.posts.answers().filter(author__specialty__name=mark["by"])
        post = answers.select_related("author", "byline").order_by("pk").first()
        named = re.search(rf"\(mark {number}\)", post.source)
        Marker.objects.create(
            case=case,
            image=shown[mark["picture"] - 1],
            number=number,
            left=mark["left"],
            top=mark["top"],
            label=mark["label"],
            member=post.author,
            byline=post.byline,
            post=post if named else None,
            made_at=post.posted_at - timedelta(minutes=1),
        )


def have_signed(consent: Consent, **scopes: bool) -> None:
    """Let the patient have signed the form of today when the case was posted, with a tick at each of the scopes."""
    code = consents.new_code()
    consent.kind, consent.statement = Consent.Kind.SIGNED, ""
    consent.signer, consent.medium = Consent.Signer.PATIENT, Consent.Medium.SCREEN
    consent.form_version, consent.signed_on = consents.FORM_VERSION, timezone.localdate(consent.attested_at)
    consent.code, consent.code_hash = code, keyed_hash(code, consents.PURPOSE)
    for name, is_ticked in scopes.items():
        setattr(consent, name, is_ticked)
    consent.save()


def _send(cast, entry: dict, drawn: list) -> None:
    """A case of a member's first, which goes to the moderators."""
    author = cast.next_of(entry["asker"], mode="anonymous", besides=set())
    typed, _ = _written(cast, entry)
    draft = CaseDraft.objects.create(member=author, fields={**typed, "byline": author.byline_mode})
    for place, (intake, found) in enumerate(drawn, start=1):
        _image(entry["pictures"][place - 1], intake, found, draft=draft, place=place)
    consent = consents.attest(member=author, kind=Consent.Kind.DEIDENTIFIED, statement=STATEMENT)
    submitting.submit(draft=draft, member=author, consent=consent, ticks=TICKS)
