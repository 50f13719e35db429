from django.http import Http404


def article(request, article_id):
    raise Http404


def discuss(request, article_id):
    raise Http404


def discussion(request, question_id):
    raise Http404
