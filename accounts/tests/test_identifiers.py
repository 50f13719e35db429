"""A form that is sent back for identifiers, the check while one writes, and what is counted."""

import pytest
from django import forms
from django.db import IntegrityError
from django.http import QueryDict
from django.template.loader import render_to_string

from accounts.identifier_forms import IdentifierMixin
from accounts.models import IdentifierDecision
from accounts.services import identifiers
from accounts.services.identifiers import Kept

STOP = "Call 412-555-0131 about it."
DOUBT = "A plumber from Akron with a swollen knee."
URL = "/identifiers/check/"


class PlainForm(IdentifierMixin, forms.Form):
    source = forms.CharField(widget=forms.Textarea)


class TwoForm(PlainForm):
    checked_fields = ("title", "source")

    title = forms.CharField()


class NamesAllowedForm(PlainForm):
    stops_only = True


def sent(form=PlainForm, **values):
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return form(data)


def keys(form):
    form.is_valid()
    return [row.key for row in form.checked_identifiers["source"].rows]


def found(form, **values):
    checked = sent(form, **values)
    checked.is_valid()
    return checked.checked_identifiers


def test_a_clean_text_goes_through_and_keeps_nothing():
    form = sent(source="Colchicine or prednisone?")

    assert form.is_valid()
    assert form.kept_identifiers() == Kept()


def test_what_must_go_stays_only_for_a_reason_given_while_it_was_shown():
    shown = keys(sent(source=STOP))

    assert not sent(source=STOP).is_valid()
    assert not sent(source=STOP, identifier_why_source="misread").is_valid()
    assert not sent(source=STOP, identifier_shown=shown, identifier_why_source="because").is_valid()
    form = sent(source=STOP, identifier_shown=shown, identifier_why_source="institution")
    assert form.is_valid()
    assert form.kept_identifiers() == Kept(stops={"phone": 1}, why="institution")


def test_a_doubt_takes_a_tick_and_the_tick_holds_for_these_words_alone():
    ticked = keys(sent(source=DOUBT))

    assert not sent(source=DOUBT).is_valid()
    form = sent(source=DOUBT, not_patient=ticked)
    assert form.is_valid()
    assert form.kept_identifiers() == Kept(doubts={"place": 1})
    assert not sent(source=DOUBT.replace("Akron", "Toledo"), not_patient=ticked).is_valid()


def test_a_reason_for_one_thing_does_not_cover_another():
    shown = keys(sent(source=STOP))

    form = sent(source=f"{STOP} Or 412-555-0199.", identifier_shown=shown, identifier_why_source="misread")

    assert not form.is_valid()


def test_a_reason_in_one_field_does_not_cover_another():
    shown = [row.key for field in found(TwoForm, title=STOP, source=STOP).values() for row in field.rows]
    values = {"title": STOP, "source": STOP, "identifier_shown": shown}

    assert not sent(TwoForm, identifier_why_title="misread", **values).is_valid()
    assert sent(TwoForm, identifier_why_title="misread", identifier_why_source="misread", **values).is_valid()


def test_blanks_in_front_do_not_switch_the_check_off():
    typed = " " * 20_000 + STOP

    assert not sent(source=typed).is_valid()
    again = sent(source=typed, replace="all")
    again.is_valid()
    assert "412" not in again["source"].value()


def test_a_text_too_long_to_be_checked_is_refused():
    form = sent(source="Colchicine? " * 2_000)

    assert not form.is_valid()
    assert "not checked" in form.errors["source"][0]


def test_the_check_takes_a_reason_back_when_more_must_go(physician_client):
    shown = keys(sent(source=STOP))
    values = {"checked": "source", "identifier_shown": shown, "identifier_why_source": "misread"}

    same = physician_client.post(URL, {**values, "source": STOP}).content.decode()
    more = physician_client.post(URL, {**values, "source": f"{STOP} Or 412-555-0199."}).content.decode()

    assert 'value="misread" selected' in same
    assert "selected" not in more


def test_a_button_before_the_fields_takes_the_enter_key():
    page = render_to_string("paper/errors.html", {"form": sent(source=STOP)})
    plain = render_to_string("paper/errors.html", {"form": forms.Form({})})

    assert page.index("<button") < page.index("<div")
    assert "name=" not in page
    assert "<button" not in plain


def test_where_names_are_allowed_only_what_must_go_is_asked_for():
    assert sent(NamesAllowedForm, source=DOUBT).is_valid()
    assert not sent(NamesAllowedForm, source=STOP).is_valid()


def test_a_replacement_comes_back_to_be_read_and_is_then_fine():
    typed = "Mr. Okafor fell on the stairs."
    form = sent(source=typed, replace=keys(sent(source=typed)))

    assert not form.is_valid()
    assert form["source"].value() == "The patient fell on the stairs."
    assert "Replaced" in form.non_field_errors()[0]
    assert sent(source=form["source"].value()).is_valid()


def test_all_replacements_leave_alone_what_was_ticked():
    typed = f"Mr. Okafor. {DOUBT}"
    place = keys(sent(source=typed))[1]

    form = sent(source=typed, replace="all", not_patient=place)
    form.is_valid()

    assert form["source"].value().startswith("The patient")
    assert "Akron" in form["source"].value()


def test_the_error_counts_what_must_go_and_what_is_to_be_decided():
    form = sent(source=f"{STOP} {DOUBT}")

    assert not form.is_valid()
    assert form.non_field_errors()[0].startswith("1 identifier must go, 1 needs your decision")


def test_the_findings_say_that_the_check_is_an_aid_and_mark_the_words(physician_client):
    page = physician_client.post(URL, {"checked": "source", "source": f"{STOP} {DOUBT}"})

    html = page.content.decode()
    assert page.status_code == 200
    assert '<mark class="stop">412-555-0131</mark>' in html
    assert "<mark>Akron</mark>" in html
    assert "This check is an aid" in html


def test_the_check_keeps_a_tick_and_escapes_what_was_typed(physician_client):
    ticked = keys(sent(source=DOUBT))
    values = {"checked": "source", "source": f"<b>x</b> {DOUBT}", "not_patient": ticked}

    html = physician_client.post(URL, values).content.decode()

    assert "checked" in html
    assert "<b>x</b>" not in html


def test_an_applicant_may_check_and_a_visitor_may_not(applicant_client, client):
    assert applicant_client.post(URL, {"checked": "bio", "bio": STOP}).status_code == 200
    assert client.post(URL, {"checked": "bio", "bio": STOP}).status_code == 302
    assert (
        client.post(URL, {"checked": "bio", "bio": STOP}, headers={"hx-request": "true"}).status_code == 401
    )


def test_the_check_wants_a_field_and_a_post(physician_client):
    assert physician_client.get(URL).status_code == 405
    assert physician_client.post(URL, {"checked": "source"}).status_code == 400


def test_counts_are_kept_and_no_words(physician):
    made = identifiers.record(
        member=physician, place="answer", kept=Kept({"phone": 1}, {"place": 2}, "misread")
    )

    assert (made.stops, made.doubts, made.why) == ({"phone": 1}, {"place": 2}, "misread")
    assert identifiers.record(member=physician, place="answer", kept=Kept()) is None
    assert IdentifierDecision.objects.count() == 1


def test_the_database_wants_a_reason_for_what_must_go(physician):
    with pytest.raises(IntegrityError):
        IdentifierDecision.objects.create(member=physician, place="answer", stops={"phone": 1})
