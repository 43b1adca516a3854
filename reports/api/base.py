"""What the views of reports have in common."""

from collections.abc import Mapping
from typing import Any

from rest_framework.response import Response

from accounts.models import Membership
from accounts.scopes import Scope
from api.views import ApiView

READ, WRITE = (Scope.REPORTS_READ,), (Scope.REPORTS_WRITE,)


class OfReports(ApiView):
    """An address about reports, of a member."""

    tag = "Reports"

    @property
    def membership(self) -> Membership:
        """The membership of the person who asks: actions are done with its authority."""
        found: Membership = self.request.membership  # type: ignore[attr-defined]  # set by accounts.access
        return found


def accepted(body: Any, *, at: str = "") -> Response:
    """Return the answer to a POST that a worker carries out, with where to look as `Location`: `at`, or its `url`."""
    assert isinstance(body, Mapping)  # noqa: S101 (one thing was represented)
    return Response(body, status=202, headers={"Location": at or str(body["url"])})
