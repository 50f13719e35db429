"""Thousands of cases with every edge the figures know, the same for the same seed; and the figures computed slowly.

The reference shares no code with `consults.figures`: it walks over the rows one by one.
"""

import random
from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group

from accounts.models import Member, User
from accounts.roles import MODERATORS
from accounts.tests.factories import make_specialty
from consults.models import Case, Consent, Paging
from questions.models import Byline, Credit, Invitation, Post, Question, QuestionSpecialty

SEED = 7
SPECIALTIES = ("Dermatology", "Neurology", "Pulmonary Disease", "Radiology", "Hematology")
KINDS = ("physician",) * 12 + ("read_only", "suspended", "applicant", "staff", "moderator", "left")
EDGES = ("own", "removed", "removed by moderator", "folded", "edited", "comment")


def generate(number: int, *, now, seed: int = SEED) -> None:
    """So many cases of about the last hundred days before `now`."""
    rng = random.Random(seed)
    specialties = [make_specialty(name) for name in SPECIALTIES]
    people = _people(rng, specialties)
    questions = [_question(rng, people, now) for _ in range(number)]
    Question.objects.bulk_create(questions, batch_size=2000)
    consent = Consent.objects.create(
        member=people[0], kind="deidentified", statement="Nothing identifies.", attested_at=now
    )
    Case.objects.bulk_create([_case(rng, one, consent, now) for one in questions], batch_size=2000)
    QuestionSpecialty.objects.bulk_create(
        (
            QuestionSpecialty(question=one, specialty=specialty, place=place)
            for one in questions
            for place, specialty in enumerate(rng.sample(specialties, rng.choice((1, 1, 2, 3))), start=1)
        ),
        batch_size=5000,
    )
    _write_posts(rng, questions, people, now)
    Invitation.objects.bulk_create(_invitations(rng, questions, people), batch_size=2000)
    Paging.objects.bulk_create(
        (_paging(rng, one, specialties, now) for one in questions if rng.random() < 0.3), batch_size=2000
    )


def _people(rng, specialties) -> list[Member]:
    group = Group.objects.get_or_create(name=MODERATORS)[0]
    made = []
    for place in range(60):
        kind = KINDS[place % len(KINDS)]
        user = User(email=f"generated{place}@example.org", is_staff=kind == "staff")
        standing = "applicant" if kind == "left" else "physician"  # as leaving leaves it
        standing = kind if kind in Member.Standing.values else standing
        made.append((kind, user, Member(handle=f"generated_{place}", standing=standing)))
    User.objects.bulk_create(user for _, user, _ in made)
    for kind, user, member in made:
        member.user = None if kind == "left" else user
        member.specialty = rng.choice(specialties)
    Member.objects.bulk_create(member for *_, member in made)
    group.user_set.add(*(user for kind, user, _ in made if kind == "moderator"))
    return [member for *_, member in made]


def _question(rng, people, now) -> Question:
    opened_at = now - timedelta(seconds=rng.choice((rng.uniform(0, 8e6), rng.uniform(0, 9e5))))
    status = rng.choices(("open", "closed", "removed"), (80, 14, 6))[0]
    closed = {"closed_at": now, "close_reason": "author"} if status == "closed" else {}
    solved_at = opened_at + (now - opened_at) * rng.random() ** 3 if rng.random() < 0.5 else None
    return Question(
        kind="case",
        title="A generated case",
        asker=rng.choice(people[:12]),
        status=status,
        audience=rng.choices(("physicians", "specialty", "connections", "invited"), (85, 5, 5, 5))[0],
        opened_at=opened_at,
        activity_at=opened_at,
        first_answer_at=opened_at,  # a hint that is wrong, and that no figure may use
        solved_at=solved_at,  # also where somebody reopened it, then and since
        outcome="Elsewhere." if solved_at and rng.random() < 0.3 else "",
        **closed,
    )


