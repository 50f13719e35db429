"""The desk of rules that map articles, and of hosts that asked to be left alone."""

from django import forms
from django.contrib import admin, messages

from accounts.models import Specialty
from newsfeed import reference
from newsfeed.mapping import folded
from newsfeed.models import Article, Host, MappingRule
from newsfeed.services import mapping
from sermo.estimates import EstimatedPaginator

MOST_MAPPED = 2_000


class RuleForm(forms.ModelForm):
    class Meta:
        help_texts = {
            "pattern": "A section, category or MeSH term as a whole; a word or words of the title. "
            "A lone word of up to three letters, such as MS, must be written in capitals there.",
            "specialty": "Either a specialty or a region.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "specialty" in self.fields:
            self.fields["specialty"].queryset = Specialty.objects.filter(is_choice=True)

    def clean_pattern(self):
        pattern = folded(self.cleaned_data["pattern"])
        if not any(sign.isalnum() for sign in pattern):
            raise forms.ValidationError("Write a word.")
        return pattern

    def clean(self):
        cleaned = super().clean()
        if bool(cleaned.get("specialty")) == bool(cleaned.get("region")):
            self.add_error("specialty", "Choose a specialty or a region, one of the two.")
        return cleaned


@admin.register(MappingRule)
class MappingRuleAdmin(admin.ModelAdmin):
    """Rules are added, switched off and on. Those the site ships with stay, so that no start brings them back."""

    form = RuleForm
    fields = ["where", "pattern", "specialty", "region"]
    list_display = ["pattern", "where", "gives", "is_on"]
    list_display_links = None
    list_filter = ["where", "region", "is_on"]
    list_select_related = ["specialty"]
    search_fields = ["pattern", "specialty__name"]
    search_help_text = "A pattern or a specialty"
    ordering = ["specialty__name", "region", "where", "pattern"]
    list_per_page = 100
    actions = ["map_anew", "switch_off", "switch_on"]

    def has_change_permission(self, request, obj=None):
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request, obj=None):
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and reference.is_shipped_rule(obj))

    @admin.display(description="gives", ordering="specialty__name")
    def gives(self, rule):
        return rule.specialty or rule.get_region_display()

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        mapping.forget()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        mapping.forget()

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        mapping.forget()

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request, queryset):
        self._switch(request, queryset, is_on=False)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request, queryset):
        self._switch(request, queryset, is_on=True)

    def _switch(self, request, queryset, *, is_on) -> None:
        ids = queryset.exclude(is_on=is_on).order_by().values("pk")
        done = MappingRule.objects.filter(pk__in=ids).update(is_on=is_on)
        mapping.forget()
        word = "on" if is_on else "off"
        self.message_user(
            request, f"Switched {word}: {done}. Map articles anew to apply it.", messages.SUCCESS
        )

    @admin.action(
        description=f"Map the newest {MOST_MAPPED:,} articles anew, by all rules", permissions=["change"]
    )
    def map_anew(self, request, queryset):
        mapping.forget()
        done = mapping.remap(Article.objects.listed().order_by("-shown_at", "-pk").only("pk")[:MOST_MAPPED])
        self.message_user(request, f"Articles mapped anew: {done}.", messages.SUCCESS)


@admin.register(Host)
class HostAdmin(admin.ModelAdmin):
    """Hosts that asked to be left alone. Deleting a row lets the next round ask again."""

    list_display = ["name", "parked_until", "why"]
    list_display_links = None
    ordering = ["-parked_until"]
    paginator = EstimatedPaginator
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
