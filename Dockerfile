# syntax=docker/dockerfile:1.7
# The server as an image: `docker build -t typephoon-api .`. How it is run: docs/operating.md. deploy/image-test.sh goes
# through the same steps where no Docker runs.
#
# To pin a base image, put its digest behind its tag (`rust:1.95-bookworm@sha256:…`, as `docker buildx imagetools inspect`
# prints it): then the same sources give the same image, and updates of the base have to be asked for.

# The version is `rust-version` of Cargo.toml. Both stages are Debian 12, so that the C library is the same. Each
# architecture is built on a machine, or an emulation, of its own: the C code in the crates is compiled natively.
FROM rust:1.95-bookworm AS build
ARG TARGETARCH
WORKDIR /src
COPY . .
# What cargo downloads and builds stays with the builder, not in a layer: the second build compiles only what
# changed. `install` leaves the binary outside, since the mounts are gone after this line.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,id=target-$TARGETARCH,sharing=locked \
    cargo build --profile dist --locked --bin typephoon-api \
    && install -D -m 0755 target/dist/typephoon-api /image/usr/local/bin/typephoon-api \
    && install -D -m 0644 LICENSE /image/usr/share/doc/typephoon-api/LICENSE \
    && install -d -m 0755 /image/etc/typephoon \
    && install -d -m 0700 /data/var/lib/typephoon

# The C library, libgcc and the certificates without which no identity provider is believed: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="typephoon-api" \
      org.opencontainers.image.description="The server of a real-time multiplayer typing race." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

COPY --from=build /image /
# The folder belongs to the server's user before it becomes a volume.
COPY --from=build --chown=10001:10001 /data /

# A number, not a name: Kubernetes can tell that it is not root.
USER 10001:10001
ENV TP_DATA_DIR=/var/lib/typephoon
VOLUME /var/lib/typephoon

# A setting.yaml that is mounted here is found.
WORKDIR /etc/typephoon
# 9091 is the operations port: figures, probes and actions, not for players.
EXPOSE 8080 9091

# Whether players may come. Docker restarts nothing for it; compose waits for it. Kubernetes has probes of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 CMD ["/usr/local/bin/typephoon-api", "health"]

# No shell in between: SIGTERM reaches the server, which sends its players elsewhere and ends.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/typephoon-api"]
