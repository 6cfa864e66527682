# syntax=docker/dockerfile:1
#
# All programs from one build, and a small image for each:
#
#   docker build --target ingest    -t footfall/ingest .
#   docker build --target projector -t footfall/projector .
#   docker build --target api       -t footfall/api .
#   docker build --target footfall  -t footfall/footfall .    # `footfall topics` and the other commands
#
# The four share the stages `build` and `runtime`, so together they cost one build. A cache mount keeps compiled
# crates: after a change of our sources only our crates are built again, in seconds instead of minutes.
# TLS to Kafka, or SASL other than PLAIN: --build-arg FEATURES=footfall/kafka-tls

FROM rust:1.95-bookworm AS build
WORKDIR /src
ARG FEATURES=""
# .dockerignore selects the files: the workspace, and nothing that changes without it.
COPY . .
# The lock lets one cargo at a time use the cache, also when other builds run on this machine.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --features "${FEATURES}" -p ingest -p projector -p api -p footfall \
    && mkdir /programs \
    && cp target/release/ingest target/release/projector target/release/api target/release/footfall /programs/

# The same Debian as above: the programs are linked against its libc and zlib.
FROM debian:bookworm-slim AS runtime
# Certificates are for brokers with TLS; the programs contain everything else.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin footfall \
    # A new volume that is mounted here gets this owner. ingest keeps its spool in it, if SPOOL_DIR says so.
    && install --directory --owner=footfall --group=footfall --mode=700 /var/lib/footfall
USER 10001:10001
WORKDIR /tmp
# The programs answer the requests in flight, then finish their current work; each step may take 20 s.
STOPSIGNAL SIGTERM

FROM runtime AS ingest
COPY --from=build /programs/ingest /usr/local/bin/ingest
ENV INGEST_LISTEN=0.0.0.0:8081
EXPOSE 8081
# The image has no HTTP client, so the program requests its own /ready.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s CMD ["ingest", "--health-check"]
ENTRYPOINT ["ingest"]

FROM runtime AS projector
COPY --from=build /programs/projector /usr/local/bin/projector
ENV PROJECTOR_LISTEN=0.0.0.0:8082
EXPOSE 8082
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s CMD ["projector", "--health-check"]
ENTRYPOINT ["projector"]

FROM runtime AS api
COPY --from=build /programs/api /usr/local/bin/api
ENV API_LISTEN=0.0.0.0:8083
EXPOSE 8083
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s CMD ["api", "--health-check"]
ENTRYPOINT ["api"]

# For commands against a cluster. The image does not have the PostgreSQL server programs that `footfall up` needs.
FROM runtime AS footfall
COPY --from=build /programs/footfall /usr/local/bin/footfall
ENTRYPOINT ["footfall"]
CMD ["--help"]
