from django.http import Http404


def own_paper(request, article_id):
    raise Http404
