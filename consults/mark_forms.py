"""A mark on a picture, checked."""

from decimal import ROUND_HALF_UP, Decimal

from django import forms

from consults.models import Marker


class MarkForm(forms.Form):
    """Where it stands, in percent of the picture's sides, and what it says."""

    left = forms.DecimalField(min_value=0, max_value=100, decimal_places=1)
    top = forms.DecimalField(min_value=0, max_value=100, decimal_places=1)
    label = forms.CharField(max_length=Marker._meta.get_field("label").max_length)

    def clean_left(self) -> int:
        return _thousandths(self.cleaned_data["left"])

    def clean_top(self) -> int:
        return _thousandths(self.cleaned_data["top"])

    def clean_label(self) -> str:
        return " ".join(self.cleaned_data["label"].split())

    def refusals(self) -> list[str]:
        """All that is wrong, each in a sentence."""
        where = "Say where the mark stands: from 0 to 100 percent from the left and from the top."
        said = [where] if "left" in self.errors or "top" in self.errors else []
        if "label" in self.errors:
            said.append("Say in 1 to 80 characters what is there.")
        return [*said, *self.non_field_errors()]


def _thousandths(percent: Decimal) -> int:
    return int((percent * 10).quantize(Decimal(1), rounding=ROUND_HALF_UP))
