"""What members and reviewers type about a license that is held."""

from django import forms

from verification.forms import LENGTHS, WHY
from verification.models import Decision, LicenseCheck
from verification.services import held

Outcome, Finding = Decision.Outcome, LicenseCheck.Finding
ACT_LABELS = {
    Outcome.KEEP: "Keep",
    Outcome.ASK: "Ask for more",
    Outcome.SUSPEND: "Suspend",
    Outcome.REVOKE: "Revoke",
    Outcome.RETIRE: "Show as retired",
}
KEYS = {Outcome.KEEP: "k", Outcome.ASK: "m", Outcome.SUSPEND: "s", Outcome.REVOKE: "v", Outcome.RETIRE: "t"}


def day_field(label: str, **more) -> forms.DateField:
    words = {"invalid": "Write a day, such as 2027-01-31.", **more.pop("error_messages", {})}
    return forms.DateField(
        label=label, widget=forms.DateInput(attrs={"type": "date"}), error_messages=words, **more
    )


class ConfirmForm(forms.Form):
    expires_on = day_field(
        "In force until",
        help_text="The date on your license or on your board's page.",
        error_messages={"required": "Write the date on your license."},
    )


class LookUpForm(forms.Form):
    """What a reviewer found at the board."""

    finding = forms.ChoiceField(
        label="The board says",
        choices=Finding.choices,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose what the board says."),
        widget=forms.RadioSelect,
    )
    status = forms.CharField(label="In its words", required=False, max_length=60, error_messages=LENGTHS)
    expires_on = day_field("Runs until", required=False)
    note = forms.CharField(
        label="What you saw",
        max_length=2000,
        help_text="For reviewers only, kept encrypted.",
        error_messages={"required": "Write what you saw, in a sentence.", **LENGTHS},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class HeldForm(forms.Form):
    """A reviewer's answer about a claim that holds a license."""

    outcome = forms.ChoiceField(
        label="Decision",
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose what to do."),
        widget=forms.RadioSelect,
    )
    reason = forms.ChoiceField(
        label="Reason", error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose a reason.")
    )
    expires_on = day_field(
        "The license runs until", required=False, help_text="Needed to give a lapsed license back."
    )
    exclusion_checked = forms.BooleanField(
        label="I compared the exclusions above; they are someone else's.", required=False
    )
    note = forms.CharField(
        label="Why",
        max_length=2000,
        help_text="For reviewers only, kept encrypted.",
        error_messages=WHY,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    message = forms.CharField(
        label="Message to the member",
        required=False,
        max_length=1000,
        help_text="Needed to ask for more. It is shown on the member's page, never mailed.",
        error_messages=LENGTHS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, state: str, has_namesakes: bool, **kwargs):
        super().__init__(*args, **kwargs)
        acts = held.ACTS[state]
        self.acts = [(act.value, ACT_LABELS[act], KEYS[act]) for act in acts]
        self.fields["outcome"].choices = [(act.value, ACT_LABELS[act]) for act in acts]
        self.fields["reason"].choices = [
            ("", "Choose a reason"),
            *(
                (ACT_LABELS[act], [(reason.value, reason.label) for reason in held.REASONS[act]])
                for act in acts
            ),
        ]
        if not has_namesakes:
            del self.fields["exclusion_checked"]
        if Outcome.ASK not in acts:
            del self.fields["message"]
        if Outcome.KEEP not in acts:
            del self.fields["expires_on"]
