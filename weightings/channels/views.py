"""The page of one channel of a run."""

import uuid

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import AuthedRequest
from mmm_project.web import render_page
from weightings.planner.finding import get_run


@require_safe
def channel(request: AuthedRequest, slug: str, run_id: uuid.UUID, place: int) -> HttpResponse:
    """Show what a finished run says of one of its channels; its campaigns in the days that the address names.

    Days that make no sense are said to make none, beside all that there is, as on the dashboard.
    """
    # Here, not above: it brings SciPy, which the start of the web server must not wait for.
    from weightings.channels.page import present_channel

    run = get_run(access.get_workspace(request, slug), run_id)
    return render_page(request, "weightings/channel.html", {"page": present_channel(run, place, request.GET)})
