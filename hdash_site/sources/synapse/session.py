"""Every request to Synapse: so many at once, tried again with patience, and given up in time.

The client would retry for half an hour by itself. It sends its requests through a `requests.Session`, so
ours answers in its place: what can be tried again is, within the patience and the deadline of the crawl;
what cannot, ends as an error of ours that the client passes on. No message holds an address or a header:
an address that is signed is a key.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import tenacity
from requests.adapters import HTTPAdapter

from hdash_site.errors import AtlasError, HdashError, SourceError

T = TypeVar("T")

TRY_AGAIN = (408, 409, 429, 500, 502, 503, 504)
CONNECT_SECONDS, READ_SECONDS = 10, 60
LONGEST_WAIT = 20.0
LATER = "build again later; Synapse says at status.synapse.org how it is"
SCOPES = "make a personal access token with the scopes view and download, for an account that may read it"


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds a request is tried again; `until`: when the crawl gives up (monotonic clock)."""

    seconds: float
    until: float

    def left(self) -> float:
        return max(0.0, min(self.seconds, self.until - time.monotonic()))

    def timeout(self) -> tuple[float, float]:
        """Give the seconds that a connection, and a pause in an answer, may take."""
        left = max(self.left(), 1.0)
        return min(CONNECT_SECONDS, left), min(READ_SECONDS, left)


class Busy(Exception):
    """An answer that may be another soon; `after`: seconds that the service asks us to wait."""

    def __init__(self, said: str, after: float = 0.0) -> None:
        super().__init__(said)
        self.after = after


class Unanswered(Exception):
    """Carries our error through the client, which looks at names and texts of exceptions to retry them."""

    def __init__(self, error: HdashError) -> None:
        super().__init__("unanswered")
        self.error = error


class Refused(SourceError):
    """An answer that stays as it is: `status` is that of HTTP."""

    def __init__(self, status: int, problem: str, way_out: str) -> None:
        super().__init__(problem, "Synapse", way_out)
        self.status = status


def of_one_atlas(error: SourceError) -> AtlasError:
    """Give what struck one question as an error of its atlas: the others were answered."""
    return AtlasError(error.problem, error.place, error.way_out)


class Session(requests.Session):
    """The session that the client uses; at most `at_once` requests are on their way."""

    def __init__(self, patience: Patience, at_once: int) -> None:
        super().__init__()
        self._patience = patience
        self._room = threading.BoundedSemaphore(at_once)
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=at_once)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method: Any, url: Any, *args: Any, **settings: Any) -> requests.Response:
        def answer() -> requests.Response:
            settings["timeout"] = self._patience.timeout()
            with self._room:
                response = super(Session, self).request(method, url, *args, **settings)
            return _judged(response)

        try:
            return patiently(answer, self._patience)
        except HdashError as error:
            raise Unanswered(error) from None


def patiently(attempt: Callable[[], T], patience: Patience) -> T:
    """Call until there is an answer. Raises `AtlasError` if there is none in time."""

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        return max(backoff(state), failure.after if isinstance(failure, Busy) else 0.0)

    backoff = tenacity.wait_exponential_jitter(multiplier=0.25, max=LONGEST_WAIT, jitter=0.25)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Busy),
        wait=wait,
        stop=tenacity.stop_before_delay(patience.left()),
        reraise=True,
    )
    try:
        return retrying(lambda: translated(attempt))
    except Busy as busy:
        raise AtlasError(str(busy), "Synapse", LATER) from None


def translated(attempt: Callable[[], T]) -> T:
    """Turn what goes wrong on the way into `Busy`."""
    try:
        return attempt()
    except requests.Timeout:
        raise Busy("it does not answer in time") from None
    except (requests.RequestException, OSError) as error:
        raise Busy(f"the connection fails ({type(error).__name__})") from None


def _judged(response: requests.Response) -> requests.Response:
    """Let good answers pass; raise `Busy` or `Refused` for the others."""
    status = response.status_code
    if status in TRY_AGAIN:
        raise Busy(f"it answers {status}{_reason(response)}", _after(response))
    if status == 401:
        raise Refused(status, "it does not accept the token in SYNAPSE_AUTH_TOKEN", SCOPES)
    if status == 403:
        raise Refused(status, f"the token may not do that{_reason(response)}", SCOPES)
    if status >= 400:
        raise Refused(status, f"it answers {status}{_reason(response)}", "see that the settings are right")
    try:
        answer = response.json()
    except ValueError:
        answer = None
    kind = response.headers.get("Content-Type", "")
    if not isinstance(answer, dict) or not kind.startswith("application/json"):
        raise Busy(f"it answers {status} with something else than JSON")
    return response


def _reason(response: requests.Response) -> str:
    """Give the service's own words, if they are a few, in parentheses."""
    try:
        reason = json.loads(response.content).get("reason", "")
    except (ValueError, AttributeError):
        return ""
    secret = str(response.request.headers.get("Authorization", "")).rpartition(" ")[2]
    said = str(reason).replace(secret, "…") if secret else str(reason)
    return f" ({' '.join(said.split())[:200]})" if said else ""


def _after(response: requests.Response) -> float:
    """Give the seconds that Retry-After names; a date is not worth reading, since our own wait grows."""
    try:
        return min(max(float(response.headers.get("Retry-After", "0")), 0.0), 300.0)
    except ValueError:
        return 0.0
