import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Handle, Member, User
from accounts.services import members, profiles
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from sermo import crypto

PASSWORD = "correct-horse-battery"
PROFILE = {"section": "profile", **{f"see_{name}": "me" for name in profiles.LEVELED}}
SIGNUP = {"email": "Ada@Example.org", "password1": PASSWORD, "handle": "quiet_murmur"}


def code_from(message):
    """The code somebody reads in a mail: it stands alone on its line."""
    return re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", message.body, re.M)[1]


def test_signing_up_and_confirming_by_code_leads_to_verification(client, db):
    response = client.post("/accounts/signup/", SIGNUP)
    assert response.url == reverse("account_email_verification_sent")
    member = Member.objects.get()
    assert (member.handle, member.standing, member.user.email) == (
        "quiet_murmur",
        "applicant",
        "ada@example.org",
    )

    response = client.post(response.url, {"code": code_from(mail.outbox[0])})

    assert response.status_code == 302
    assert client.get("/").url == reverse("verification:start")


def test_a_known_address_gets_the_same_answer_as_an_unknown_one(client, physician):
    unknown = client.post("/accounts/signup/", SIGNUP)
    client.cookies.clear()
    known = client.post(
        "/accounts/signup/", {**SIGNUP, "email": physician.user.email, "handle": "another_one"}
    )

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert User.objects.count() == 2


def test_whether_a_handle_is_free_afterwards_does_not_tell_who_has_an_account(physician):
    Client().post("/accounts/signup/", SIGNUP)
    Client().post("/accounts/signup/", {**SIGNUP, "email": physician.user.email, "handle": "another_one"})

    for handle in ("quiet_murmur", "another_one"):
        page = Client().post("/accounts/signup/", {**SIGNUP, "email": "third@example.org", "handle": handle})
        assert "taken" in page.content.decode()

    later = timezone.now() - timedelta(days=3, minutes=1)
    User.objects.filter(email="ada@example.org").update(date_joined=later)
    Handle.objects.filter(member=None).update(held_until=later)
    assert members.forget_unconfirmed() == 1
    assert members.is_free("quiet_murmur")
    assert members.is_free("another_one")
    assert User.objects.get() == physician.user


def test_only_what_was_never_confirmed_is_forgotten(applicant, physician, staff):
    User.objects.update(date_joined=timezone.now() - timedelta(days=30))

    assert members.forget_unconfirmed() == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"handle": "left_atriurn"}, "taken"),
        ({"handle": "moderator"}, "reserved"),
        ({"password1": "short"}, "at least 12"),
        ({"password1": "password1234"}, "common"),
        ({"email": "nonsense"}, "valid email"),
        ({"handle": ""}, "required"),
    ],
)
def test_bad_sign_ups_say_why_and_keep_what_was_typed(client, physician, wrong, message):
    page = client.post("/accounts/signup/", {**SIGNUP, **wrong})

    assert page.status_code == 200
    assert message in page.content.decode()
    assert User.objects.count() == 1


def test_a_handle_lost_in_a_race_is_a_message_not_a_fault(client, db, monkeypatch):
    make_member("quiet_murmur")
    monkeypatch.setattr(members, "is_free", lambda handle, member=None: True)

    page = client.post("/accounts/signup/", SIGNUP)

    assert page.status_code == 200
    assert "taken" in page.content.decode()
    assert not User.objects.filter(email="ada@example.org").exists()


def test_logging_in_with_any_case_of_the_address(client, db):
    make_member(email="ada@example.org", password=PASSWORD)

    response = client.post("/accounts/login/", {"login": "ADA@example.org", "password": PASSWORD})

    assert response.url == "/"


def test_the_sixth_wrong_password_is_refused(client, db):
    make_member(email="ada@example.org", password=PASSWORD)
    for _ in range(5):
        client.post("/accounts/login/", {"login": "ada@example.org", "password": "wrong"})

    page = client.post("/accounts/login/", {"login": "ada@example.org", "password": PASSWORD})

    assert page.status_code in (200, 429)
    assert "_auth_user_id" not in client.session


def test_passwords_are_kept_as_argon2id_of_19_mib(db):
    assert make_user(password=PASSWORD).password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_seeds_of_second_factors_are_stored_encrypted(db):
    from allauth.mfa.adapter import get_adapter

    sealed = get_adapter().encrypt("JBSWY3DPEHPK3PXP")

    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert crypto.decrypt(sealed.encode()) == b"JBSWY3DPEHPK3PXP"


