from django.http import Http404


def list_(request):
    raise Http404


def sources(request):
    raise Http404


def source(request, slug):
    raise Http404
