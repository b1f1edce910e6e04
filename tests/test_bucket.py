"""A bucket through boto3, against a server on loopback: what is asked, what fails, what is tried again."""

from __future__ import annotations

import pytest

from hdash_site import aws
from hdash_site import bucket as buckets
from hdash_site.bucket import Bucket, Place
from hdash_site.errors import AwsError, ConfigError
from tests.remote.s3 import KEY, SECRET, Fault

HEADERS = {"ContentType": "text/html", "CacheControl": "no-cache", "WebsiteRedirectLocation": "/new/"}


@pytest.fixture
def bucket(s3, new_bucket):
    access = aws.Access(s3.url, KEY, SECRET, patience=2.0)
    return Bucket(Place(new_bucket, "below/"), access)


def once(fault):
    """Fail one request of each kind, and no other."""
    seen = set()

    def harm(request):
        if request.kind in seen:
            return None
        seen.add(request.kind)
        return fault

    return harm


def test_what_is_written_is_there_with_its_headers_below_the_prefix(bucket, s3):
    etag = bucket.put("a/index.html", b"hello", HEADERS, {"digest": "d"})
    stored = s3.objects(bucket.where.bucket)["below/a/index.html"]
    assert (stored.body, stored.content_type, stored.cache_control) == (b"hello", "text/html", "no-cache")
    assert (stored.redirect, stored.metadata, stored.etag) == ("/new/", {"digest": "d"}, etag)
    assert list(bucket.list()) == [("a/index.html", etag)]
    seen = bucket.look("a/index.html")
    assert seen
    assert (seen.etag, dict(seen.headers), dict(seen.metadata)) == (etag, HEADERS, {"digest": "d"})
    assert bucket.look("b") is None
    content = bucket.get("a/index.html")
    assert content
    assert (content.data, content.etag) == (b"hello", etag)
    assert bucket.get("a/index.html", unless=etag) is None
    assert bucket.get("b") is None


def test_a_listing_of_many_pages_is_whole_and_can_begin_and_end_within(bucket, s3):
    keys = [f"k{number:05}" for number in range(2100)]
    for key in keys[::50]:
        s3.put(bucket.where.bucket, f"below/{key}", b"x")
    s3.put(bucket.where.bucket, "beside", b"x")
    s3.counted()
    assert [key for key, _ in bucket.list()] == keys[::50]
    assert [key for key, _ in bucket.list(after=keys[50])] == keys[100::50]
    assert s3.counted() == {"LIST": 2}


def test_more_than_a_page_is_listed_and_deleted_page_by_page(bucket, s3, monkeypatch):
    monkeypatch.setattr(buckets, "PAGE", 10)
    keys = [f"k{number:03}" for number in range(25)]
    for key in keys:
        s3.put(bucket.where.bucket, f"below/{key}", b"x")
    s3.counted()
    assert [key for key, _ in bucket.list()] == keys
    assert s3.counted() == {"LIST": 3}
    assert [key for key, _ in bucket.list(until="k009")] == keys[:10]
    assert s3.counted() == {"LIST": 1}
    assert bucket.delete(keys) == {}
    assert s3.counted() == {"DELETE": 3}
    assert s3.keys(bucket.where.bucket) == []


def test_a_large_body_goes_in_parts_and_one_part_that_fails_is_sent_again(bucket, s3, monkeypatch):
    monkeypatch.setattr(buckets, "LARGE_BYTES", 10 << 20)
    data = b"0123456789abcdef" * (700 << 10)
    s3.fault = once(Fault(500, "InternalError"))
    bucket.put("large", data, {"ContentType": "x/y"}, {"digest": "d"})
    stored = s3.objects(bucket.where.bucket)["below/large"]
    assert stored.body == data
    assert (stored.content_type, stored.metadata) == ("x/y", {"digest": "d"})
    assert s3.counted()["PUT_PART"] == 4


def test_a_large_body_that_cannot_be_sent_leaves_no_part_behind(bucket, s3, monkeypatch):
    monkeypatch.setattr(buckets, "LARGE_BYTES", 10 << 20)
    s3.fault = lambda request: Fault(403, "AccessDenied") if request.kind == "PUT_PART" else None
    with pytest.raises(AwsError):
        bucket.put("large", b"x" * (11 << 20), {}, {})
    assert s3.counted()["ABORT_PARTS"] == 1
    assert "Uploads" not in s3.direct.list_multipart_uploads(Bucket=bucket.where.bucket)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, "InternalError"),
        Fault(503, "SlowDown"),
        Fault(400, "RequestTimeout"),
        Fault(way="reset"),
        Fault(way="deaf"),
        Fault(way="silent"),
        Fault(way="cut"),
    ],
)
def test_what_passes_is_tried_again(bucket, s3, fault):
    s3.put(bucket.where.bucket, "below/a", b"a" * 100)
    s3.fault = once(fault)
    assert [key for key, _ in bucket.list()] == ["a"]
    content = bucket.get("a")
    assert content
    assert content.data == b"a" * 100
    bucket.put("b", b"b", {}, {})
    assert bucket.look("b")
    assert bucket.delete(["a"]) == {}
    assert s3.keys(bucket.where.bucket) == ["below/b"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(403, "AccessDenied"), "this is not allowed to us (AccessDenied)"),
        (Fault(400, "ExpiredToken"), "the credentials have expired"),
        (Fault(403, "RequestTimeTooSkewed"), "our clock differs too much"),
        (Fault(403, "InvalidAccessKeyId"), "the access key is not known"),
        (Fault(403, "SignatureDoesNotMatch"), "the secret does not go with the access key"),
        (Fault(404, "NoSuchBucket"), "there is no such bucket"),
        (Fault(400, "IllegalLocationConstraintException"), "the bucket is in another region"),
        (Fault(418, "Teapot"), "it cannot be used (Teapot)"),
    ],
)
def test_what_does_not_pass_is_asked_once_and_is_one_line(bucket, s3, fault, said):
    s3.fault = lambda request: fault
    with pytest.raises(AwsError) as caught:
        bucket.put("a", b"a", {}, {})
    assert said in str(caught.value)
    assert str(bucket.where) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert s3.counted()["PUT"] == 1


