"""Signed addresses: as many at a time as can be used before they expire, in as few requests as that takes."""

from __future__ import annotations

import math
import time

import pytest

from hdash_site import app
from hdash_site.sources.synapse.files import lifetime

FILES = 120
A_BATCH = 100


@pytest.fixture
def many(desk):
    """An atlas of many manifests, each with bytes of its own, in a folder of its own."""
    project = desk.service.projects()[0].synapse_id
    for number in range(FILES):
        folder = desk.service.add_folder(project, f"folder {number}")
        data = f"Component,HTAN Participant ID\nDemographics,HTA1_{number + 100}\n".encode()
        desk.service.add_file(folder, "synapse_storage_manifest_x.csv", data, component="Demographics")
    desk.service.view.apply(desk.service.entities.all_rows())
    desk.service.stale = False
    desk.settings |= {"deadline": 120}
    desk.write()
    return desk


def crawled(desk):
    result = app.crawl_only(app.Options(desk.site))
    assert result.failed == {}
    fetched = [one for atlas in result.snapshots.values() for one in atlas.manifests.values()]
    assert len(fetched) > FILES
    assert all(one.digest for one in fetched)
    return len({one.digest for one in fetched})


def test_addresses_that_expire_soon_are_signed_in_batches_that_a_slow_store_can_serve(many):
    many.service.lives, many.service.slow = 1.0, 0.2
    number = crawled(many)
    assert many.service.log.expired <= number * 0.05


def test_a_fast_store_needs_few_more_signatures_than_there_are_full_batches(many):
    number = crawled(many)
    of_listings = len(many.service.projects())
    batches = many.service.log.routes.count("batch") - of_listings
    assert batches <= 2 * math.ceil(number / A_BATCH)
    assert many.service.log.expired == 0


def test_an_address_that_expired_is_signed_anew_as_often_as_it_takes(many):
    """Only the first downloads begin in time: the others wait for more rounds than a file may fail."""
    many.service.lives, many.service.slow = 0.2, 0.25
    crawled(many)


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("X-Amz-Date=20261127T060000Z&X-Amz-Expires=30&X-Amz-Signature=x", 30),
        ("Expires=1000000000&Signature=x", None),  # the clock of one of the two is wrong
        ("Expires=never", None),
        ("", None),
    ],
)
def test_an_address_says_how_long_it_lives(query, seconds):
    assert lifetime(f"https://bucket.s3.amazonaws.com/file?{query}") == seconds


def test_an_address_says_until_when_it_lives():
    left = lifetime("https://bucket.s3.amazonaws.com/file?AWSAccessKeyId=x&Expires=4000000000&Signature=x")
    assert left == pytest.approx(4_000_000_000 - time.time(), abs=60)
