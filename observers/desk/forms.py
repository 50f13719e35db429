"""The forms of the desk of contracts."""

from django import forms

from observers.models import Contract, Purpose, SeatInvitation
from rewards.models import Firm


class ContractForm(forms.ModelForm):
    purposes = forms.MultipleChoiceField(
        choices=Purpose.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Each read is logged with one of them, and its author is shown it.",
    )

    class Meta:
        model = Contract
        fields = ["firm", "plan", "purposes", "starts_on", "ends_on"]
        help_texts = {
            "starts_on": "The first day, by UTC.",
            "ends_on": "The last day, by UTC. None: until it is ended.",
        }

    def _get_validation_exclusions(self):
        """That a firm has one contract at a time is asked with its firm and end, which may stand in no field."""
        return super()._get_validation_exclusions() - ({"firm", "ended_at"} - set(self.fields))


class OfferForm(forms.Form):
    """A seat that the desk offers: as a rule the first of a firm, whose person gives the others."""

    firm = forms.ModelChoiceField(Firm.objects.none(), help_text="Those whose contract is in force.")
    name = forms.CharField(max_length=SeatInvitation._meta.get_field("name").max_length)
    email = forms.EmailField(label="E-mail", help_text="The link goes there, and with it the log-in.")
    purpose = forms.ChoiceField(choices=Purpose.choices)
    is_admin = forms.BooleanField(label="May give and end seats of the firm", required=False, initial=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["firm"].queryset = Firm.objects.filter(pk__in=Contract.objects.current().values("firm"))


class TraceForm(forms.Form):
    text = forms.CharField(
        label="What was found",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 60}),
        help_text="A copy mark such as COR-3-7F21, the four words of an export, or a text that holds them.",
    )
