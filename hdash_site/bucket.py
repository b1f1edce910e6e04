"""A bucket in S3, or the part of one below a prefix: list, look, read, write, delete.

Keys are given and taken without the prefix, ETags without their quotes. Every request is tried again while
that may help; what fails is an `AwsError` in one line.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from hdash_site import aws
from hdash_site.aws import Access
from hdash_site.errors import AwsError, ConfigError

PAGE = 1000
"""Keys in one answer of a listing, and in one request to delete: the most that S3 takes."""

Page: TypeAlias = tuple[list[tuple[str, str]], bool]
"""A part of a listing: key and ETag of each object, and whether there are more."""

LARGE_BYTES = 16 << 20
"""Bodies from there on are sent in parts of half that: what is tried again is a part."""

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")
"""Ends of the names of the hosts of S3 itself."""

_QUOTED, _PLAIN = '"{}"', "{}"
USE_CONDITIONS = "keep the state in a service with conditional writes, as S3 has, or in a database"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")


class Place(NamedTuple):
    """`prefix` is empty or ends with a slash."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


class Object(NamedTuple):
    """An object as a look at it tells: its ETag, its headers and our own marks (`metadata`)."""

    etag: str
    headers: Mapping[str, str]
    metadata: Mapping[str, str]


class Content(NamedTuple):
    """`date`: the time of the service when it answered; `modified`: when the object was written, by it."""

    data: bytes
    etag: str
    date: datetime
    modified: datetime


def place(bucket: str, prefix: str, variable: str) -> Place:
    """Check a name and a prefix; raises `ConfigError` that names the variable."""
    if not _NAME.fullmatch(bucket):
        raise ConfigError("this is no name of a bucket", variable, "write small letters, digits and hyphens")
    parts = [part for part in prefix.split("/") if part]
    if not prefix.isprintable() or any(part in (".", "..") for part in parts):
        raise ConfigError("this is no prefix", variable, "write names with slashes between them")
    return Place(bucket, "".join(f"{part}/" for part in parts))


HEADERS = {
    "ContentType": "content type",
    "CacheControl": "cache control",
    "ContentEncoding": "content encoding",
    "WebsiteRedirectLocation": "redirect",
}
"""The headers of an object that can be set, by boto3's name."""


