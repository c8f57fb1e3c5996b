"""A lane of their own for pushes: machines have no session, no language and no form, so nothing looks for one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

PUSHES = "/hooks/"


class HookLane:
    """Stands behind the checks of transport. What is posted to a hook goes straight to it; all else takes the usual
    way, with everything that pages need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PUSHES):
            return self.get_response(request)
        request.get_host()  # refuses names that are not ours, as for every page
        try:
            view, args, kwargs = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        answer: HttpResponse = view(request, *args, **kwargs)
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer
