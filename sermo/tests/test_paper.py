import re

import pytest
from crispy_forms.bootstrap import Alert, FieldWithButtons, FormActions, StrictButton
from crispy_forms.helper import FormHelper
from crispy_forms.layout import (
    HTML,
    Button,
    ButtonHolder,
    Column,
    Div,
    Field,
    Fieldset,
    Hidden,
    Layout,
    Reset,
    Row,
    Submit,
)
from django import forms
from django.template import Context, Template


class Composer(forms.Textarea):
    pass


class LicenseForm(forms.Form):
    number = forms.CharField(help_text="As printed on the card.")
    npi = forms.CharField(label="NPI", required=False, widget=forms.TextInput(attrs={"class": "narrow"}))
    state = forms.ChoiceField(choices=[("CA", "California"), ("WA", "Washington")])
    proof = forms.ChoiceField(
        choices=[
            ("document", "Send a document\nDeleted after 30 days."),
            ("vouch", "Three colleagues vouch"),
        ],
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
    )
    order = forms.ChoiceField(
        choices=[("hot", "Hot"), ("new", "New")],
        initial="hot",
        widget=forms.RadioSelect(attrs={"class": "segmented"}),
    )
    body = forms.CharField(widget=Composer, help_text="What changes the decision.")
    scan = forms.FileField(required=False)
    issued = forms.SplitDateTimeField(required=False)
    peers_only = forms.BooleanField(required=False, label="Peers only\nNo firm sees it.")
    place = forms.CharField(widget=forms.HiddenInput, required=False)
    website = forms.CharField(
        label="",
        required=False,
        widget=forms.TextInput(
            attrs={"style": "position: absolute", "tabindex": "-1", "autocomplete": "nope"}
        ),
    )

    def clean(self):
        if self.cleaned_data.get("npi") == "0":
            raise forms.ValidationError("No such registry entry.")


GOOD = {
    "number": "A123456",
    "state": "CA",
    "proof": "vouch",
    "order": "new",
    "body": "A case.",
}


def draw(form, source="{{ form|crispy }}", **context) -> str:
    template = Template("{% load crispy_forms_tags %}" + source)
    html = template.render(Context({"form": form, "csrf_token": "t0", **context}))
    return re.sub(r">\s+<", "><", html)


def control(html: str, name: str) -> str:
    return re.search(rf'<(?:input|select|textarea)[^>]*name="{name}"[^>]*>', html)[0]


# A field


def test_a_field_is_label_help_and_control_tied_together():
    html = draw(LicenseForm())

    assert '<div class="field" id="div_id_number"><label for="id_number">Number</label>' in html
    assert '<div class="help" id="id_number_helptext">As printed on the card.</div>' in html
    assert 'class="input"' in control(html, "number")
    assert 'aria-describedby="id_number_helptext"' in control(html, "number")
    assert "aria-invalid" not in html


def test_only_what_may_be_left_out_says_so():
    html = draw(LicenseForm())

    assert 'for="id_npi">NPI <span class="optional">optional</span></label>' in html
    assert 'for="id_state">State</label>' in html


def test_a_class_of_the_widget_is_kept_beside_ours_and_the_widget_is_not_changed():
    form = LicenseForm()

    assert 'class="input narrow"' in control(draw(form), "npi")
    assert form.fields["npi"].widget.attrs["class"] == "narrow"
    assert "class" not in form.fields["number"].widget.attrs


def test_a_placeholder_that_repeats_the_label_is_dropped():
    form = LicenseForm()
    form.fields["number"].widget.attrs["placeholder"] = "Number (again)"
    form.fields["npi"].widget.attrs["placeholder"] = "1234567893"

    html = draw(form)

    assert "placeholder" not in control(html, "number")
    assert 'placeholder="1234567893"' in control(html, "npi")


def test_a_fault_is_said_at_the_field_and_named_by_it():
    html = draw(LicenseForm({**GOOD, "number": ""}))

    assert 'aria-invalid="true"' in control(html, "number")
    assert 'aria-describedby="id_number_helptext id_number_error"' in control(html, "number")
    assert re.search(
        r'<div id="id_number_error"><p class="error"><svg.*?</svg><span>This field is required', html
    )


def test_a_checkbox_has_its_words_beside_it_and_more_in_small():
    html = draw(LicenseForm())

    assert '<label class="choice" for="id_peers_only"><input type="checkbox"' in html
    assert "<span>Peers only<small>No firm sees it.</small></span></label>" in html


def test_radios_are_a_named_group_of_cards_where_the_widget_asks_for_them():
    html = draw(LicenseForm({**GOOD, "proof": ""}))
    group = re.search(r'<fieldset class="field" id="div_id_proof".*?</fieldset>', html, re.S)[0]

    assert 'aria-describedby="id_proof_error"' in group
    assert '<legend id="id_proof_legend">Proof</legend>' in group
    assert group.count('<label class="choice choice-card"') == 2
    assert "<span>Send a document<small>Deleted after 30 days.</small></span>" in group
    assert 'class="choice-card"' not in group


def test_radios_can_be_one_bar():
    html = draw(LicenseForm())

    assert (
        '<div class="segmented"><label for="id_order_0"><input type="radio" name="order" value="hot"' in html
    )


def test_a_composer_has_tools_a_preview_and_a_place_for_the_draft():
    html = draw(LicenseForm())

    assert '<div class="composer">' in html
    assert 'data-format="bold"' in html
    assert 'hx-post="/questions/preview/"' in html
    assert 'aria-describedby="id_body_helptext id_body_foot"' in control(html, "body")
    assert "data-draft-status" in html


