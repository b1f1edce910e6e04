"""CloudFront is told which of its copies are old: those that changed, once, and again if it was not heard."""

from __future__ import annotations

import uuid

import boto3
import pytest

from hdash_site import aws
from hdash_site.deploy import cloudfront
from hdash_site.errors import AwsError
from tests.deploy.sites import Ledger
from tests.remote.s3 import KEY, SECRET

ORIGIN = {"Id": "site", "DomainName": "site.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
DISTRIBUTION = {
    "Comment": "",
    "Enabled": True,
    "Origins": {"Quantity": 1, "Items": [ORIGIN]},
    "DefaultCacheBehavior": {"TargetOriginId": "site", "ViewerProtocolPolicy": "allow-all"},
}


@pytest.fixture
def server(s3_server, monkeypatch):
    url = f"http://127.0.0.1:{s3_server}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", url)
    where = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    return boto3.client("cloudfront", endpoint_url=url, **where)


@pytest.fixture
def distribution(server):
    own = DISTRIBUTION | {"CallerReference": uuid.uuid4().hex}
    return server.create_distribution(DistributionConfig=own)["Distribution"]["Id"]


def access():
    return aws.Access("", KEY, SECRET, patience=1.0)


def told(server, distribution):
    """Give the paths of each invalidation."""
    listed = server.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items", [])
    found = [server.get_invalidation(DistributionId=distribution, Id=one["Id"]) for one in listed]
    return sorted(one["Invalidation"]["InvalidationBatch"]["Paths"]["Items"] for one in found)


def invalidate(ledger, distribution):
    client = aws.client("cloudfront", access())
    return cloudfront.invalidate(client, access(), ledger, distribution, "site/")


def test_what_changed_is_told_once(server, distribution):
    ledger = Ledger()
    cloudfront.remember(ledger, distribution, ["index.html", "a/index.html", "b.csv"])
    assert invalidate(ledger, distribution) == 5
    expected = ["/site/", "/site/a/", "/site/a/index.html", "/site/b.csv", "/site/index.html"]
    assert told(server, distribution) == [expected]
    assert invalidate(ledger, distribution) == 0
    cloudfront.remember(ledger, distribution, ["b.csv"])
    invalidate(ledger, distribution)
    cloudfront.remember(ledger, distribution, ["b.csv"])
    invalidate(ledger, distribution)
    assert told(server, distribution) == [expected, ["/site/b.csv"], ["/site/b.csv"]]


def test_what_it_could_not_be_told_is_told_the_next_time(server, distribution, monkeypatch):
    ledger = Ledger()
    cloudfront.remember(ledger, distribution, ["a.csv"])
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", "http://127.0.0.1:9")
        with pytest.raises(AwsError, match=f"CloudFront {distribution}: it cannot be used"):
            invalidate(ledger, distribution)
    cloudfront.remember(ledger, distribution, ["b.csv"])
    assert invalidate(ledger, distribution) == 2
    assert told(server, distribution) == [["/site/a.csv", "/site/b.csv"]]


def test_paths_are_percent_encoded_but_for_what_is_safe_in_a_url():
    assert cloudfront.encoded("/my site+v1/é 100%/~a/*") == "/my%20site+v1/%C3%A9%20100%25/%7Ea/*"
    assert cloudfront.encoded("/a/index.html") == "/a/index.html"


def test_cloudfront_is_told_encoded_paths(server, distribution):
    ledger = Ledger()
    cloudfront.remember(ledger, distribution, ["größe/index.html"])
    client = aws.client("cloudfront", access())
    cloudfront.invalidate(client, access(), ledger, distribution, "my site/")
    assert told(server, distribution) == [
        ["/my%20site/gr%C3%B6%C3%9Fe/", "/my%20site/gr%C3%B6%C3%9Fe/index.html"]
    ]


def test_a_distribution_that_is_not_there_is_one_line(server):
    ledger = Ledger()
    cloudfront.remember(ledger, "ENOTTHERE", ["a.csv"])
    with pytest.raises(AwsError, match=r"NoSuchDistribution") as caught:
        invalidate(ledger, "ENOTTHERE")
    assert "\n" not in str(caught.value)


def test_a_page_is_named_at_both_of_its_addresses_and_too_many_by_their_folder():
    assert cloudfront.patterns(["index.html", "a/index.html", "b.csv"]) == [
        *("", "a/", "a/index.html", "b.csv", "index.html")
    ]
    many = [f"hta{number % 3}/m{number}/index.html" for number in range(600)]
    assert cloudfront.patterns([*many, "index.html"]) == ["", "hta0/*", "hta1/*", "hta2/*", "index.html"]
    assert cloudfront.patterns([f"p{number}.html" for number in range(2000)]) == ["*"]
