"""What members choose about firms, checked."""

from django import forms

from observers.models import Contract
from rewards.models import Firm

# Within a sentence, as the choice of a whole sector says it.
SECTORS = {
    Firm.Kind.PHARMA: "Pharmaceutical companies",
    Firm.Kind.DEVICE: "Device makers",
    Firm.Kind.RESEARCH: "Research agencies",
    Firm.Kind.FINANCE: "Financial firms",
    Firm.Kind.GOVERNMENT: "Government agencies",
    Firm.Kind.ACADEMIC: "Academic institutions",
    Firm.Kind.SOCIETY: "Medical societies",
    Firm.Kind.OTHER: "Other firms",
}


class ChoicesForm(forms.Form):
    """What holds for all firms."""

    peers_only = forms.BooleanField(
        required=False,
        label="Peers only, unless I say otherwise\n"
        "The box is ticked whenever you ask, answer or comment. What you wrote before stays as it is.",
    )
    hides_industry = forms.BooleanField(
        required=False,
        label="Hide what firms ask\nQuestions and polls that a firm opened leave your lists, searches and feeds.",
    )
    sectors = forms.MultipleChoiceField(
        required=False,
        choices=list(SECTORS.items()),
        label="Sectors that read nothing of yours",
        help_text="Every firm of the kind, also those that come later. It covers what you wrote before.",
        widget=forms.CheckboxSelectMultiple,
    )


class BlockForm(forms.Form):
    """One firm, to shut out or to let read again: one that may watch, or is blocked by whoever asks."""

    firm = forms.ModelChoiceField(None)
    block = forms.TypedChoiceField(
        choices=[("1", "Block"), ("0", "Unblock")], coerce=lambda typed: typed == "1"
    )

    def __init__(self, *args, member, **kwargs):
        super().__init__(*args, **kwargs)
        watching = Contract.objects.current().values("firm")
        firms = Firm.objects.filter(pk__in=watching) | Firm.objects.filter(blocks__member=member)
        self.fields["firm"].queryset = firms.distinct()


class PeersOnlyForm(forms.Form):
    peers_only = forms.TypedChoiceField(
        choices=[("1", "Keep it among peers"), ("0", "Let firms read it")], coerce=lambda typed: typed == "1"
    )
