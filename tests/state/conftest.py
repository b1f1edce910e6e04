"""A state in S3 as some nights left it."""

from __future__ import annotations

import pytest

from tests.nights import PREFIX, Begun, Nights
from tests.remote import s3 as loopback


@pytest.fixture(scope="session")
def begun(s3_server, tmp_path_factory):
    with loopback.storage(s3_server) as storage, pytest.MonkeyPatch.context() as environment:
        bucket = storage.bucket("the-first-nights")
        for name, value in storage.environ().items():
            environment.setenv(name, value)
        environment.setenv("HDASH_STATE_URL", f"s3://{bucket}/{PREFIX}")
        nights = Nights(tmp_path_factory.mktemp("begun"), storage, bucket)
        found = Begun([], [], [])
        for name in ("Atlas HTA1", "Another name"):
            nights.rename(name)
            result, tree = nights.build()
            found.objects.append(nights.all())
            found.trees.append(tree)
            found.ran.append(len(result.ran))
        environment.delenv("HDASH_STATE_URL")
        assert nights.build()[1] == found.trees[1], "a clean build makes the same"
        return found


@pytest.fixture
def empty(tmp_path, s3, new_bucket, monkeypatch):
    """Before the first night."""
    monkeypatch.setenv("HDASH_STATE_URL", f"s3://{new_bucket}/{PREFIX}")
    return Nights(tmp_path, s3, new_bucket)


@pytest.fixture
def nights(empty, begun):
    """After the second night."""
    for key, data in begun.objects[1].items():
        empty.put(key, data)
    empty.rename("Another name")
    return empty