# Second factor


def test_staff_and_moderators_without_a_second_factor_get_nowhere(staff, moderator):
    moderator.user.authenticator_set.all().delete()

    for who in (staff, moderator):
        for address in ("/", "/questions/", "/admin/"):
            assert client_of(who).get(address).url == reverse("mfa_index")


def test_with_a_second_factor_staff_come_in_and_recovery_codes_are_none(staff):
    factor = Authenticator.objects.create(user=staff, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert client_of(staff).get("/admin/").url == reverse("mfa_index")

    factor.type = Authenticator.Type.TOTP
    factor.save()
    assert client_of(staff).get("/admin/").status_code == 200


def test_the_demonstration_waives_it_for_its_own_log_ins_alone(settings, db):
    settings.DEMO = True
    demo = make_user("admin@demo.sermo.test", is_staff=True)
    other = make_user("admin@example.org", is_staff=True)

    assert client_of(demo).get("/admin/").status_code == 200
    assert client_of(other).get("/admin/").url == reverse("mfa_index")
    settings.DEMO = False
    assert client_of(demo).get("/admin/").url == reverse("mfa_index")


# Settings and people's pages


def test_the_handle_is_changed_in_the_settings(physician, physician_client):
    page = physician_client.post("/settings/", {"section": "handle", "handle": "left_ventricle"})
    assert page.url == reverse("accounts:settings")

    page = physician_client.post("/settings/", {"section": "handle", "handle": "septum"})
    assert page.status_code == 422
    assert "once in 90 days" in page.content.decode()
    physician.refresh_from_db()
    assert physician.handle == "left_ventricle"


def test_another_s_handle_is_refused_beside_the_field(physician_client, colleague):
    page = physician_client.post("/settings/", {"section": "handle", "handle": "Nephron.Loop"})

    assert page.status_code == 422
    assert "taken" in page.content.decode()
    assert "Nephron.Loop" in page.content.decode()


def test_the_profile_is_saved(physician, physician_client):
    form = {**PROFILE, "state": "MN", "years_band": "11-20", "bio": "Echo."}

    assert physician_client.post("/settings/", form).status_code == 302
    physician.refresh_from_db()
    assert (physician.state, physician.years_band, physician.region) == ("MN", "11-20", "West North Central")


def test_a_verified_specialty_cannot_be_changed_in_the_settings(physician, colleague, physician_client):
    physician_client.post("/settings/", {**PROFILE, "specialty": colleague.specialty_id})

    physician.refresh_from_db()
    assert physician.specialty.name == "Cardiovascular Disease"


def test_an_applicant_chooses_a_specialty(applicant, colleague, applicant_client):
    applicant_client.post("/settings/", {**PROFILE, "specialty": colleague.specialty_id})

    applicant.refresh_from_db()
    assert applicant.specialty == colleague.specialty


def test_saving_a_profile_undoes_nothing_that_was_decided_meanwhile(physician):
    members.set_standing(member=physician, standing="suspended")

    profiles.change_profile(member=physician, specialty=None, state="MN", years_band="", bio="")

    physician.refresh_from_db()
    assert (physician.standing, physician.state) == ("suspended", "MN")


def test_a_script_whose_session_ended_is_told_by_status(client, db):
    assert client.get("/settings/", HTTP_HX_REQUEST="true").status_code == 401
    assert client.get("/settings/").status_code == 302


def test_the_administration_shows_members_by_handle_and_changes_none(physician, db):
    admin = make_user(is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=admin, type=Authenticator.Type.TOTP, data={})
    client = client_of(admin)

    page = client.get(f"/admin/accounts/member/{physician.pk}/change/").content.decode()

    assert "left_atrium" in page
    assert physician.user.email not in page
    assert client.post(f"/admin/accounts/member/{physician.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/").status_code == 200


def test_settings_for_people_without_a_membership(staff):
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    assert client_of(staff).get("/settings/").status_code == 200


def test_pages_of_people(physician_client, colleague, applicant):
    page = physician_client.get("/members/NEPHRON_LOOP/")
    assert page.status_code == 200
    assert "nephron_loop" in page.content.decode()
    assert colleague.user.email not in page.content.decode()

    assert physician_client.get("/members/new_attending/").status_code == 404
    assert physician_client.get("/members/nobody-here/").status_code == 404
    assert physician_client.get("/physicians/unknown/").status_code == 404
    assert physician_client.get(colleague.physician_url).status_code == 404
