"""Clients of AWS: which credentials, which endpoint, and what its refusals mean in one line.

Boto3 is imported when a client is made, not before: it takes longer to import than a build of nothing takes.
"""

# pyright: basic
# Boto3 comes without types: strict checking would report every call to it.

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from hdash_site.errors import AwsError, ConfigError

ENDPOINT, KEY, SECRET = "S3_ENDPOINT_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"

VARIABLES = {
    ENDPOINT: "The endpoint of S3, if it is not that of AWS.",
    KEY: "An access key; without one, AWS's own chain: its variables, its profiles, the role of the task.",
    SECRET: "The secret of that access key.",
}
"""What may be set, and what for."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Access:
    """How S3 is reached. `patience`: seconds for which a request that fails is tried again."""

    endpoint: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    patience: float = 60.0
    connections: int = 16


def access(environ: Mapping[str, str], patience: float = 60.0, connections: int = 16) -> Access:
    """Read the variables; one that is empty counts as not set. Raises `ConfigError`."""
    endpoint, key, secret = (environ.get(name, "").strip() for name in (ENDPOINT, KEY, SECRET))
    if endpoint:
        try:
            parts = urlsplit(endpoint)
            sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
            sound = sound and not parts.username and endpoint.isprintable()
        except ValueError:
            sound = False
        if not sound:
            raise ConfigError("this is no address of a service", ENDPOINT, "write https://host:port")
    if bool(key) != bool(secret):
        raise ConfigError("it is set without the other", KEY if key else SECRET, f"set {KEY} and {SECRET}")
    return Access(endpoint, key, secret, patience, connections)


def client(service: str, how: Access) -> Any:
    """Make a client that tries each request once: `tried` is who tries again."""
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    # An answer that takes a quarter of the patience leaves time for three more attempts.
    wait = max(how.patience / 4, 0.5)
    settings = Config(
        connect_timeout=min(wait, 10),
        read_timeout=wait,
        max_pool_connections=how.connections,
        retries={"total_max_attempts": 1, "mode": "standard"},
        # TLS, or the signature over plain HTTP, covers a body already; not all services know more.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if how.endpoint else None,
    )
    try:
        core = botocore.session.get_session()
        core.register_component("data_loader", _descriptions())
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
        keys = {"aws_access_key_id": how.key or None, "aws_secret_access_key": how.secret or None}
        session = boto3.Session(botocore_session=core, **keys)
        # The one region that every account has; S3 says by itself where a bucket really is.
        region = session.region_name or "us-east-1"
        endpoint = how.endpoint if service == "s3" and how.endpoint else None
        return session.client(service, region_name=region, endpoint_url=endpoint, config=settings)
    except (BotoCoreError, ValueError) as error:
        way_out = "see the variables and profiles of AWS"
        raise ConfigError(f"no client can be made ({type(error).__name__})", service, way_out) from None


@functools.cache
def _descriptions() -> Any:
    """Give what reads the descriptions of services, each once: a second client is made in no time."""
    import botocore.session

    return botocore.session.get_session().get_component("data_loader")


def _timestamp(value: Any) -> datetime:
    """Read a time of an answer: of a listing, botocore's own way would be two thirds of the work."""
    if isinstance(value, str) and value[4:5] == "-":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # botocore knows more forms of times
    from botocore.utils import parse_timestamp

    return parse_timestamp(value)


def tried(how: Access, place: str, request: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Make a request, again with growing pauses while it fails for a reason that passes.

    An answer whose body was cut counts as one: boto3 does not try that again. Raises `AwsError`.
    """
    import tenacity

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_passes),
        stop=tenacity.stop_after_delay(how.patience),
        wait=tenacity.wait_random_exponential(multiplier=min(0.2, how.patience / 20), max=10),
        reraise=True,
    )
    try:
        return retrying(functools.partial(request, *args, **kwargs))
    except Exception as error:
        if not _of_aws(error):
            raise
        raise _told(error, place) from None


def code_of(error: BaseException) -> str:
    """Give the code of a refusal, such as `NoSuchBucket`, or the name of what went wrong on the way."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def _of_aws(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("botocore", "boto3", "urllib3", "s3transfer")


_BUSY = frozenset(
    (
        *("InternalError", "InternalServerError", "ServiceUnavailable", "SlowDown", "Throttling"),
        *("RequestTimeout", "ThrottlingException", "OperationAborted", "ConditionalRequestConflict"),
        *("RequestLimitExceeded", "TooManyRequestsException", "TooManyInvalidationsInProgress"),
        # The refusal of a look at an object has no body that would say more than its status.
        *("400", "500", "502", "503", "504", "IncompleteBody"),
    )
)
_FINAL = frozenset(
    (
        *("NoCredentialsError", "PartialCredentialsError", "ParamValidationError", "ProfileNotFound"),
        *("CredentialRetrievalError", "TokenRetrievalError", "UnauthorizedSSOTokenError"),
    )
)


def _passes(error: BaseException) -> bool:
    """Tell whether the same request may well succeed in a moment."""
    if not _of_aws(error):
        return False
    code = code_of(error)
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code in _BUSY or (status >= 500 and code != "NotImplemented")
    return code not in _FINAL


_CLOCK = "set the clock of this machine"
_KEYS = f"see {KEY} and {SECRET}, or the credentials of AWS"
_SAID = {
    "NoSuchDistribution": ("there is no such distribution", "correct its id"),
    "NoSuchBucket": ("there is no such bucket", "correct its name, or make it"),
    "AccessDenied": ("this is not allowed to us", "see what the credentials may do, and whose bucket it is"),
    "403": ("this is not allowed to us", "see what the credentials may do, and whose bucket it is"),
    "InvalidAccessKeyId": ("the access key is not known", _KEYS),
    "SignatureDoesNotMatch": ("the secret does not go with the access key", _KEYS),
    "ExpiredToken": ("the credentials have expired", "get new ones, and run it again"),
    "RequestTimeTooSkewed": ("our clock differs too much from that of AWS", _CLOCK),
    "RequestExpired": ("our clock differs too much from that of AWS", _CLOCK),
    "PermanentRedirect": ("the bucket is in another region", "set AWS_REGION to it"),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", "set AWS_REGION to it"),
    "IllegalLocationConstraintException": ("the bucket is in another region", "set AWS_REGION to it"),
    "NotImplemented": ("the service does not do this", "use one that can write on a condition, as S3 can"),
    "InvalidBucketName": ("this is no name of a bucket", "correct it"),
    "ParamValidationError": ("this is no name of a bucket", "correct it"),
    "NoCredentialsError": ("there are no credentials", f"set {KEY} and {SECRET}, or those of AWS"),
    "SlowDown": ("it is overloaded", "run it again later"),
    "EntityTooLarge": ("the file is too large for it", "see the limits of the service"),
}


def _told(error: BaseException, place: str) -> AwsError:
    """Say what happened in our own words: those of a server may hold what is secret."""
    code = code_of(error)
    problem, way_out = _SAID.get(code, ("it cannot be used", "run it again; what is done stays done"))
    return AwsError(f"{problem} ({code})", place, way_out, code=code)
