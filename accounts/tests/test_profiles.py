import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import faces
from accounts.models import Block, Connection, Member
from accounts.places import REGION_OF
from accounts.services import guard, profiles
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of

pytestmark = pytest.mark.django_db
LEVELS = {f"see_{name}": "me" for name in profiles.LEVELED}
FORM = {"section": "profile", **LEVELS}
EVERYTHING = {
    **FORM,
    "state": "MN",
    "years_band": "11-20",
    "languages": ["vi", "es"],
    "bio": "Echo, and what to do about it.",
    "contact_for": ["questions", "research"],
    "school": "Fenmoor Medical College",
    "training": "Cardiology, Fenmoor",
    "publications": "PMID: 12345678, 23456789\n12345678",
    "see_state": "physicians",
    "see_school": "physicians",
    "see_publications": "physicians",
    "see_bio": "physicians",
}


def words(response):
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def shown_block(response):
    """The block of the preview."""
    found = re.search(r'<div id="seen".*?</div>\s*<p><button', response.content.decode(), re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", found[0]))


@pytest.fixture
def intervention(physician):
    """A subspecialty of the physician's group, and the physician moved into that group."""
    physician.specialty.group = "Internal Medicine"
    physician.specialty.save()
    return make_specialty("Interventional Cardiology", group="Internal Medicine")


def connect(one, other):
    return Connection.objects.create(
        requester=one, addressee=other, state="accepted", answered_at=timezone.now()
    )


# The service


def test_what_is_not_named_stays_as_it_is(physician):
    profiles.change_profile(member=physician, state="MN", school="Fenmoor Medical College")
    profiles.change_profile(member=physician, bio="Echo.", visibility={"bio": "connections"})

    physician.refresh_from_db()
    assert (physician.state, physician.school, physician.bio) == ("MN", "Fenmoor Medical College", "Echo.")
    assert physician.visibility == {"bio": "connections"}


def test_a_field_that_is_none_of_the_profile_is_a_fault(physician):
    with pytest.raises(TypeError, match="standing"):
        profiles.change_profile(member=physician, standing="physician")


@pytest.mark.parametrize(
    "visibility",
    [{"state": "everybody"}, {"state": ""}, {"handle": "physicians"}, {"specialty": "me"}, {"face": "me"}],
)
def test_visibility_takes_known_fields_and_known_levels_alone(physician, visibility):
    with pytest.raises(profiles.UnknownVisibility):
        profiles.change_profile(member=physician, visibility=visibility)

    physician.refresh_from_db()
    assert physician.visibility == {}


def test_a_subspecialty_is_of_the_same_group_and_another_than_the_specialty(physician, intervention):
    assert profiles.change_profile(member=physician, subspecialty=intervention).subspecialty == intervention

    top = make_specialty("Internal Medicine")
    for other in (make_specialty("Dermatology"), physician.specialty, top):
        with pytest.raises(profiles.OtherSpecialty):
            profiles.change_profile(member=physician, subspecialty=other)


def test_without_a_specialty_there_is_no_subspecialty(applicant):
    with pytest.raises(profiles.OtherSpecialty):
        profiles.change_profile(member=applicant, subspecialty=make_specialty("Dermatology"))


def test_only_codes_of_physicians_are_subspecialties(physician, intervention):
    intervention.is_physician = intervention.is_choice = False
    intervention.save()

    assert not profiles.subspecialties_of(physician.specialty).exists()
    with pytest.raises(profiles.OtherSpecialty):
        profiles.change_profile(member=physician, subspecialty=intervention)


@pytest.mark.parametrize("codes", [["xx"], ["en"], ["es", "vi", "zh", "ar", "hi", "ru", "pl"]])
def test_languages_are_a_few_of_the_list(physician, codes):
    with pytest.raises(profiles.UnknownLanguage):
        profiles.change_profile(member=physician, languages=codes)


@pytest.mark.parametrize("numbers", [["123456789"], ["12a"], ["0"], ["-1"], [str(n) for n in range(1, 22)]])
def test_publications_are_pmids_and_at_most_twenty(physician, numbers):
    with pytest.raises(profiles.NotAPublication):
        profiles.change_profile(member=physician, publications=numbers)


def test_nothing_is_kept_twice(physician):
    saved = profiles.change_profile(member=physician, publications=["1", "2", "1"], languages=["es", "es"])

    assert (saved.publications, saved.languages) == (["1", "2"], ["es"])


# The page of settings


def test_everything_typed_is_saved_with_who_sees_it(physician, physician_client, intervention):
    form = {**EVERYTHING, "subspecialty": intervention.pk, "see_subspecialty": "connections"}

    assert physician_client.post("/settings/", form).url == reverse("accounts:settings")

    physician.refresh_from_db()
    assert physician.subspecialty == intervention
    assert sorted(physician.languages) == ["es", "vi"]
    assert physician.contact_for == ["questions", "research"]
    assert physician.publications == ["12345678", "23456789"]
    assert physician.visibility["subspecialty"] == "connections"
    assert physician.visibility["state"] == "physicians"
    assert physician.visibility["languages"] == "me"


@pytest.mark.parametrize(
    ("wrong", "message", "kept"),
    [
        ({"publications": "12345678\nPMC99"}, "“PMC99” is not a PMID", "PMC99"),
        ({"bio": "x" * 501}, "at most 500 characters", "x" * 501),
        ({"see_state": "everybody"}, "Select a valid choice", "Echo, and what to do about it."),
        ({"subspecialty": "nonsense"}, "same group as your specialty", "Cardiology, Fenmoor"),
        ({"languages": ["tlh"]}, "Select a valid choice", "Fenmoor Medical College"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    physician, physician_client, wrong, message, kept
):
    page = physician_client.post("/settings/", {**EVERYTHING, **wrong})

    assert page.status_code == 422
    assert message in words(page)
    assert kept in html.unescape(page.content.decode())
    physician.refresh_from_db()
    assert (physician.state, physician.visibility) == ("", {})


def test_the_levels_start_private_but_for_what_was_written_to_be_read(physician_client):
    form = physician_client.get("/settings/").context["profile_form"]

    open_fields = {name for name in profiles.LEVELED if form[f"see_{name}"].initial == "physicians"}
    assert open_fields == {"bio", "contact_for"}


def test_each_field_stands_with_the_face_it_belongs_to(physician_client):
    page = words(physician_client.get("/settings/"))
    handle, name = page.split("What stands beside your name")

    assert "What stands beside your handle" in handle
    assert "These never stand on your handle’s page." in name
    assert "Medical school" not in handle
    assert "State or territory" not in name


def test_a_coarsened_profile_says_what_is_shown_instead_and_why(physician, physician_client):
    form = {**FORM, "state": "MN", "years_band": "11-20", "see_state": "physicians"}

    page = physician_client.post("/settings/", form, follow=True)

    told = "Fewer than 11 members share Minnesota in Cardiovascular Disease, so colleagues see no place."
    assert f"Saved. {told}" in words(page)
    assert told in shown_block(page)


def test_an_applicant_is_told_nothing_of_a_crowd_they_are_not_in(applicant, applicant_client):
    page = applicant_client.post(
        "/settings/", {**FORM, "state": "MN", "see_state": "physicians"}, follow=True
    )

    assert "Saved." in words(page)
    assert "Saved. Fewer" not in words(page)


def test_an_applicant_is_offered_the_subspecialties_of_the_specialty_typed(applicant_client, intervention):
    cardiology = intervention.__class__.objects.get(name="Cardiovascular Disease")

    form = {**FORM, "specialty": cardiology.pk, "subspecialty": intervention.pk}

    assert applicant_client.post("/settings/", form).status_code == 302
    assert Member.objects.get(handle="new_attending").subspecialty == intervention


def test_a_specialty_that_no_column_could_hold_is_refused(applicant_client):
    page = applicant_client.post(
        "/settings/",
        "&".join(f"{key}={value}" for key, value in {**FORM, "specialty": "%00"}.items()),
        content_type="application/x-www-form-urlencoded",
    )

    assert page.status_code == 422


def test_the_settings_cost_at_most_eight_queries(physician, physician_client, django_assert_max_num_queries):
    profiles.change_profile(member=physician, state="MN", languages=["es"])
    for _ in range(5):
        make_member(state="MN")

    with django_assert_max_num_queries(8):
        physician_client.get("/settings/")


# The preview


def preview(client, seen_by="physicians", *, htmx=True, **fields):
    headers = {"HTTP_HX_REQUEST": "true"} if htmx else {}
    return client.post("/settings/preview/", {**EVERYTHING, "seen_by": seen_by, **fields}, **headers)


def test_a_preview_saves_nothing(physician, physician_client):
    page = preview(physician_client)

    assert page.status_code == 200
    assert "Echo, and what to do about it." in words(page)
    physician.refresh_from_db()
    assert (physician.state, physician.bio, physician.visibility, physician.face) == ("", "", {}, {})


def test_a_preview_applies_the_guard(physician_client):
    assert "Minnesota" not in words(preview(physician_client)).split("Fewer than")[0]
    assert "so colleagues see no place" in words(preview(physician_client))

    for _ in range(10):
        make_member(state="MN")
    assert "State Minnesota" in words(preview(physician_client))


def test_a_connection_sees_more_than_a_colleague(physician_client):
    fields = {"see_state": "connections", "see_training": "connections"}

    assert "Minnesota" not in words(preview(physician_client, **fields))
    connection = words(preview(physician_client, "connections", **fields))
    assert "State Minnesota" in connection
    assert "once names are exchanged" in connection
    assert "Cardiology, Fenmoor" in connection


def test_an_observer_sees_an_alias_and_a_specialty(physician_client):
    page = words(preview(physician_client, "observer"))

    assert "other ones in each discussion" in page
    assert "Cardiovascular Disease" in page
    for hidden in ("left_atrium", "Echo", "Fenmoor", "11 to 20", "Minnesota"):
        assert hidden not in page


def test_a_visitor_sees_nothing(physician_client):
    page = words(preview(physician_client, "visitor"))

    assert "Nothing." in page
    for hidden in ("left_atrium", "Echo", "Cardiovascular"):
        assert hidden not in page


def test_a_preview_of_something_wrong_names_it(physician_client):
    page = preview(physician_client, publications="PMC99")

    assert page.status_code == 422
    assert "“PMC99” is not a PMID" in words(page)


def test_without_a_script_the_whole_page_comes_back_as_typed(physician, physician_client):
    page = preview(physician_client, "connections", htmx=False, see_state="connections")

    assert page.status_code == 200
    assert "State Minnesota" in re.sub(r"\s+", " ", shown_block(page))
    assert 'value="Fenmoor Medical College"' in page.content.decode()
    physician.refresh_from_db()
    assert physician.state == ""
    assert physician_client.get("/settings/preview/").url == reverse("accounts:settings")


# The pages of a handle and of a name


@pytest.fixture
def known(colleague):
    """A colleague with a full profile, a connection of nobody."""
    colleague.state, colleague.years_band, colleague.bio = "MN", "11-20", "Dialysis."
    colleague.school, colleague.training = "Fenmoor Medical College", "Nephrology, Fenmoor"
    colleague.publications, colleague.contact_for = ["12345678"], ["referrals"]
    colleague.visibility = {
        "state": "connections",
        "years_band": "physicians",
        "school": "physicians",
        "training": "connections",
        "publications": "physicians",
    }
    colleague.face = {"specialty": "Nephrology", "region": "", "years": "11+"}
    colleague.save()
    return colleague


def test_a_colleague_sees_the_guarded_face(known, physician_client):
    page = words(physician_client.get(known.get_absolute_url()))

    assert "11 years and more" in page
    assert "Dialysis." in page
    assert "Glad to be asked about referrals." in page
    for hidden in ("Minnesota", REGION_OF["MN"], "11 to 20", "Fenmoor", "12345678"):
        assert hidden not in page


def test_a_connection_sees_what_is_for_connections_too(known, physician, physician_client):
    connect(physician, known)

    page = words(physician_client.get(known.get_absolute_url()))

    assert "State Minnesota" in page
    assert "11 years and more" in page
    for hidden in ("11 to 20", "Fenmoor", "12345678"):
        assert hidden not in page


def test_one_s_own_page_says_who_else_sees_what(known, colleague_client):
    page = words(colleague_client.get(known.get_absolute_url()))

    assert "Minnesota (connections)" in page
    assert "11 to 20 years (physicians)" in page
    assert "Fenmoor" not in page


@pytest.mark.parametrize("connected", [True, False])
def test_the_page_of_a_name_shows_every_physician_the_same(known, physician, physician_client, connected):
    profiles.choose_byline(member=known, mode="public", display_name="Amara Okafor, MD")
    if connected:
        connect(physician, known)

    page = physician_client.get(known.physician_url)

    assert "Fenmoor Medical College" in words(page)
    assert 'href="https://pubmed.ncbi.nlm.nih.gov/12345678/" rel="' in page.content.decode()
    for hidden in ("Nephrology, Fenmoor", "nephron_loop", "Minnesota", "11 years", "Dialysis.", "referrals"):
        assert hidden not in page.content.decode()


def test_a_blocked_page_is_not_there(known, physician, physician_client):
    Block.objects.create(blocker=known, blocker_face="handle", blocked=physician, blocked_face="handle")

    assert physician_client.get(known.get_absolute_url()).status_code == 404


def test_a_member_s_page_costs_at_most_eight_queries(known, physician_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        physician_client.get(known.get_absolute_url())


def test_every_reader_s_page_of_a_handle_keeps_name_fields_away(known, physician, moderator):
    connect(physician, known)
    for reader in (physician, moderator, known):
        page = client_of(reader).get(known.get_absolute_url()).content.decode()
        for hidden in (known.school, known.training, *known.publications, known.physician_key):
            assert hidden not in page


def test_a_specialty_too_small_to_show_is_nowhere_on_the_handle_s_page(physician_client, db):
    make_specialty("Hepatology", group="Internal Medicine")
    member = make_member("liver_lobe", specialty="Hepatology")
    guard.refresh(member)

    page = physician_client.get(member.get_absolute_url()).content.decode()

    assert "Internal Medicine" in page
    assert "Hepatology" not in page
    assert faces.shown_to_physicians(member).specialty == "Internal Medicine"
