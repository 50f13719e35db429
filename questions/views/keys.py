"""The single keys of lists and discussions, in words."""

from django.shortcuts import render

from accounts.doors import physician_required


@physician_required
def keys(request):
    """A page; for the script that shows them over another page, their dialog alone."""
    return render(request, "components/_keys.html" if request.htmx else "questions/keys.html")
