"""The desk of products in the administration."""

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.roles import FINANCE, MODERATORS
from accounts.tests.factories import make_user
from conftest import client_of
from observers.desk.products import allow_moderators
from observers.models import AdverseEvent, Product
from observers.services import adverse_events
from observers.tests.factories import let_pass
from observers.tests.product_makers import ask, make_product
from questions.tests.factories import make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

ADD = reverse("admin:observers_product_add")
ASKED = reverse("admin:observers_companyquestion_changelist")


@pytest.fixture
def desk():
    """A browser of a moderator on staff."""
    allow_moderators(sender=apps.get_app_config("observers"), using="default")
    return client_of(make_staff(MODERATORS))


def make_staff(group, **fields):
    user = make_user(is_staff=True, **fields)
    user.groups.add(Group.objects.get(name=group))
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def test_words_are_kept_as_search_writes_them(desk, firm):
    form = {"name": "Velorin", "slug": "velorin", "kind": "drug", "maker": firm.pk}

    desk.post(ADD, {**form, "words": "Velorin, Vélorin XR,velorin"})

    assert Product.objects.get().words == ["velorin", "velorin xr"]


@pytest.mark.parametrize("words", ["a|b", "velorin.*", "", " , "])
def test_what_is_no_word_comes_back(desk, words):
    form = {"name": "Velorin", "slug": "velorin", "kind": "drug"}

    assert desk.post(ADD, {**form, "words": words}).status_code == 200
    assert not Product.objects.exists()


def test_nothing_is_deleted(desk):
    product = make_product()

    assert desk.post(reverse("admin:observers_product_delete", args=[product.pk])).status_code == 403


def test_a_question_is_taken_out_of_sight_and_its_asker_is_not_named(desk, firm, physician):
    question = ask(make_product(maker=firm), physician)

    assert physician.handle not in desk.get(ASKED).content.decode()
    page = desk.get(reverse("admin:observers_companyquestion_change", args=[question.pk])).content.decode()
    assert physician.handle not in page
    desk.post(ASKED, {"action": "take_out", "_selected_action": [question.pk]})

    question.refresh_from_db()
    assert question.removed_at


def test_what_is_out_of_sight_is_not_taken_out_again(desk, firm, physician):
    question = ask(make_product(maker=firm), physician)
    desk.post(ASKED, {"action": "take_out", "_selected_action": [question.pk]})
    question.refresh_from_db()

    again = desk.post(ASKED, {"action": "take_out", "_selected_action": [question.pk]}, follow=True)

    assert "Nothing was changed" in again.content.decode()
    before = question.removed_at
    question.refresh_from_db()
    assert question.removed_at == before


def test_what_is_missing_is_said_in_words_of_its_own(desk):
    form = desk.post(ADD, {"sent": "1"}).content.decode()

    assert "Write its name." in form
    assert "This field is required" not in form


def test_what_makers_said_is_for_no_moderator(desk, seat, firm, physician):
    make_product(maker=firm)
    question = let_pass(make_question(physician, title="Rash after velorin in the 70s?"))
    adverse_events.met(seat, question.posts.values_list("pk", flat=True))
    address = reverse("admin:observers_adverseevent_change", args=[AdverseEvent.objects.get().pk])

    assert desk.get(address).status_code == 403
    chief = client_of(make_staff(MODERATORS, is_superuser=True))
    assert "Velorin" in chief.get(address).content.decode()


def test_the_finance_desk_has_no_products(desk):
    assert client_of(make_staff(FINANCE)).get(ADD).status_code == 403
