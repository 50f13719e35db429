"""The forms of the desk of contracts."""

from django import forms

from observers.models import Contract, Plan, Purpose, SeatInvitation
from observers.seat_forms import ADDRESS, CHOOSE
from rewards.models import Firm

NUMBER = "Write a whole number, or 0 for none."
DAY = "Write a day, such as 2026-11-18."


class PlanForm(forms.ModelForm):
    class Meta:
        model = Plan
        fields = forms.ALL_FIELDS
        error_messages = {
            "slug": {
                "required": "Write a short name for addresses.",
                "invalid": "Letters, digits, hyphens and underscores.",
                "unique": "Another plan has this name.",
            },
            "name": {"required": "Write what it is called."},
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.IntegerField):
                field.error_messages |= dict.fromkeys(["required", "invalid"], NUMBER)


class ContractForm(forms.ModelForm):
    purposes = forms.MultipleChoiceField(
        choices=Purpose.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Each read is logged with one of them, and its author is shown it.",
        error_messages={"required": "Choose for what the firm may read."},
    )

    class Meta:
        model = Contract
        fields = ["firm", "plan", "purposes", "starts_on", "ends_on"]
        help_texts = {
            "starts_on": "The first day, by UTC.",
            "ends_on": "The last day, by UTC. None: until it is ended.",
        }
        error_messages = {
            "firm": {"required": "Choose the firm."},
            "plan": {"required": "Choose the plan."},
            "starts_on": {"required": "Choose the first day.", "invalid": DAY},
            "ends_on": {"invalid": DAY},
        }

    def _get_validation_exclusions(self):
        """That a firm has one contract at a time is asked with its firm and end, which may stand in no field."""
        return super()._get_validation_exclusions() - ({"firm", "ended_at"} - set(self.fields))


class OfferForm(forms.Form):
    """A seat that the desk offers: as a rule the first of a firm, whose person gives the others."""

    firm = forms.ModelChoiceField(
        Firm.objects.none(),
        help_text="Those whose contract is in force.",
        error_messages={"required": "Choose the firm.", "invalid_choice": "Choose a firm under contract."},
    )
    name = forms.CharField(
        max_length=SeatInvitation._meta.get_field("name").max_length,
        error_messages={"required": "Write who takes the seat."},
    )
    email = forms.EmailField(
        label="E-mail", help_text="The link goes there, and with it the log-in.", error_messages=ADDRESS
    )
    purpose = forms.ChoiceField(
        choices=Purpose.choices, error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE)
    )
    is_admin = forms.BooleanField(label="May give and end seats of the firm", required=False, initial=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["firm"].queryset = Firm.objects.filter(pk__in=Contract.objects.current().values("firm"))


class TraceForm(forms.Form):
    text = forms.CharField(
        label="What was found",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 60}),
        help_text=(
            "A copy mark such as COR-3-7F21, the four words of an export or of a focus group's file, or a text that "
            "holds them."
        ),
        error_messages={"required": "Write what was found, or paste it."},
    )
