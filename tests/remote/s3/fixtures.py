"""Fixtures of an S3 on loopback; `tests/conftest.py` names them for all tests."""

from __future__ import annotations

import pytest

from tests.remote import s3 as loopback


@pytest.fixture(scope="session")
def s3_server():
    with loopback.server() as port:
        yield port


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path):
    """An S3 that the program in this process finds; each test names its buckets by itself."""
    with loopback.storage(s3_server) as storage:
        for name, value in storage.environ().items():
            monkeypatch.setenv(name, value)
        # No profile of whoever runs the tests.
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        yield storage


@pytest.fixture
def new_bucket(s3):
    """A bucket with a name that no other test has."""
    import uuid

    return s3.bucket(f"site-{uuid.uuid4().hex[:16]}")
