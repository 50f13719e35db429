"""What a member chooses on the way into a room, and out of it."""

from django import forms

from focusgroups.models import Agreement, ScreenerOption, ScreenerQuestion


class ScreenerForm(forms.Form):
    """One question. An option of another one is none of its choices."""

    option = forms.ModelChoiceField(
        queryset=ScreenerOption.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={
            "required": "Choose one answer.",
            "invalid_choice": "Choose one of the answers shown.",
        },
    )

    def __init__(self, *args, question: ScreenerQuestion, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["option"].label = question.text
        self.fields["option"].queryset = question.options.order_by("place")


class AgreementForm(forms.Form):
    """`read` is the version that stood on the page."""

    accepts = forms.BooleanField(
        label="I have read this agreement and accept it",
        error_messages={"required": "Tick this if you accept the agreement. Nobody joins without."},
    )
    read = forms.ModelChoiceField(queryset=Agreement.objects.none(), widget=forms.HiddenInput)

    def __init__(self, *args, newest: Agreement, **kwargs):
        super().__init__(*args, initial={"read": newest.pk}, **kwargs)
        self.fields["read"].queryset = Agreement.objects.filter(room=newest.room_id)


class LeaveForm(forms.Form):
    takes_back = forms.BooleanField(
        label="Take back everything I said, too",
        help_text="Your answers and replies are erased. What you earned stays yours either way.",
        required=False,
    )
