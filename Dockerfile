# One image for every program, the broker included: `veldwatch <program> run`, the broker with `veldwatch broker run -- nats-server`.
# Two stages: what builds stays behind. Every package is checked against its hash in requirements/.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/veldwatch
COPY requirements/run.txt requirements/build.txt /src/requirements/
RUN /opt/veldwatch/bin/pip install --require-hashes -r /src/requirements/run.txt
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r /src/requirements/build.txt
COPY . /src
# A wheel, not an editable install: the image does not depend on /src. Packages read their own files beside them.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel /src \
    && /opt/veldwatch/bin/pip install --no-deps /wheel/*.whl

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/veldwatch/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VELDWATCH_HOME=/var/lib/veldwatch
# Fixed ids, so that volumes keep their owner from one image to the next.
RUN groupadd --gid 10001 veldwatch \
    && useradd --uid 10001 --gid veldwatch --home-dir /var/lib/veldwatch --create-home --shell /usr/sbin/nologin veldwatch \
    && install --directory --owner=veldwatch --group=veldwatch --mode=0700 \
       /var/lib/nats /var/mail/veldwatch /var/backups/veldwatch /var/lib/caddy \
    && install --directory --owner=veldwatch --group=veldwatch /var/lib/veldwatch/accounts
COPY --from=build /opt/veldwatch /opt/veldwatch
# by number: what looks for root by it (runAsNonRoot) need not know the name
USER 10001:10001
WORKDIR /var/lib/veldwatch
ENTRYPOINT []
CMD ["veldwatch", "--help"]
