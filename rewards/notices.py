"""How notices of money read: what happened, never how much. A digest carries these words into a mailbox."""

from django.urls import reverse

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from questions.models import Question
from rewards.models import Payout
from rewards.services import telling

OF_QUESTIONS = {
    telling.SETTLED: "You were paid in a discussion that closed",
    telling.POLL: "You were credited for a sponsored poll",
}
OF_PAYOUTS = {
    telling.PAID: "A payout was sent to you",
    telling.BACK: "A payout came back and stands on your balance again",
    telling.LATE: "A payout of yours is late. We are sorry",
}


def read_rewards(notices: list[Notice], user: User) -> dict[int, Line]:
    """Lines that lead to the discussion while it is open to the reader, else to the wallet. Two queries."""
    deeds = {notice.pk: notice.key.split(":")[1:] for notice in notices}
    questions = _questions(notices, deeds, user)
    payouts = _payouts(notices, deeds, user)
    found = {}
    for notice in notices:
        deed, *rest = deeds[notice.pk]
        if deed in OF_QUESTIONS:
            found[notice.pk] = _line_of_question(OF_QUESTIONS[deed], questions.get(notice.target))
        elif deed == telling.PAYOUT:
            if notice.target in payouts:
                found[notice.pk] = Line(OF_PAYOUTS[rest[-1]], reverse("rewards:wallet"))
        elif deed == telling.PREVIEW:
            found[notice.pk] = Line(
                f"You may now read what firms will report about you for {notice.target}",
                reverse("rewards:open_payments"),
            )
        elif deed == telling.UNDONE:
            words = "Something credited to you was taken back as an error"
            found[notice.pk] = Line(words, reverse("rewards:wallet"))
        else:
            found[notice.pk] = Line("Something was credited to you", reverse("rewards:wallet"))
    return found


def _questions(notices, deeds, user):
    wanted = {notice.target for notice in notices if deeds[notice.pk][0] in OF_QUESTIONS}
    if not wanted:
        return {}
    visible = Question.objects.visible_to(user).listed().filter(pk__in=wanted)
    return visible.in_bulk()


def _payouts(notices, deeds, user):
    wanted = {notice.target for notice in notices if deeds[notice.pk][0] == telling.PAYOUT}
    if not wanted:
        return set()
    own = Payout.objects.filter(pk__in=wanted, payee__member=user.as_member)
    return set(own.values_list("pk", flat=True))


def _line_of_question(text, question):
    if question is None:
        return Line(text, reverse("rewards:wallet"))
    return Line(text, question.get_absolute_url(), question.title)


register(Kind.REWARD, read=read_rewards)
