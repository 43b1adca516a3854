"""Addresses that lack their closing slash."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware

from mmm_project.web import is_api


class ClosingSlashMiddleware(CommonMiddleware):
    """Redirects to a page that lacks it. The API answers 404 and names the address (`mmm_project.errors`).

    Programs follow a redirected POST with a GET: they would take a list for the answer, and nothing would be done.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return not is_api(request) and super().should_redirect_with_slash(request)
