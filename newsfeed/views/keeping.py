from django.http import Http404


def save(request, article_id):
    raise Http404


def follow_source(request, slug):
    raise Http404


def less(request):
    raise Http404


def undo_less(request, less_id):
    raise Http404