class Bucket:
    """`where` names it, `access` says how it is reached; it may be used from many threads."""

    def __init__(self, where: Place, access: Access) -> None:
        self.where = where
        self._access = access
        self._client = aws.client("s3", access)
        # Not what was asked for: boto3 has variables and profiles of its own that name an endpoint.
        host = urlsplit(str(self._client.meta.endpoint_url)).hostname or ""
        self.is_aws = host.endswith(AWS_HOSTS)
        self._etag_forms = [_QUOTED] if self.is_aws else [_QUOTED, _PLAIN]
        """How an ETag is written in a condition; the form that works is found out once, and kept."""

    def within(self, patience: float) -> Bucket:
        """Give the same bucket, with so many seconds for which a request that fails is tried again."""
        other = copy.copy(self)
        other._access = dataclasses.replace(self._access, patience=min(patience, self._access.patience))
        return other

    def page(self, after: str = "") -> Page:
        """Give key and ETag of the first objects after a key, at most `PAGE`, and whether there are more."""
        start = {"StartAfter": self.where.prefix + after} if after else {}
        answer = self._do("list_objects_v2", "", Prefix=self.where.prefix, MaxKeys=PAGE, **start)
        own = len(self.where.prefix)
        found = [(one["Key"][own:], one["ETag"].strip('"')) for one in answer.get("Contents", [])]
        return found, bool(found) and answer.get("IsTruncated", False)

    def list(self, after: str = "", until: str = "", page: Page | None = None) -> Iterator[tuple[str, str]]:
        """Give key and ETag of each object after a key, to the end of the page that has the key `until`.

        `page` is the first one, if it is here already.
        """
        found, more = page or self.page(after)
        yield from found
        while more and not (until and found[-1][0] >= until):
            found, more = self.page(found[-1][0])
            yield from found

    def look(self, key: str) -> Object | None:
        """Give what is told of an object without its body; None if there is none."""
        try:
            found = self._do("head_object", key)
        except AwsError as error:
            if error.code in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        headers = {name: str(found[name]) for name in HEADERS if found.get(name)}
        return Object(found["ETag"].strip('"'), headers, found.get("Metadata", {}))

    def get(self, key: str, unless: str = "", most: int = 0) -> Content | None:
        """Give an object; None if there is none, or if its ETag is `unless`.

        One of more bytes than `most`, if that is given, is an `AwsError` with the code `TooLarge`.
        """
        condition = {"IfNoneMatch": f'"{unless}"'} if unless else {}
        try:
            return aws.tried(self._access, f"{self.where}{key}", self._read, key, condition, most)
        except AwsError as error:
            if error.code in ("304", "404", "NoSuchKey"):
                return None
            raise

    def changed(self, key: str, etag: str) -> bool:
        """Tell whether an object is gone or has another ETag, in one request."""
        try:
            aws.tried(self._access, f"{self.where}{key}", self._read, key, {"IfNoneMatch": f'"{etag}"'})
        except AwsError as error:
            if error.code in ("304", "404", "NoSuchKey"):
                return error.code != "304"
            raise
        return True

    def put(self, key: str, data: bytes, headers: Mapping[str, str], metadata: Mapping[str, str]) -> str:
        """Write an object; give its ETag."""
        if len(data) >= LARGE_BYTES:
            return self._put_in_parts(key, data, headers, metadata)
        answer = self._do("put_object", key, Body=data, Metadata=dict(metadata), **headers)
        return answer["ETag"].strip('"')

    def put_if(self, key: str, data: bytes, etag: str = "") -> str | None:
        """Write an object if its ETag is `etag`, or, without one, if there is none; give the new ETag.

        None: the condition did not hold, or it did, and the answer to our own first attempt was lost.
        Raises `AwsError` with the code `Conditions` if the service refuses a write whose condition holds.
        """
        if not etag:
            return self._put_on(key, data, {"IfNoneMatch": "*"})
        known = len(self._etag_forms) == 1
        for form in [*self._etag_forms]:
            written = self._put_on(key, data, {"IfMatch": form.format(etag)})
            if written:
                self._etag_forms[:] = [form]
                return written
            if known or not self._has(key, etag):
                return None
        problem = "the service refuses a write although its condition (If-Match) holds"
        raise AwsError(problem, f"{self.where}{key}", USE_CONDITIONS, code="Conditions")

    def refuses_false_conditions(self, key: str, data: bytes) -> bool:
        """Try to write an object that exists on conditions that do not hold; tell whether all are refused."""
        forms = [{"IfMatch": form.format("0" * 32)} for form in self._etag_forms]
        return all(self._put_on(key, data, condition) is None for condition in ({"IfNoneMatch": "*"}, *forms))

    def _put_on(self, key: str, data: bytes, condition: Mapping[str, str]) -> str | None:
        """Write an object on a condition; give the new ETag, or None if the condition does not hold."""
        try:
            return self._do("put_object", key, Body=data, **condition)["ETag"].strip('"')
        except AwsError as error:
            gone = "IfMatch" in condition and error.code in ("NoSuchKey", "404")
            if gone or error.code in ("PreconditionFailed", "412"):
                return None
            raise

    def _has(self, key: str, etag: str) -> bool:
        found = self.look(key)
        return found is not None and found.etag == etag

    def delete(self, keys: Sequence[str]) -> dict[str, str]:
        """Delete objects; give, of those that stay, the code of the refusal by key."""
        refused: dict[str, str] = {}
        for start in range(0, len(keys), PAGE):
            batch = [{"Key": self.where.prefix + key} for key in keys[start : start + PAGE]]
            answer = self._do("delete_objects", "", Delete={"Objects": batch, "Quiet": True})
            for error in answer.get("Errors", []):
                refused[error["Key"].removeprefix(self.where.prefix)] = error.get("Code", "")
        return refused

    def _do(self, operation: str, key: str, **more: Any) -> dict[str, Any]:
        request = getattr(self._client, operation)
        if key:
            more["Key"] = self.where.prefix + key
        return aws.tried(self._access, f"{self.where}{key}", request, Bucket=self.where.bucket, **more)

    def _read(self, key: str, condition: Mapping[str, str], most: int = 0) -> Content:
        answer = self._client.get_object(Bucket=self.where.bucket, Key=self.where.prefix + key, **condition)
        with contextlib.closing(answer["Body"]) as body:
            if most and answer["ContentLength"] > most:
                way_out = "see who put it there"
                raise AwsError("it is larger than it can be", f"{self.where}{key}", way_out, code="TooLarge")
            data = body.read()
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return Content(data, answer["ETag"].strip('"'), _date(headers["date"]), answer["LastModified"])

    def _put_in_parts(
        self, key: str, data: bytes, headers: Mapping[str, str], metadata: Mapping[str, str]
    ) -> str:
        size = LARGE_BYTES // 2
        begun = self._do("create_multipart_upload", key, Metadata=dict(metadata), **headers)
        upload = {"UploadId": begun["UploadId"]}
        try:
            parts = [
                {
                    "PartNumber": number,
                    "ETag": self._do(
                        "upload_part", key, Body=data[at : at + size], PartNumber=number, **upload
                    )["ETag"],
                }
                for number, at in enumerate(range(0, len(data), size), 1)
            ]
            done = self._do("complete_multipart_upload", key, MultipartUpload={"Parts": parts}, **upload)
        except BaseException:
            self._do("abort_multipart_upload", key, **upload)
            raise
        return done["ETag"].strip('"')


def _date(text: str) -> datetime:
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(text)
