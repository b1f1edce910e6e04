"""A deployment that is killed at any moment leaves a site without a gap, and the next one finishes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import pytest

from hdash_site import app
from tests import worlds
from tests.deploy.sites import links_to_nothing

KILLS = 50
SHARDS = 5


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_deployment_that_is_killed_leaves_no_gap_and_the_next_sends_what_is_left(
    shard, tmp_path, s3, new_bucket, monkeypatch
):
    dice = random.Random(shard)
    monkeypatch.setenv("S3_BUCKET_NAME", new_bucket)
    site = worlds.site_folder(tmp_path / "site")
    atlases = worlds.small(tmp_path / "atlases", "HTA1", "HTA2")
    command = [sys.executable, "-m", "hdash_site", "deploy", "--root", str(site), "--max-delete", "100%"]
    killed = 0
    wanted: dict[str, bytes] = {}
    for number in range(KILLS // SHARDS):
        edit(site, atlases, dice, number)
        worlds.build(site, atlases.folder)
        before, wanted = wanted, worlds.tree(site / "public")
        moment = dice.randrange(1, 2 + sum(before.get(path) != data for path, data in wanted.items()))
        with subprocess.Popen(command, env=os.environ.copy(), stderr=subprocess.DEVNULL) as process:
            s3.fault = murder(process, moment)
            killed += process.wait() == -signal.SIGKILL
        s3.fault = lambda request: None
        s3.wait_for_answers()  # what the server had in hand comes to its end yet
        found = stored(s3, new_bucket)
        assert links_to_nothing(found, {"index.html", *before}) == set()
        s3.counted()
        app.deploy(app.Options(site), app.Deploying("100%"))
        assert stored(s3, new_bucket) == wanted
        left = [path for path, data in wanted.items() if found.get(path) != data]
        assert s3.counted().get("PUT", 0) <= len(left) + 1  # status.json
    assert killed >= 8


def edit(site, atlases, dice, number):
    """Change every page, and add or remove some."""
    base = site / "layouts/base.mako"
    base.write_text(base.read_text().replace("</body>", f"<!-- {number} --></body>"))
    style = site / "layouts/assets/site.css"
    style.write_text(f"{style.read_text()}/* {number} */\n")
    article = site / f"content/new{dice.randrange(3)}.md"
    if article.exists():
        article.unlink()
    else:
        article.write_text(f'+++\ntitle = "New {number}"\nmenu = true\n+++\n[the first](/about/)\n')
    if number % 4 == 1:
        project = atlases.atlas(f"HTA{number + 10}")
        atlases.manifest(project, project, "Demographics", worlds.demographics(f"HTA{number + 10}_1"))
    elif number % 4 == 3:
        atlases.projects.pop()
    atlases.save()


def murder(process, moment):
    """Kill a process when it has sent so many requests that change something."""
    seen = []

    def harm(request):
        if request.kind in ("PUT", "DELETE"):
            seen.append(request)
            if len(seen) == moment:
                process.kill()

    return harm


def stored(s3, bucket):
    return {key: one.data for key, one in s3.objects(bucket).items() if key != "status.json"}
