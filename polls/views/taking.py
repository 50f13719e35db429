"""Taking a poll: a vote, or a look at the result in its place. No transaction spans more than the service's own."""

import re

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts.doors import physician_required
from polls import cookies
from polls.models import Poll
from polls.reading import UNTAKEN, Loaded, load_poll
from polls.services import concerns, voting
from polls.tokens import new_token
from polls.views import cards
from polls.views.pages import render_poll
from sermo.errors import RuleBroken
from sermo.returning import posted_from

TOKEN = re.compile(r"[\w-]{43}", re.ASCII)


def _page(question_id):
    return reverse("polls:poll", args=[question_id])


@sensitive_post_parameters()
@sensitive_variables()
@physician_required
@posted_from(_page)
def vote(request, question_id):
    member = _member(request)
    loaded = load_poll(request.user, question_id)
    cards.note_seen(loaded)
    kept = cookies.read(request, question_id, member)
    changes = loaded.poll.may_change and loaded.has_voted and kept is not None
    token = kept.token if changes else _token(request)
    chosen = []
    try:
        chosen = choices_of(loaded, request.POST)
        cast = _cast(request, loaded, chosen, token)
    except voting.SentTwice:  # a second tap: the answer to the first is lost to the browser
        cast = voting.Cast(changed=False)
    except voting.VotedBefore as refusal:
        is_the_same = kept is not None and kept.token == token and kept.choices == tuple(chosen)
        return _answer(request, question_id, said="" if is_the_same else str(refusal))
    except RuleBroken as refusal:
        keeps_choice = not isinstance(refusal, voting.Reworded)  # the same place has other words now
        return _refuse(request, question_id, str(refusal), keeps_choice=keeps_choice)
    now_kept = cookies.Kept(token, tuple(chosen))
    said = "Your vote is changed." if cast.changed else "Your vote is counted."
    response = _answer(request, question_id, said=said if request.htmx else "", own=now_kept)
    cookies.put(response, loaded.poll, member, now_kept)
    return response


@sensitive_variables()
def _cast(request, loaded: Loaded, chosen: list[int], token: str) -> voting.Cast:
    """Vote, and have a new vote looked at."""
    voting.check_choices(loaded.poll, len(loaded.tally.counts), chosen)
    seconds = cards.seconds_since(request.POST.get("started", ""), loaded.poll.pk)
    ballot = {"poll": loaded.poll, "member": loaded.member}
    wording = request.POST.get("wording", "")
    cast = voting.cast(**ballot, choices=chosen, token=token, seconds=seconds, wording=wording)
    if not cast.changed:
        is_strange = cookies.has_any(request, loaded.poll.pk) and not cookies.read(
            request, loaded.poll.pk, loaded.member
        )
        concerns.look_at(
            **ballot,
            seconds=seconds,
            address=get_adapter().get_client_ip(request) or "",
            other_ballot=is_strange,
        )
    return cast


@physician_required
@posted_from(_page)
def look(request, question_id):
    """Show the result without voting, which gives the vote up; whoever has none to give up just sees it."""
    member = _member(request)
    loaded = load_poll(request.user, question_id)
    if loaded.state not in UNTAKEN:
        return _answer(request, question_id)
    try:
        if not loaded.has_results:
            raise voting.NothingToSee
        voting.forfeit(poll=loaded.poll, member=member)
    except RuleBroken as refusal:
        return _answer(request, question_id, said=str(refusal))
    return _answer(request, question_id)


def _member(request):
    if request.user.as_member is None:
        raise PermissionDenied("Voting is for members. Your account has no membership.")
    return request.user.as_member


def _token(request) -> str:
    """The token of the form; what none of our forms has makes a vote that only cannot be found again."""
    typed = request.POST.get("token", "")
    return typed if TOKEN.fullmatch(typed) else new_token()


def choices_of(loaded: Loaded, typed) -> list[int]:
    """The places of the options chosen in a form, of a ranking in its order. Raises NotAVote."""
    places = [option.place for option in loaded.options]
    if loaded.poll.kind == Poll.Kind.RANKED:
        return _ranking(places, typed)
    known = {str(place): place for place in places}
    found = list(dict.fromkeys(known[value] for value in typed.getlist("choice") if value in known))
    if not found:
        several = loaded.poll.kind == Poll.Kind.MULTIPLE
        raise voting.NotAVote("Choose at least one of the options." if several else None)
    return found


def _ranking(places: list[int], typed) -> list[int]:
    """Options by the place given to each; places left free between two do not matter, one given twice does."""
    numbers = {str(number): number for number in range(1, len(places) + 1)}
    ranks = {place: numbers.get(typed.get(f"rank-{place}", "")) for place in places}
    given = [number for number in ranks.values() if number]
    if not given:
        raise voting.NotAVote("Rank at least one of the options.")
    if len(set(given)) < len(given):
        raise voting.NotAVote("Give each place, such as 1st, to one option only.")
    return sorted((place for place in places if ranks[place]), key=lambda place: ranks[place])


# Answers


def _answer(request, question_id, *, said="", own=None):
    """The card as it stands now, or the way to its page."""
    if not request.htmx:
        if said:
            messages.info(request, said)
        return redirect("polls:poll", question_id)
    loaded = load_poll(request.user, question_id)
    card = cards.card_of(request, loaded, own=own, said=said, is_fresh=True, in_list=_is_in_list(request))
    return render(request, "polls/_card.html", {"card": card})


def _refuse(request, question_id, words, *, keeps_choice=True):
    """The card with what was chosen still chosen."""
    loaded = load_poll(request.user, question_id)
    marks = _marks(loaded, request.POST) if keeps_choice else {}
    in_list = bool(request.htmx) and _is_in_list(request)
    card = cards.card_of(request, loaded, refused=words, marks=marks, in_list=in_list)
    if request.htmx:
        return render(request, "polls/_card.html", {"card": card}, status=422)
    return render_poll(request, card, status=422)


def _is_in_list(request) -> bool:
    """Whether the form stood in a list, where its card shows less."""
    return request.POST.get("row") == "1"


def _marks(loaded: Loaded, typed) -> dict[int, int]:
    """What was chosen in a form, for the same form again: options, with the place given to each in a ranking."""
    marks = {}
    for option in loaded.options:
        rank = typed.get(f"rank-{option.place}", "")
        if str(option.place) in typed.getlist("choice"):
            marks[option.place] = 1
        elif rank.isascii() and rank.isdecimal():
            marks[option.place] = int(rank[:3])
    return marks