def _case(rng, question, consent, now) -> Case:
    fields = {"question": question, "consent": consent, "age_band": "40-49", "sex": "female"}
    if rng.random() < 0.06:
        fields |= {"withdrawn_at": now, "withdrawn": "author"}
    if rng.random() < 0.1:
        fields |= {"intent": "teaching", "solution": "It was.", "solution_html": "<p>It was.</p>"}
    return Case(**fields)


def _write_posts(rng, questions, people, now) -> None:
    bylines, posts, comments = {}, [], []
    for question in questions:
        for _ in range(rng.choice((0, 0, 1, 1, 2, 3, 5))):
            edge = rng.choice((*EDGES, *[""] * 10))
            author = question.asker if edge == "own" else rng.choice(people)
            key = question.pk, author.pk
            byline = bylines.setdefault(key, Byline(question=question, member=author, mode="anonymous"))
            post = _post(rng, question, author, byline, edge, now)
            (comments if edge == "comment" else posts).append(post)
    Byline.objects.bulk_create(bylines.values(), batch_size=5000)
    Post.objects.bulk_create(posts, batch_size=5000)
    parents = {post.question_id: post for post in posts}
    kept = [post for post in comments if post.question_id in parents]
    for post in kept:
        post.kind, post.parent = "comment", parents[post.question_id]
    Post.objects.bulk_create(kept, batch_size=5000)
    Credit.objects.bulk_create(
        (
            Credit(question=question, post=post, place=1)
            for post in parents.values()
            if (question := post.question).solved_at and rng.random() < 0.6
        ),
        batch_size=5000,
    )


def _post(rng, question, author, byline, edge, now) -> Post:
    waited = min(rng.lognormvariate(8, 2.5), (now - question.opened_at).total_seconds())
    fields = {}
    if edge.startswith("removed"):
        fields = {"removed_at": now, "removed_by": "moderator" if edge.endswith("moderator") else "author"}
    elif edge == "folded":
        fields = {"folded_at": now, "fold_reason": "other"}
    elif edge == "edited":
        fields = {"edited_at": now}
    return Post(
        question=question,
        kind="answer",
        author=author,
        byline=byline,
        source="An answer.",
        html="<p>An answer.</p>",
        posted_at=question.opened_at + timedelta(seconds=waited),
        saw_others=rng.random() < 0.3,
        **fields,
    )


def _invitations(rng, questions, people):
    """Of private consults, and of some that were opened to all later."""
    for question in questions:
        if question.audience == "invited" or rng.random() < 0.05:
            sent_at = question.opened_at
            yield Invitation(
                question=question,
                member=rng.choice(people[12:]),
                sent_at=sent_at,
                due_at=sent_at + timedelta(hours=4),
                state="expired",
            )


def _paging(rng, question, specialties, now) -> Paging:
    started_at = question.opened_at + (now - question.opened_at) * rng.random()
    heard = started_at + (now - started_at) * rng.random() ** 4 if rng.random() < 0.7 else None
    state = "answered" if heard else rng.choice(("stopped", "unheard"))
    return Paging(
        case_id=question.pk,
        specialty=rng.choice(specialties),
        urgency="now",
        state=state,
        started_at=started_at,
        first_heard_at=heard,
    )


# The same figures, slowly


def reference(now, zone: str) -> dict:
    """For each period what `consults.figures` tells, as plain numbers, from one row at a time."""
    facts = [fact for case in _cases() if (fact := _fact(case, now, zone))]
    since = {"month": now - timedelta(days=30), "all": None}
    return {name: _period(facts, start, now) for name, start in since.items()}


def _cases():
    rows = Case.objects.select_related("question").prefetch_related(
        "question__posts__author__user__groups",
        "question__credits",
        "question__specialties",
        "question__invitations",
        "pagings",
    )
    return rows.order_by("pk")


