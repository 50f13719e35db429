from django.http import Http404


def digest_preview(request):
    raise Http404
