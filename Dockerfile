# syntax=docker/dockerfile:1.7
# The server as an image: `docker build -t typephoon-api .`. How it is run: docs/operating.md.

# The version is `rust-version` of Cargo.toml. Both stages are Debian 12, so that the C library is the same.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# What cargo downloads and builds stays with the builder, not in a layer: the second build compiles only what
# changed. `install` leaves the binary outside, since the mounts are gone after this line.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --profile dist --locked --bin typephoon-api \
    && install -D -m 0755 target/dist/typephoon-api /image/usr/local/bin/typephoon-api \
    && install -D -m 0644 LICENSE /image/usr/share/doc/typephoon-api/LICENSE \
    && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
    && install -d -m 0755 /image/etc/typephoon

# Rather than the smaller distroless/cc, which has no shell: the health check is made of one.
FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="typephoon-api" \
      org.opencontainers.image.description="The server of a real-time multiplayer typing race." \
      org.opencontainers.image.licenses="MIT"

# The binary, and the certificates without which no identity provider is believed.
COPY --from=build /image /

# Without a name in /etc/passwd, but with a number: Kubernetes can tell that it is not root. The folder is made before
# it becomes a volume, which then belongs to the same user.
RUN install -d -m 0700 -o 10001 -g 10001 /var/lib/typephoon
USER 10001:10001
ENV TP_DATA_DIR=/var/lib/typephoon
VOLUME /var/lib/typephoon

# A setting.yaml that is mounted here is found.
WORKDIR /etc/typephoon
EXPOSE 8080

# Whether the process runs, not whether players may come (/healthcheck/ready): a restart brings no database back. The
# first minutes may pass waiting for one. Kubernetes ignores this and has probes of its own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=2m --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${TP_SERVER__PORT:-8080} && printf 'GET /healthcheck/alive HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]

# No shell in between: SIGTERM reaches the server, which closes its sockets and ends.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/typephoon-api"]
