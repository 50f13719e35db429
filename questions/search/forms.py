from django import forms

from questions.services.saved import LONGEST_NAME


class NameForm(forms.Form):
    """The name under which a search is kept."""

    name = forms.CharField(max_length=LONGEST_NAME, label="Name")
