"""What the crispy template pack `paper` needs to know about a field to draw it."""

from django import template
from django.forms import BaseForm, BoundField
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

FRAMEWORK_CLASSES = {"btn", "btn-primary", "btn-inverse", "btn-default"}


@register.simple_tag
def paper_widget(field: BoundField, also: str = "") -> SafeString:
    """Draw the control of a field as `.input`, tied to its help, its error and the element whose id is `also`."""
    widget = field.field.widget
    attrs = {}
    if getattr(widget, "input_type", "") != "checkbox":
        attrs["class"] = " ".join(dict.fromkeys(["input", *widget.attrs.get("class", "").split()]))
    if "style" in widget.attrs:  # refused by the content security policy
        attrs["style"] = False
    if _repeats_label(widget.attrs.get("placeholder"), field.label):
        attrs["placeholder"] = False
    if is_decoy(field):
        attrs["autocomplete"] = "off"
    if field.use_fieldset:  # several controls under one name
        attrs["aria-labelledby"] = f"{field.auto_id}_legend"
    if also:
        attrs["aria-describedby"] = f"{field.aria_describedby or ''} {also}".strip()
    return field.as_widget(attrs=attrs)


@register.simple_tag
def paper_choices(field: BoundField) -> list[dict]:
    """Return the options of a radio or checkbox group, each with tag, id, label and help.

    A label of two lines is a label and, below it, its help.
    """
    options = []
    for choice in field.subwidgets:
        for name in ("class", "style", "aria-invalid", "aria-describedby"):
            choice.data["attrs"].pop(name, None)
        label, help_text = two_lines(choice.choice_label)
        options.append({"tag": choice.tag(), "id": choice.id_for_label, "label": label, "help": help_text})
    return options


@register.filter
def two_lines(label: str) -> tuple[str, str]:
    """Return a label of two lines as what is said and what is said in small below it."""
    first, _, second = str(label).partition("\n")
    return first, second


@register.filter
def group_classes(field: BoundField) -> str:
    """Return the classes of a choice in a group: `choice`, and `choice-card` where the widget asks for cards."""
    return "choice choice-card" if "choice-card" in field.field.widget.attrs.get("class", "") else "choice"


@register.filter
def is_segmented(field: BoundField) -> bool:
    """Whether a radio group is drawn as one bar of choices."""
    return "segmented" in field.field.widget.attrs.get("class", "")


@register.filter
def is_group(field: BoundField) -> bool:
    """Whether a field is a group of radios or checkboxes."""
    return field.field.widget.use_fieldset and hasattr(field.field.widget, "option_template_name")


@register.filter
def is_decoy(field: BoundField) -> bool:
    """Whether a field is a trap for programs that fill in everything: nameless and out of the keyboard's way."""
    return not field.label and field.field.widget.attrs.get("tabindex") == "-1"


@register.filter
def identifiers(field: BoundField) -> object | None:
    """What the identifier check found in a field, or None where the form has no such check."""
    return getattr(field.form, "checked_identifiers", {}).get(field.name)


@register.filter
def own_classes(classes: str) -> str:
    """Drop the class names of another design that crispy's buttons bring along."""
    return " ".join(name for name in str(classes).split() if name not in FRAMEWORK_CLASSES)


@register.filter
def own_attrs(attrs: str) -> SafeString:
    """Give the drawn attributes of a crispy button our class in place of its own."""
    return mark_safe(attrs.replace('class="btn', 'class="button', 1))  # noqa: S308 - escaped by crispy already


@register.filter
def faults(form: BaseForm) -> list[dict]:
    """Return what is wrong with a form, in the order of its fields: text, label, and the id of the control."""
    if not form.is_bound:
        return []
    found = [{"text": text, "label": "", "target": ""} for text in form.non_field_errors()]
    for field in form:
        for text in field.errors:
            label = "" if field.is_hidden else two_lines(field.label)[0]
            found.append({"text": text, "label": label, "target": _control_id(field)})
    return found


def _repeats_label(placeholder, label) -> bool:
    """Whether a placeholder says again, in gray, what the label says ("Email", "Email address")."""
    said, label = str(placeholder or "").casefold(), str(label or "").casefold()
    return bool(said and label) and (said in label or label in said)


def _control_id(field: BoundField) -> str:
    if field.is_hidden or not field.auto_id:
        return ""
    return field.id_for_label or f"{field.auto_id}_0"
