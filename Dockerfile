# The sidecar in an image of its own: one static binary, the roots of public certificates, and an empty folder for flags.
#
#   docker build --tag vexilla .
#   docker run --rm -p 127.0.0.1:18100:18100 vexilla serve --flagr http://flagr:18000 --listen 0.0.0.0:18100

ARG RUST=1.95
FROM rust:${RUST}-slim-bookworm AS build
WORKDIR /build
COPY . .
# The same command makes the binaries of a release; it fails unless the binary runs and is static.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo xtask dist \
    && mkdir -p /image/usr/bin /image/etc/ssl/certs /image/var/lib/vexilla \
    && cp target/dist/vexilla /image/usr/bin/vexilla \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt

FROM scratch
COPY --from=build /image/usr /usr
COPY --from=build /image/etc /etc
# Here the last good flags survive a restart: `--archive /var/lib/vexilla`, on a volume.
COPY --from=build --chown=65532:65532 /image/var/lib/vexilla /var/lib/vexilla
USER 65532:65532
# The sidecar, the admin API, and the webhook.
EXPOSE 18100 19000 18001
# By the binary itself, for there is nothing else here. It asks the sidecar where it listens by default.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 CMD ["/usr/bin/vexilla", "health"]
ENTRYPOINT ["/usr/bin/vexilla"]
CMD ["--help"]
