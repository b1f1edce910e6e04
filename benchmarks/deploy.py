"""Measure deployments beside other tools: `python -m benchmarks.deploy [pages]`.

A site of 10,000 pages goes to fresh buckets of one server, moto's on loopback, in a process of its own: with
ours, and with `aws s3 sync`, `s5cmd sync` and `rclone sync` as far as they are on the path, in turns. Ratios
are to ours. Beside the time of moto, which answers one request at a time, those of the tools are small.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.__main__ import Cost, hdash, middle, run
from benchmarks.articles import begun
from tests.remote import s3

LIMIT_BYTES = 250 << 20
RUNS = 3
NOISE = 0.05
"""By so much two runs of one tool differ."""


def main() -> None:
    """Print a table; fail if we are slower than a tool, or need more memory than we may."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="hdash-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        site = Path(name) / "site"
        made(site, pages)
        hdash(Path(name), "build", "--root", str(site), "--quiet", "--jobs", "1")
        with s3.server() as port, s3.storage(port) as storage:
            over = measure(site, f"http://127.0.0.1:{port}", storage)
    if over:
        sys.exit("over the limit: " + ", ".join(over))


def made(site: Path, pages: int) -> None:
    """Write a site of so many articles and one small atlas."""
    begun(site, "--scale", "0.001", "--atlases", "1")
    (site / "content").mkdir()
    words = "Words of a page that somebody reads.\n\n" * 40
    for number in range(pages):
        (site / f"content/p{number:05}.md").write_text(f'+++\ntitle = "Page {number}"\n+++\n{words}')


def measure(site: Path, url: str, storage: s3.Storage) -> list[str]:
    os.environ.update(storage.environ())
    os.environ.update(S3_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID=s3.KEY, AWS_SECRET_ACCESS_KEY=s3.SECRET)
    os.environ.pop("AWS_CA_BUNDLE", None)  # rclone cannot use one
    os.environ.update(AWS_DEFAULT_REGION="us-east-1", AWS_MAX_ATTEMPTS="3")
    tools = commands(site, url)
    costs: dict[tuple[str, str], list[Cost]] = {}
    for tool, command in tools.items():
        bucket = storage.bucket(f"bench-{tool}")
        costs[tool, "first"] = [run([part.replace("@BUCKET@", bucket) for part in command])]
        print(f"{tool:8} {'first':6} {costs[tool, 'first'][0].seconds:7.2f} s", flush=True)
    for _ in range(RUNS):
        for tool, command in tools.items():
            cost = run([part.replace("@BUCKET@", f"bench-{tool}") for part in command])
            costs.setdefault((tool, "null"), []).append(cost)
    over: list[str] = []
    for (tool, what), some in costs.items():
        cost, ours = middle(some), middle(costs["ours", what])
        ratio = cost.seconds / ours.seconds
        print(f"{tool:8} {what:6} {cost.seconds:7.2f} s  {ratio:5.2f}x  {cost.bytes >> 20:4} MiB", flush=True)
        over += [f"{what}: {tool} is faster"] if ratio < 1 - NOISE else []
    if any(cost.bytes > LIMIT_BYTES for (tool, _), some in costs.items() if tool == "ours" for cost in some):
        over.append("memory")
    return over


def commands(site: Path, url: str) -> dict[str, list[str]]:
    """Give the command of each tool that is there."""
    folder = str(site / "public")
    ours = [sys.executable, "-m", "hdash_site", "deploy", "--quiet", "--root", str(site)]
    s5cmd = ["s5cmd", "--log", "error", "--endpoint-url", url, "sync", f"{folder}/", "s3://@BUCKET@/"]
    aws = ["aws", "s3", "sync", folder, "s3://@BUCKET@/", "--endpoint-url", url, "--only-show-errors"]
    where = ["--s3-provider", "Other", "--s3-env-auth", "--s3-endpoint", url, "--checksum", "--fast-list"]
    rclone = ["rclone", "sync", folder, ":s3:@BUCKET@", *where, "--transfers", "16", "--config", ""]
    others = {"s5cmd": s5cmd, "aws": aws, "rclone": rclone}
    return {"ours": ["env", "S3_BUCKET_NAME=@BUCKET@", *ours]} | {
        tool: command for tool, command in others.items() if shutil.which(tool)
    }


if __name__ == "__main__":
    main()
