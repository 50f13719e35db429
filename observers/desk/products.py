"""The desk of products: their names and makers, what was asked of these, and what they said of posts."""

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles
from accounts.admin import ReadOnlyAdmin
from observers.models import AdverseEvent, CompanyQuestion, Product
from observers.products import is_word
from observers.services import company
from sermo.estimates import EstimatedPaginator
from sermo.text import searchable

MODERATORS_MAY = ["view_product", "add_product", "change_product", "view_companyquestion"]


@receiver(post_migrate)
def allow_moderators(sender, using, **kwargs):
    """Give the moderators' group the words of products, and what members ask of makers."""
    if sender.label != "observers":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.MODERATORS)
    group.permissions.add(
        *Permission.objects.filter(content_type__app_label="observers", codename__in=MODERATORS_MAY)
    )


class ProductForm(forms.ModelForm):
    words = SimpleArrayField(
        forms.CharField(
            max_length=60, error_messages={"max_length": "At most %(limit_value)d characters a word."}
        ),
        help_text="Brand and generic names, with commas between. A post names it where one is a whole word.",
        error_messages={
            "required": "Write the words by which a post is known to name it.",
            "item_invalid": "Word %(nth)s:",
        },
    )

    class Meta:
        model = Product
        fields = ["name", "slug", "generic", "kind", "maker", "words"]
        error_messages = {
            "name": {"required": "Write its name."},
            "slug": {
                "required": "Write how its address ends.",
                "unique": "Another product has this address.",
            },
            "kind": {"required": "Choose drug or device."},
        }

    def clean_words(self):
        words = list(dict.fromkeys(searchable(word) for word in self.cleaned_data["words"] if word.strip()))
        for word in words:
            is_word(word)
        return words


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    list_display = ["name", "generic", "kind", "maker"]
    list_filter = ["kind"]
    list_select_related = ["maker"]
    search_fields = ["name", "generic", "maker__name"]
    prepopulated_fields = {"slug": ["name"]}
    show_full_result_count = False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(CompanyQuestion)
class CompanyQuestionAdmin(ReadOnlyAdmin):
    """Questions without their askers; a question that must not stand is taken out of sight."""

    list_display = ["product", "firm", "asked_at", "due_at", "answered_at", "removed_at"]
    list_filter = [("answered_at", admin.EmptyFieldListFilter), ("removed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["product", "firm"]
    fields = ["product", "firm", "text", "asked_at", "due_at", "answer", "answered_at", "removed_at"]
    ordering = ["-pk"]
    paginator = EstimatedPaginator
    actions = ["take_out"]

    @admin.action(description="Take out of sight, with its answer", permissions=["view"])
    def take_out(self, request, queryset):
        standing = list(queryset.filter(removed_at=None))
        for question in standing:
            company.remove(question=question, by=request.user)
            self.log_change(request, question, "Taken out of sight.")
        if standing:
            messages.success(request, f"{len(standing)} taken out of sight.")
        else:
            messages.warning(request, "Nothing was changed: all of it is out of sight.")


@admin.register(AdverseEvent)
class AdverseEventAdmin(ReadOnlyAdmin):
    """What makers said of posts on their products."""

    list_display = ["product", "firm", "read_at", "outcome", "said_at"]
    list_filter = ["outcome"]
    list_select_related = ["product", "firm"]
    fields = [
        *("product", "firm", "read_at", "outcome", "said_at"),
        *("has_reporter", "has_patient", "has_event", "has_product"),
    ]
    ordering = ["-pk"]
    paginator = EstimatedPaginator