def _fact(case, now, zone) -> dict | None:
    question = case.question
    if case.intent != "help" or case.withdrawn_at or question.status == "removed":
        return None
    if question.audience == "invited" or question.opened_at > now:
        return None
    if list(question.invitations.all()):
        return None
    posts = list(question.posts.all())
    first = None
    for post in sorted(posts, key=lambda post: post.posted_at):
        if post.kind == "answer" and not post.removed_at and _counts(post.author, question):
            first = post
            break
    standing = {post.pk: post for post in posts if not post.removed_at}
    credited = [standing[one.post_id] for one in question.credits.all() if one.post_id in standing]
    return {
        "opened": question.opened_at,
        "hour": question.opened_at.astimezone(ZoneInfo(zone)).hour,
        "specialties": [one.name for one in question.specialties.all()],
        "reply": (first.posted_at - question.opened_at).total_seconds() if first else None,
        "solve": (question.solved_at - question.opened_at).total_seconds() if question.solved_at else None,
        "here": bool(question.solved_at) and any(post.author_id != question.asker_id for post in credited),
        "pages": [
            {
                "opened": one.started_at,
                "heard": (one.first_heard_at - one.started_at).total_seconds()
                if one.first_heard_at
                else None,
            }
            for one in case.pagings.all()
        ],
    }


def _counts(author, question) -> bool:
    if author.pk == question.asker_id or author.standing == "suspended":
        return False
    user = author.user
    if user is None:
        return True
    if author.standing not in ("physician", "read_only"):
        return False
    return not user.is_staff and all(group.name != MODERATORS for group in user.groups.all())


def _period(facts, since, now) -> dict:
    chosen = [fact for fact in facts if since is None or fact["opened"] >= since]
    names = {name for fact in chosen for name in fact["specialties"]}
    pages = [page for fact in facts for page in fact["pages"] if since is None or page["opened"] >= since]
    return {
        "whole": _tally(chosen, now),
        "specialties": {
            name: _tally([fact for fact in chosen if name in fact["specialties"]], now) for name in names
        },
        "hours": {
            hour: _tally([fact for fact in chosen if fact["hour"] == hour], now)
            for hour in {fact["hour"] for fact in chosen}
        },
        "pages": _times(pages, "heard", now),
    }


def _tally(facts, now) -> dict:
    old = [fact for fact in facts if fact["opened"] < now - timedelta(days=7)]
    here = sum(1 for fact in old if fact["here"])
    return {
        "asked": len(facts),
        "old": len(old),
        "here": here,
        "elsewhere": sum(1 for fact in old if fact["solve"] is not None) - here,
        "reply": _times(facts, "reply", now),
        "solve": _times(facts, "solve", now),
        "steps": _steps([fact["reply"] for fact in facts if fact["reply"] is not None]),
    }


def _times(rows, name, now) -> dict:
    took = sorted(row[name] for row in rows if row[name] is not None)
    within = []
    for seconds in (600, 3600, 86400):
        known = [row for row in rows if now - row["opened"] >= timedelta(seconds=seconds)]
        within.append((sum(1 for row in known if row[name] is not None and row[name] <= seconds), len(known)))
    return {
        "n": len(took),
        "of": len(rows),
        "median": median(took) if took else None,
        "mean": sum(took) / len(took) if took else None,
        "p90": _ninetieth(took),
        "within": within,
    }


def _ninetieth(took) -> float | None:
    """Between the two nearest of the sorted, as far along as 90% falls between them."""
    if not took:
        return None
    place = 0.9 * (len(took) - 1)
    low = int(place)
    high = min(low + 1, len(took) - 1)
    return took[low] + (took[high] - took[low]) * (place - low)


def _steps(took) -> list[int]:
    bounds = (600, 1800, 3600, 14400, 43200, 86400, 259200)
    counts = [0] * (len(bounds) + 1)
    for seconds in took:
        counts[sum(1 for bound in bounds if seconds > bound)] += 1
    return counts
