from django.http import Http404


def feed_settings(request):
    raise Http404


def atom(request, key):
    raise Http404
