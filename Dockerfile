# The image of the nightly run: crawl, build, deploy, notify. `make build_amd64` builds it.

# Python 3.11 is what requirements.lock was made for. The digest is that of the index of all platforms;
# `docker buildx imagetools inspect python:3.11-slim-bookworm` prints today's.
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock /src/
RUN pip --python /opt/venv/bin/python install --no-compile --require-hashes --only-binary :all: \
        -r /src/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY hdash_site /src/hdash_site
# The lock holds what builds the project as well; nothing of that is needed to run it, as `pip check` sees.
# Compiled code that names the time of its source would be stale: a layer keeps whole seconds only.
RUN pip --python /opt/venv/bin/python install --no-compile --no-deps --no-build-isolation /src \
    && pip --python /opt/venv/bin/python uninstall --yes \
        editables hatchling pathspec pluggy tomlkit trove-classifiers \
    && pip --python /opt/venv/bin/python check \
    && python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/venv/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="hdash-site" \
    org.opencontainers.image.description="The HTAN Dashboard as a static site, made anew every night" \
    org.opencontainers.image.licenses="Apache-2.0"
# The root is read-only when it runs: what is not compiled here would be compiled at each start.
RUN pip uninstall --yes --root-user-action ignore pip setuptools wheel \
    && python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash \
        "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /opt/venv /opt/venv
WORKDIR /site
COPY site.toml ./
COPY layouts layouts
COPY content content
RUN install --directory --owner 10001 --group 10001 cache public
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
# A volume of Fargate takes over the owner of the folder that it covers, if that is named here.
VOLUME ["/site/cache", "/site/public", "/tmp"]
ENTRYPOINT ["hdash-site"]
CMD ["nightly", "--json", "--deadline", "50m"]
