"""No form of a verification says what the framework says: a mistake is answered with what to type instead."""

import inspect

import pytest
from django import forms

from verification import forms as of_applicants
from verification import forms_license
from verification.desk import incidents, rosters, switch, unmasking

MODULES = (of_applicants, forms_license, incidents, rosters, switch, unmasking)
FORMS = sorted(
    {
        form
        for module in MODULES
        for _, form in inspect.getmembers(module, inspect.isclass)
        if issubclass(form, forms.Form) and form.__module__ == module.__name__
    },
    key=lambda form: form.__qualname__,
)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__qualname__)
def test_what_is_missing_is_said_in_words_of_its_own(form):
    plain = forms.Field.default_error_messages["required"]
    asked = {name: field for name, field in form.base_fields.items() if field.required}

    assert [name for name, field in asked.items() if field.error_messages["required"] == plain] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__qualname__)
def test_what_was_not_among_the_choices_or_is_no_day_is_too(form):
    """Such a value comes from a page that is old, or from a browser without a picker of days."""
    chosen = [
        field
        for field in form.base_fields.values()
        if isinstance(field, forms.ChoiceField | forms.DateField | forms.DateTimeField)
        and not isinstance(field, forms.TypedChoiceField)
        and field.required
    ]
    plain = {
        forms.ChoiceField.default_error_messages["invalid_choice"],
        forms.DateField.default_error_messages["invalid"],
        forms.DateTimeField.default_error_messages["invalid"],
    }

    assert [field.label for field in chosen if plain & set(field.error_messages.values())] == []