def test_several_controls_under_one_name_share_its_legend():
    html = draw(LicenseForm())

    assert '<legend id="id_issued_legend">' in html
    assert 'aria-labelledby="id_issued_legend"' in control(html, "issued_0")
    assert 'class="input"' in control(html, "issued_1")


def test_a_decoy_is_out_of_everyones_way_without_a_style_attribute():
    html = draw(LicenseForm())

    assert '<div class="sr" aria-hidden="true"><input type="text" name="website"' in html
    assert "style=" not in html
    assert "nope" not in html


def test_a_hidden_field_is_only_itself():
    assert re.search(r'</div><input type="hidden" name="place" id="id_place">', draw(LicenseForm()))


# What is wrong with a form


def test_the_summary_links_to_each_field_and_takes_the_focus():
    html = draw(LicenseForm({**GOOD, "number": "", "proof": ""}))

    assert html.startswith('<div class="note error" role="alert" tabindex="-1" data-focus-on-load>')
    assert "<b>Not sent: 2 things need a change.</b>" in html
    assert '<li><a href="#id_number">Number</a>: This field is required.</li>' in html
    assert '<a href="#id_proof_0">Proof</a>' in html


def test_one_fault_of_the_whole_form_is_said_plainly():
    html = draw(LicenseForm({**GOOD, "npi": "0"}))

    assert "<b>Not sent.</b> No such registry entry." in html


@pytest.mark.parametrize("form", [LicenseForm(), LicenseForm(GOOD)], ids=["untouched", "good"])
def test_a_form_without_fault_has_no_summary(form):
    assert "note error" not in draw(form)


def test_what_was_typed_is_escaped_in_the_summary():
    html = draw(LicenseForm({**GOOD, "state": "<script>"}))

    assert "<script>" not in html
    assert "&lt;script&gt;" in html


# {% crispy %} and its layouts


def laid_out(*pieces):
    form = LicenseForm({**GOOD, "number": ""})
    form.helper = FormHelper()
    form.helper.form_action = "/verify/"
    form.helper.attrs = {"data-draft-url": "/drafts/ask/"}
    form.helper.layout = Layout(*pieces)
    form.helper.render_unmentioned_fields = False
    return draw(form, "{% crispy form %}")


def test_a_helper_draws_the_whole_form():
    html = laid_out("number", Submit("send", "Answer and go on"), Submit("skip", "Skip", css_class="quiet"))

    assert html.startswith("<form ")
    assert 'action="/verify/"' in html
    assert 'data-draft-url="/drafts/ask/"' in html
    assert 'class="stack" method="post" enctype="multipart/form-data" novalidate>' in html
    assert 'name="csrfmiddlewaretoken" value="t0"' in html
    assert "note error" in html
    assert (
        'value="Answer and go on" class="button primary" id="submit-id-send">Answer and go on</button>'
        in html
    )
    assert 'class="button quiet"' in html
    assert "btn" not in html


def test_layout_pieces_are_drawn_in_our_markup():
    html = laid_out(
        Fieldset("License", "number", Row("state", "npi"), css_class="wide"),
        Div(Field("proof", css_class="choice-card"), css_id="proofs", css_class="stack-s"),
        HTML("<p>{{ form.order.label }}</p>"),
        Button("back", "Back"),
        Reset("reset", "Start over"),
        Hidden("step", "2"),
    )

    assert '<fieldset class="stack wide"><legend class="choice-legend">License</legend>' in html
    assert '<div class="grid"><div class="field" id="div_id_state">' in html
    assert '<div id="proofs" class="stack-s"><fieldset' in html
    assert "<p>Order</p>" in html
    assert '<button type="button" name="back"' in html
    assert '<button type="reset"' in html
    assert '<input type="hidden" name="step" value="2">' in html


def test_buttons_and_notes_of_crispy_are_drawn_in_our_markup():
    html = laid_out(
        FieldWithButtons("number", StrictButton("Check", css_class="quiet", type="submit")),
        Column("state", css_class="wide"),
        Alert("<b>Once.</b> It cannot be undone."),
        ButtonHolder(Submit("send", "Send")),
        FormActions(Submit("keep", "Keep", css_class="plain")),
    )

    assert '<div class="with-button"><input type="text" name="number"' in html
    assert re.search(r'<button[^>]* class="button quiet"[^>]*>Check</button>', html)
    assert '<div class="stack wide"><div class="field" id="div_id_state">' in html
    assert re.search(r'<div class="note"><svg.*?</svg><div><b>Once.</b> It cannot be undone.</div>', html)
    assert '<div class="cluster"><button type="submit" name="send"' in html
    assert 'class="button plain"' in html
    assert "btn" not in html


def test_a_field_can_be_drawn_alone_and_take_attributes():
    form = LicenseForm()
    form.helper = FormHelper()
    form.helper.form_tag = False
    form.helper.layout = Layout(Field("number", inputmode="numeric", wrapper_class="wide"))

    alone = draw(form, "{{ form.number|as_crispy_field }}")
    placed = draw(form, "{% crispy form %}")

    assert '<label for="id_number">' in alone
    assert '<div class="field wide" id="div_id_number">' in placed
    assert 'inputmode="numeric"' in control(placed, "number")
    assert "<form" not in placed


def test_a_formset_is_drawn_with_its_management_form():
    formset = forms.formset_factory(LicenseForm, extra=2)()

    html = draw(formset)

    assert 'name="form-TOTAL_FORMS" value="2"' in html
    assert html.count('<div class="stack">') == 2


def test_errors_alone_can_be_drawn():
    html = draw(LicenseForm({}), "{{ form|as_crispy_errors }}")

    assert "note error" in html
    assert "<label" not in html
