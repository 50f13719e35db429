"""What leaving does with discussions, and that afterwards nothing in the database finds the person."""

import io
import json
import zipfile

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.urls import reverse

from accounts.leaving import exporting
from accounts.models import Connection, Export, Handle, Member, Notice, NoticeThread, Picture, User
from accounts.services import leaving, members, profiles
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from questions.models import (
    BoardPlace,
    Byline,
    Draft,
    MemberRank,
    PairFlag,
    Post,
    Question,
    Subscription,
    TopicFollow,
    Vote,
)
from questions.services import voting
from questions.signature import signature
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question
from sermo import crypto
from verification import reference
from verification.models import Claim, Document, Proof
from verification.models.claims import State
from verification.tests.factories import make_claim, make_provider
from verification.tests.test_no_clear_identity import columns_with

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    private = {**settings.STORAGES["private"], "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return tmp_path


@pytest.fixture
def leaver(db):
    return make_member("quiet_harbor", user=make_user("torre@example.org"), state="MN", years_band="11-20")


def go_public(member, name="Annelise Torrevega, MD"):
    profiles.choose_byline(member=member, mode="public", display_name=name)
    member.refresh_from_db()


def archive_of(member) -> zipfile.ZipFile:
    export = Export.objects.create(user=member.user, parts=exporting.number_of_parts())
    leaving.make_export(export_id=export.pk)
    export.refresh_from_db()
    return zipfile.ZipFile(io.BytesIO(b"".join(leaving.read_export(export))))


def rows(archive, name):
    return json.loads(archive.read(f"questions/{name}.json"))


# Leaving


def test_posts_stay_readable_as_those_of_a_former_member(leaver, colleague):
    question = make_question(leaver, title="Which anticoagulant after this?")
    answer = make_answer(make_question(colleague), leaver, source="Apixaban, at the lower dose.")
    make_comment(answer, colleague, source="Thank you, that helps.")
    leaving.leave(leaver.user)
    browser = client_of(colleague)
    pages = [browser.get(post.question.get_absolute_url()) for post in (question.posts.get(), answer)]

    for page in pages:
        assert page.status_code == 200
        assert "former member" in page.content.decode()
        assert "quiet_harbor" not in page.content.decode()
        assert "former-" not in page.content.decode()
    assert "Apixaban, at the lower dose." in pages[1].content.decode()


@pytest.mark.parametrize(
    "mode", [mode for mode in Byline.Mode if mode not in (Byline.Mode.HOUSE, Byline.Mode.FIRM)]
)
def test_every_byline_of_a_former_member_reads_alike(leaver, mode):
    leaving.leave(leaver.user)
    signed = signature(mode, Member.objects.select_related("specialty").get(pk=leaver.pk))

    assert (signed.name, signed.url, signed.specialty, signed.tier, signed.details) == (
        "former member",
        "",
        "",
        "",
        (),
    )
    assert not signed.is_verified


def test_bylines_are_masked_in_the_rows_too(leaver, colleague):
    make_answer(make_question(colleague), leaver, byline="partial", byline_confirmed=True)
    go_public(leaver)
    make_answer(make_question(colleague, "And with a valve?"), leaver)
    leaving.leave(leaver.user)

    assert list(Byline.objects.filter(member=leaver).order_by("pk").values_list("mode", flat=True)) == [
        "anonymous",
        "masked",
    ]


def test_lists_and_search_show_no_handle(leaver, colleague):
    make_question(leaver, title="Holding warfarin before the procedure")
    handle = leaver.handle
    leaving.leave(leaver.user)
    new = Member.objects.get(pk=leaver.pk).handle
    browser = client_of(colleague)

    for address in ("/", reverse("questions:list"), reverse("search") + "?q=warfarin"):
        page = browser.get(address).content.decode()
        assert handle not in page
        assert new not in page


def test_neither_face_has_a_page_any_more(leaver, colleague):
    go_public(leaver)
    browser = client_of(colleague)
    faces = [leaver.get_absolute_url(), leaver.physician_url]
    assert [browser.get(address).status_code for address in faces] == [200, 200]

    leaving.leave(leaver.user)
    left = Member.objects.get(pk=leaver.pk)
    faces += [left.get_absolute_url(), left.physician_url]
    assert [browser.get(address).status_code for address in faces] == [404] * 4


def test_votes_and_counters_stay_and_recount_agrees(leaver, colleague, third):
    question = make_question(colleague)
    answer = make_answer(question, third)
    own = make_answer(question, leaver)
    corroborate(answer, leaver)
    dispute(own, third)
    voting.rate_importance(question=question, rater=leaver, value=5)

    def figures():
        posts = list(Post.objects.order_by("pk").values_list("corroborate_count", "dispute_count"))
        totals = list(Question.objects.values_list("vote_count", "importance_sum", "answer_count", "hot"))
        ranks = MemberRank.objects.exclude(member=leaver).order_by("pk").values_list("points", "events")
        return posts, totals, list(ranks)

    call_command("recount", verbosity=0)
    before = figures()
    leaving.leave(leaver.user)
    assert figures() == before

    call_command("recount", verbosity=0)
    assert figures() == before
    assert Vote.objects.filter(voter=leaver).count() == 1


def test_a_vote_on_a_former_members_post_still_counts(leaver, colleague, third):
    answer = make_answer(make_question(colleague), leaver)
    leaving.leave(leaver.user)
    corroborate(answer, third)

    answer.refresh_from_db()
    assert answer.corroborate_count == 1


def test_drafts_follows_and_rank_go(leaver, colleague):
    question = make_question(colleague)
    Draft.objects.create(member=leaver, place="ask", fields={"title": "Unsaid"})
    Subscription.objects.update_or_create(member=leaver, question=question)
    TopicFollow.objects.create(member=leaver, specialty=colleague.specialty)
    corroborate(make_answer(question, leaver), colleague)
    assert MemberRank.objects.filter(member=leaver).exists()
    leaving.leave(leaver.user)

    for model in (Draft, Subscription, TopicFollow, MemberRank, BoardPlace):
        assert not model.objects.filter(member=leaver).exists()


def test_discounted_votes_stay_discounted(leaver, colleague, third):
    flag = {"votes_up": 9, "votes_down": 9}
    for other, verdict in ((colleague, "discounted"), (third, "open")):
        low, high = sorted((leaver, other), key=lambda member: member.pk)
        decided = {"decided_at": other.joined_at} if verdict != "open" else {}
        PairFlag.objects.create(low=low, high=high, verdict=verdict, **flag, **decided)
    leaving.leave(leaver.user)

    assert PairFlag.objects.get().verdict == "discounted"


def test_afterwards_nothing_finds_the_person(leaver, colleague, django_capture_on_commit_callbacks):
    reference.load_schools()
    provider = make_provider("Torrevega", "Annelise")
    claim = make_claim(leaver, provider, state=State.VERIFIED)
    proof = Proof.objects.create(claim=claim, kind="document")
    document = Document.objects.create(proof=proof, sort="license", sha256="e" * 64, size=9, pages=1)
    storages["private"].save(document.page_name(1), io.BytesIO(crypto.encrypt(b"page")))
    leaver.bio, leaver.school = "Sails on weekends in Duluth", "Gitche Gumee School of Medicine"
    leaver.save()
    members.change_handle(member=leaver, handle="calm_harbor")
    leaver.refresh_from_db()
    make_answer(make_question(colleague), leaver)
    go_public(leaver)
    make_question(leaver, title="What would you do?")
    picture = Picture.objects.create(member=leaver, face="name", likeness="0f" * 32)
    Member.objects.filter(pk=leaver.pk).update(name_picture=picture.key)
    Connection.objects.create(requester=leaver, addressee=colleague)
    thread = NoticeThread.objects.create(member=leaver, about="question:1")
    Notice.objects.create(thread=thread, member=leaver, kind="reply", target=1, key="reply 1")
    Draft.objects.create(member=leaver, place="ask", fields={"title": "Signed, Torrevega"})
    browser = client_of(leaver)
    browser.get(reverse("questions:list"))
    archive_of(leaver)
    words = [
        "quiet_harbor",
        "calm_harbor",
        "torre@example.org",
        "torrevega",
        "sails on weekends",
        "gitche gumee",
        provider.npi,
        picture.key,
        document.key,
        leaver.physician_key,
        Export.objects.get().key,
    ]
    assert all(columns_with([word]) for word in words if word != provider.npi)

    with django_capture_on_commit_callbacks(execute=True):
        leaving.leave(User.objects.get(pk=leaver.user.pk))
    assert columns_with(words) == set()
    assert set(Handle.objects.filter(member=None).values_list("text", flat=True)) == {""}
    assert columns_with(["quletharbor", "calmharbor"]) == set()  # their keys, too
    assert Claim.objects.get().user is None
    assert Post.objects.filter(author=leaver).count() == 2


# Export


def test_the_export_has_posts_as_json_and_as_text(leaver, colleague):
    question = make_question(leaver, title="Which anticoagulant after this?")
    answer = make_answer(
        make_question(colleague, "How low is too low?"), leaver, source="**Apixaban**, 2.5 mg."
    )
    corroborate(answer, colleague)
    archive = archive_of(leaver)
    text = archive.read("posts.md").decode()

    assert [row["title"] for row in rows(archive, "question")] == [question.title]
    assert rows(archive, "question")[0]["specialties"] == ["Cardiovascular Disease"]
    last = rows(archive, "post")[-1]
    assert (last["id"], last["markdown"], last["corroborate_count"]) == (
        answer.pk,
        "**Apixaban**, 2.5 mg.",
        1,
    )
    assert last["question_title"] == "How low is too low?"
    assert "## Answer in: How low is too low?" in text
    assert "**Apixaban**, 2.5 mg." in text


def test_votes_received_are_counts_and_votes_given_name_nobody(leaver, colleague, third):
    answer = make_answer(make_question(colleague), third)
    corroborate(answer, leaver)
    dispute(make_answer(make_question(colleague, "And after?"), leaver), third)
    archive = archive_of(leaver)
    everything = "\n".join(archive.read(name).decode() for name in archive.namelist())

    (vote,) = rows(archive, "vote")
    assert (vote["post"], vote["value"]) == (answer.pk, "Corroborate")
    assert "The data point the other way" not in everything
    for other in (colleague, third):
        assert other.handle not in everything
        assert other.user.email not in everything


def test_the_export_never_joins_the_faces_of_a_colleague(leaver, colleague):
    """An answer to somebody's named question says no handle, and an answer to their handle no name."""
    anonymous = make_question(colleague, "Asked under the handle")
    go_public(colleague, "Wilhelmina Ashdown, MD")
    named = make_question(colleague, "Asked under the name")
    for question in (anonymous, named):
        make_answer(question, leaver)
    archive = archive_of(leaver)
    everything = "\n".join(archive.read(name).decode() for name in archive.namelist())

    assert "Ashdown" not in everything
    assert "nephron_loop" not in everything
