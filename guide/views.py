"""The user guide inside the product, for whoever is signed in."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import AuthedRequest
from guide.pages import the_guide
from guide.search import search as search_guide
from mmm_project.problems import NotFound
from mmm_project.web import render_page

LONGEST_QUERY = 200


@require_safe
def index(request: AuthedRequest) -> HttpResponse:
    """Show the contents."""
    return render_page(request, "guide/index.html", {"guide": the_guide()})


@require_safe
def page(request: AuthedRequest, page: str) -> HttpResponse:
    """Show a page. Raises NotFound for one that the guide does not have."""
    guide = the_guide()
    if page not in guide.entries:
        raise NotFound("The guide has no such page. Its contents are under Help.")
    before, after = guide.neighbours(page)
    context = {"guide": guide, "page": guide.page(page), "before": before, "after": after}
    return render_page(request, "guide/page.html", context)


@require_safe
def search(request: AuthedRequest) -> HttpResponse:
    """Show the sections that hold the words of `?q=`."""
    query = request.GET.get("q", "").strip()[:LONGEST_QUERY]
    context = {"guide": the_guide(), "query": query, "results": search_guide(the_guide(), query) if query else None}
    return render_page(request, "guide/search.html", context, fragment="results")
