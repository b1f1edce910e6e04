"""Ten nights on atlases in Synapse that change each day, with an empty disk each night.

A desk with a disk of its own goes along, and says what each night had to do: not more than that.
"""

from __future__ import annotations

import random

import pytest

from hdash_site import app
from hdash_site.app import Deploying
from hdash_site.nightly import nightly
from hdash_site.run import silent
from tests import databases, worlds

NIGHTS = 10
LOST = 5
"""The night before which the state is lost, and with it the history."""


@pytest.mark.parametrize("where", ["s3 alone", "database and s3"])
def test_each_night_does_what_that_day_changed_and_the_bucket_equals_a_clean_build(
    where, desk, s3, new_bucket, monkeypatch, tmp_path, request
):
    state = s3.bucket(f"state-{new_bucket}")
    luck = random.Random(where)
    ways = {"S3_BUCKET_NAME": new_bucket, "HDASH_STATE_URL": f"s3://{state}/hdash"}
    if where != "s3 alone":
        request.getfixturevalue("server")("mysql")
        place = databases.at("mysql", tmp_path)
        ways |= {"HDASH_DB_HOST": place.host, "HDASH_DB_PORT_NUMBER": str(place.port)}
        ways |= {"HDASH_DB_USER": place.user, "HDASH_DB_NAME": place.name}
    old: dict[str, bytes] = {}
    for number in range(NIGHTS):
        for _ in range(luck.randrange(4) if number else 0):
            edit(desk, luck)
        desk.service.catch_up()
        desk.service.log.clear()
        if number == LOST:
            worlds.lose_history(desk.site / "cache")
        control = desk.build()
        asked = desk.service.log.objects
        desk.service.log.clear()
        with monkeypatch.context() as patched:
            for name, value in ways.items():
                patched.setenv(name, value)
            if number == LOST:
                for key in s3.keys(state):
                    s3.delete(state, key)
                forget(where, desk, tmp_path)
            options = app.Options(desk.site, cache=tmp_path / f"night-{number}", new_history=number == LOST)
            night = nightly(options, Deploying("100%"), silent)
        assert (night.problem, night.exit_code) == ("", control.exit_code)
        found = {key: one.data for key, one in s3.objects(new_bucket).items() if key != "status.json"}
        assert found == desk.tree()
        assert night.result
        written = {path for path, _ in night.result.deployed.written} - {"status.json"}
        assert written == {path for path in found if found[path] != old.get(path)}, number
        if number != LOST:
            assert {one.key for one in night.result.ran} == {one.key for one in control.ran}, number
            assert desk.service.log.objects == asked, number
        old = found
    assert desk.folder_tree() == found


def forget(where, desk, tmp_path):
    """Lose the rows of the database as well: a new one was made, say."""
    if where != "s3 alone":
        with app.open_state(app.Options(desk.site, cache=tmp_path / "lost")) as store:
            store.forget()


def edit(desk, luck):
    """Do what submitters and editors do by day."""
    service = desk.service
    project = luck.choice(service.projects()).synapse_id
    held = sorted(one for one in service.manifests() if service.project_of(one) == project)
    match luck.randrange(8):
        case 0 | 1 | 2 if held:
            entity = luck.choice(held)
            service.edit(entity, service.content(entity) + f"x,{luck.randrange(999)}\n".encode())
        case 3:
            service.add_file(luck.choice(service.folders(project)), f"reads {luck.randrange(99)}.bam")
        case 4 if held:
            entity = luck.choice(held)
            service.rename(entity, f"synapse_storage_manifest_{luck.randrange(99)}.csv")
        case 5 if len(held) > 1:
            service.delete(luck.choice(held))
        case 6:
            article = desk.site / f"content/news{luck.randrange(3)}.md"
            article.write_text(f'+++\ntitle = "News {luck.randrange(99)}"\nmenu = true\n+++\nText.\n')
        case _:
            style = desk.site / "layouts/assets/site.css"
            style.write_text(f"{style.read_text()}/* {luck.randrange(99)} */\n")