def test_a_service_that_stays_silent_or_away_is_given_up_when_patience_ends(bucket, s3):
    s3.fault = lambda request: Fault(503, "SlowDown")
    with pytest.raises(AwsError, match="overloaded"):
        bucket.put("a", b"a", {}, {})
    nobody = Bucket(Place("some-bucket"), aws.Access("http://127.0.0.1:9", "k", "s", patience=0.5))
    with pytest.raises(AwsError, match=r"s3://some-bucket/.*EndpointConnectionError"):
        nobody.put("a", b"a", {}, {})


def test_a_bucket_that_is_not_there_is_said(bucket, s3):
    other = Bucket(Place("not-there-at-all"), aws.Access(s3.url, "k", "s", patience=1.0))
    with pytest.raises(AwsError, match="s3://not-there-at-all/: there is no such bucket"):
        list(other.list())


def test_both_times_of_an_object_are_told_by_the_service(bucket):
    bucket.put("pointer", b"1", {}, {})
    content = bucket.get("pointer")
    assert content
    assert abs((content.date - content.modified).total_seconds()) < 30


def test_a_condition_holds_or_not(bucket):
    first = bucket.put_if("pointer", b"1")
    assert first
    assert bucket.put_if("pointer", b"2") is None
    second = bucket.put_if("pointer", b"2", first)
    assert second
    assert bucket.put_if("pointer", b"3", first) is None
    assert bucket.put_if("none", b"3", first) is None
    content = bucket.get("pointer")
    assert content
    assert content.data == b"2"


def test_a_lost_answer_to_a_conditional_write_looks_like_a_refusal(bucket, s3):
    s3.fault = once(Fault(way="deaf"))
    assert bucket.put_if("lock", b"mine") is None
    content = bucket.get("lock")
    assert content
    assert content.data == b"mine"


@pytest.mark.parametrize(
    ("name", "prefix"), [("UPPER", ""), ("a b", ""), ("", ""), ("good-name", "a/../b"), ("good-name", "a\nb")]
)
def test_a_name_or_prefix_that_cannot_be_is_refused(name, prefix):
    with pytest.raises(ConfigError, match="S3_BUCKET_NAME"):
        buckets.place(name, prefix, "S3_BUCKET_NAME")


def test_a_prefix_is_brought_into_one_form():
    assert buckets.place("site", "/a//b/", "S3_PREFIX") == Place("site", "a/b/")
    assert str(buckets.place("site", "", "S3_PREFIX")) == "s3://site/"


@pytest.mark.parametrize(
    "environ",
    [
        {"S3_ENDPOINT_URL": "ftp://x"},
        {"S3_ENDPOINT_URL": "https://user:hidden@host"},
        {"S3_ENDPOINT_URL": "https://["},
        {"S3_ENDPOINT_URL": "hidden"},
        {"S3_ACCESS_KEY_ID": "hidden"},
        {"S3_SECRET_ACCESS_KEY": "hidden"},
    ],
)
def test_variables_that_make_no_sense_are_refused_without_being_told_back(environ):
    with pytest.raises(ConfigError) as caught:
        aws.access(environ)
    assert next(iter(environ)) in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_secret_is_in_no_representation():
    assert "hidden" not in repr(aws.Access("https://host", "hidden", "hidden"))


def test_the_form_of_etags_that_a_service_understands_is_found_out_once(bucket, s3):
    s3.etags = "unquoted"
    first = bucket.put_if("a", b"1")
    s3.counted()
    second = bucket.put_if("a", b"2", first)
    assert second
    assert s3.counted() == {"PUT": 2, "HEAD": 1}
    assert bucket.put_if("a", b"3", first) is None
    assert bucket.within(1).put_if("a", b"3", second)
    assert s3.counted() == {"PUT": 2}


def test_a_condition_that_does_not_hold_is_no_fault_of_the_service(bucket, s3):
    bucket.put("a", b"1", {}, {})
    assert bucket.put_if("a", b"2", "0" * 32) is None
    assert bucket.put_if("not there", b"2", "0" * 32) is None
    assert bucket.refuses_false_conditions("a", b"2")


def test_a_service_that_refuses_every_condition_on_an_etag_is_named(bucket, s3):
    s3.etags = "refused"
    first = bucket.put_if("a", b"1")
    with pytest.raises(AwsError, match=r"below/a: the service refuses a write although .* keep the state in"):
        bucket.put_if("a", b"2", first)


def test_s3_itself_is_known_by_its_host_whatever_named_the_endpoint(s3, monkeypatch):
    place = Place("site")
    assert Bucket(place, aws.Access("", KEY, SECRET)).is_aws
    assert Bucket(place, aws.Access("https://s3.eu-west-1.amazonaws.com", KEY, SECRET)).is_aws
    assert not Bucket(place, aws.Access("https://amazonaws.com.example.org", KEY, SECRET)).is_aws
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://eu-central-1.linodeobjects.com")
    assert not Bucket(place, aws.Access("", KEY, SECRET)).is_aws
