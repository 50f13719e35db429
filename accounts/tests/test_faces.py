import pytest

from accounts import faces
from accounts.faces import Fact, Shown
from accounts.models import Block, Face, Member, User
from accounts.tests.factories import make_member, make_specialty

pytestmark = pytest.mark.django_db
FACE = {
    "specialty": "Nephrology",
    "subspecialty": "",
    "state": "",
    "region": "West North Central",
    "years": "11+",
    "languages": ["vi", "es"],
}
COARSE = Shown(
    "Nephrology",
    "",
    "West North Central",
    "11 years and more",
    ["Spanish", "Vietnamese"],
    "West North Central",
)


@pytest.fixture
def nephrologist(db):
    specialty = make_specialty("Nephrology", group="Internal Medicine")
    return make_member(
        "nephron_loop",
        specialty=specialty,
        state="MN",
        years_band="11-20",
        languages=["vi", "es"],
        bio="Dialysis and what comes before it.",
        contact_for=["questions", "jobs"],
        school="Fenmoor Medical College",
        training="Nephrology, Fenmoor",
        publications=["12345678"],
        face=FACE,
    )


def see(member, **levels):
    member.visibility = {**member.visibility, **levels}
    member.save(update_fields=["visibility"])
    return Member.objects.for_profile().get(pk=member.pk)


# What a handle shows


def test_a_handle_shows_its_face_in_words_without_a_query(nephrologist, django_assert_num_queries):
    member = Member.objects.for_profile().get(pk=nephrologist.pk)

    with django_assert_num_queries(0):
        assert faces.shown_to_physicians(member) == COARSE


def test_a_handle_without_a_face_shows_the_specialty_group_alone(nephrologist):
    nephrologist.face = {}

    assert faces.shown_to_physicians(nephrologist) == Shown("Internal Medicine")


def test_a_handle_without_a_specialty_shows_nothing(applicant):
    assert faces.shown_to_physicians(applicant) == Shown()


def test_physicians_see_what_the_guard_lets_through(nephrologist):
    member = see(nephrologist, state="physicians", years_band="physicians", languages="physicians")

    profile = faces.facts_for(member, "physicians")

    assert profile.specialty == "Nephrology"
    assert profile.facts == [
        Fact("Region", "West North Central"),
        Fact("Years since graduation", "11 years and more"),
        Fact("Languages besides English", "Spanish, Vietnamese"),
    ]


def test_bio_and_reasons_for_contact_are_for_physicians_unless_hidden(nephrologist):
    profile = faces.facts_for(nephrologist, "physicians")
    assert profile.bio.startswith("Dialysis")
    assert profile.contact_for == ["Questions", "Jobs"]

    hidden = faces.facts_for(see(nephrologist, bio="me", contact_for="connections"), "physicians")
    assert (hidden.bio, hidden.contact_for) == ("", [])


def test_everything_else_is_for_oneself_unless_opened(nephrologist):
    for name in ("subspecialty", "state", "years_band", "languages", "school", "training", "publications"):
        assert faces.visibility_of(nephrologist, name) == "me"
        assert not faces.is_open_to(nephrologist, name, "connections")


def test_connections_see_the_exact_value_of_what_is_shown_to_them_alone(nephrologist):
    member = see(nephrologist, state="connections", years_band="physicians")
    member.face = {**FACE, "region": "", "languages": []}

    assert faces.facts_for(member, "connections").facts == [
        Fact("State", "Minnesota"),
        Fact("Years since graduation", "11 years and more"),
    ]
    assert faces.facts_for(member, "physicians").facts == [
        Fact("Years since graduation", "11 years and more")
    ]


def test_oneself_sees_everything_with_who_else_does(nephrologist):
    facts = faces.facts_for(see(nephrologist, state="connections"), "me").facts

    assert Fact("State", "Minnesota", "Connections") in facts
    assert Fact("Years since graduation", "11 to 20 years", "Only me") in facts


def test_beside_a_name_stand_specialty_school_training_and_publications_as_opened(nephrologist):
    member = see(nephrologist, school="physicians", training="connections", publications="physicians")

    page = faces.named_facts_for(member, "physicians")
    assert page.specialty == "Nephrology"
    assert page.facts == [Fact("Medical school", "Fenmoor Medical College")]
    assert page.publications == [("12345678", "https://pubmed.ncbi.nlm.nih.gov/12345678/")]

    exchanged = faces.named_facts_for(member, "connections")
    assert [fact.label for fact in exchanged.facts] == ["Medical school", "Training"]


def test_no_field_belongs_to_both_faces():
    assert not set(faces.HANDLE_FIELDS) & set(faces.NAME_FIELDS)
    assert set(faces.GUARDED_FIELDS) < set(faces.HANDLE_FIELDS)


# The gate


def visible(reader, face="handle"):
    user = User.objects.get(pk=reader.user_id)
    return set(Member.objects.visible_to(user, face).values_list("handle", flat=True))


def test_verified_members_see_each_other_and_nobody_sees_applicants(physician, colleague, applicant):
    suspended = make_member(standing="suspended")
    former = make_member()
    former.user.delete()
    reader = make_member("reads_only", standing="read_only")

    assert visible(physician) == {"left_atrium", "nephron_loop", "reads_only"}
    assert visible(reader) == visible(physician)
    for nobody in (applicant, suspended):
        assert visible(nobody) == set()


def test_staff_and_visitors_see_no_members(physician, staff):
    from django.contrib.auth.models import AnonymousUser

    for user in (staff, AnonymousUser()):
        assert not Member.objects.visible_to(user).exists()


@pytest.mark.parametrize(("blocker_face", "blocked_face"), [("handle", "handle"), ("name", "handle")])
def test_a_block_hides_the_blocked_face_from_the_blocker(physician, colleague, blocker_face, blocked_face):
    Block.objects.create(
        blocker=physician, blocker_face=blocker_face, blocked=colleague, blocked_face=blocked_face
    )

    assert "nephron_loop" not in visible(physician)


def test_a_block_hides_the_blocker_s_face_from_the_blocked(physician, colleague):
    Block.objects.create(blocker=physician, blocker_face="handle", blocked=colleague, blocked_face="handle")

    assert visible(colleague) == {"nephron_loop"}


def test_blocking_a_handle_leaves_the_name_as_it_was(physician, colleague):
    Member.objects.update(byline_mode="public", display_name="Amara Okafor, MD")
    Block.objects.create(blocker=physician, blocker_face="handle", blocked=colleague, blocked_face="handle")

    assert "nephron_loop" not in visible(physician)
    assert "nephron_loop" in visible(physician, Face.NAME)
    assert "left_atrium" in visible(colleague, Face.NAME)


def test_blocking_a_name_leaves_the_handle_as_it_was(physician, colleague):
    Member.objects.update(byline_mode="public", display_name="Amara Okafor, MD")
    Block.objects.create(blocker=physician, blocker_face="name", blocked=colleague, blocked_face="name")

    assert "nephron_loop" not in visible(physician, Face.NAME)
    assert "nephron_loop" in visible(physician)


def test_a_moderator_sees_past_blocks(moderator, colleague):
    Block.objects.create(blocker=colleague, blocker_face="handle", blocked=moderator, blocked_face="handle")

    assert "nephron_loop" in visible(moderator)


def test_under_the_name_there_are_only_those_who_show_it(physician, colleague):
    assert visible(physician, Face.NAME) == set()
