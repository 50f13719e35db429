"""What is said in a room of the demonstration: answers, what stands around them, and what moderators make of it."""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from accounts.models import User
from focusgroups.demo.clock import at, stamp
from focusgroups.models import Answer, Completion, Message, Participant, Prompt, Room, Section
from focusgroups.services import answering, coding, messaging, publishing, quoting, seating

FIRST = timedelta(hours=2)  # after a section opened
APART = timedelta(minutes=52)  # from one participant to the next
LATELY = timedelta(minutes=35)  # before now nothing was said


class Talk:
    """The seats come in the order in which answers are written."""

    def __init__(self, room: Room, entry: dict, seats: list[Participant], now: datetime):
        self.room, self.entry, self.seats, self.now = room, entry, seats, now
        self.moderator: User = room.moderators.get(is_owner=True).user

    def write(self) -> None:
        sections = list(self.room.sections.order_by("place"))
        for section, written in zip(sections, self.entry["section"], strict=True):
            if section.opens_at < self.now:
                self._answer(section, written)
                self._close(section)
        with at(self.now):
            publishing.close_if_due(room_id=self.room.pk)

    def _answer(self, section: Section, written: dict) -> None:
        prompts = list(section.prompts.order_by("place").prefetch_related("options"))
        for place, seat in enumerate(self.seats):
            moment = min(section.opens_at + FIRST + place * APART, self.now - LATELY)
            for prompt, said in zip(prompts, written.get("prompt", []), strict=True):
                if given := _given(prompt, said, place):
                    moment += timedelta(minutes=3)
                    with at(moment):
                        answering.answer(participant=seat, prompt=prompt, **given)
            Completion.objects.filter(section=section, participant=seat).update(completed_at=moment)
            with at(moment):
                seating.seen(participant=seat)

    def _close(self, section: Section) -> None:
        if section.due_at < self.now:
            with at(section.due_at + timedelta(minutes=4)):
                publishing.close_if_due(room_id=self.room.pk)

    def analyze(self, written: dict) -> None:
        """What was said around the answers, codes and quotes."""
        for number, said in enumerate(written["said"]):
            self._say(number, said)
        for code, places in written["codes"].items():
            for place in places:
                coding.tag(said=self._answer_at(*place), by=self.moderator, code=code)
        for quote in written["quote"]:
            answer = self._answer_at(quote["section"], quote["prompt"], quote["by"])
            made = quoting.propose(
                said=answer, by=self.moderator, text=quote["text"], paraphrase=quote["paraphrase"]
            )
            if quote.get("is_approved"):
                quoting.approve(quote=made, participant=answer.participant)

    def _prompt_at(self, section: int, prompt: int) -> Prompt:
        return Prompt.objects.select_related("section").get(
            section__room=self.room, section__place=section, place=prompt
        )

    def _answer_at(self, section: int, prompt: int, seat: int) -> Answer:
        return Answer.objects.get(prompt=self._prompt_at(section, prompt), participant=self.seats[seat])

    def _say(self, number: int, said: dict) -> None:
        section = self.room.sections.get(place=said["section"]) if "section" in said else None
        moment = (
            (section.due_at if section else self.now) - timedelta(hours=3) + number * timedelta(minutes=9)
        )
        key = _key(self.room, number)
        if said["kind"] == Message.Kind.REPLY:
            answer = self._answer_at(said["section"], said["prompt"], said["under"])
            with at(moment):
                made = messaging.reply(
                    participant=self.seats[said["by"]], answer=answer, source=said["text"], key=key
                )
        elif said["kind"] == Message.Kind.NOTE:
            with at(moment):
                made = messaging.note(participant=self.seats[said["by"]], source=said["text"], key=key)
        else:
            made = self._probe(said, key, moment)
        stamp(made, "posted_at", moment)

    def _probe(self, said: dict, key: UUID, moment: datetime) -> Message:
        """A question of the moderator to one or to all, and what is said to it an hour later."""
        to = self.seats[said["to"]] if "to" in said else None
        prompt = self._prompt_at(said["section"], said["prompt"])
        with at(moment):
            made = messaging.probe(
                by=self.moderator, room=self.room, prompt=prompt, to=to, source=said["text"], key=key
            )
        for place, (seat, text) in enumerate(said.get("answers", [])):
            later = moment + timedelta(hours=1, minutes=20 * place)
            with at(later):
                reply = messaging.reply(
                    participant=self.seats[seat],
                    parent=made,
                    source=text,
                    key=_key(self.room, f"{key}:{place}"),
                )
            stamp(reply, "posted_at", later)
        return made


def _given(prompt: Prompt, said: dict, place: int) -> dict | None:
    """What somebody answers, as arguments of the service; nothing where they have not."""
    options = [option.pk for option in prompt.options.all()]
    given: dict = {"source": said["answers"][place]} if "answers" in said else {}
    if "chosen" in said:
        given["chosen"] = [options[said["chosen"][place]]]
    for name in ("several", "orders"):
        if name in said:
            given["chosen"] = [options[number] for number in said[name][place]]
    if "scale" in said:
        given["points"] = said["scale"][place]
    return given if any(given.values()) else None


def _key(room: Room, of: object) -> UUID:
    return uuid5(NAMESPACE_URL, f"sermo:demo:group:{room.title}:{of}")
