# The binary, built where its compiler is and run where nothing else is.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# What decides the dependencies comes first, so that a change of ours does not build them again.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
RUN mkdir -p src benches tests/it \
 && echo 'fn main() {}' | tee src/main.rs benches/redis.rs tests/it/main.rs > /dev/null \
 && touch src/lib.rs \
 && cargo build --release --locked --bin huntsman \
 && rm -rf src benches tests
COPY src src
COPY migrations migrations
COPY benches/redis.rs benches/redis.rs
COPY tests/it/main.rs tests/it/main.rs
COPY README.md ./
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --bin huntsman

FROM debian:bookworm-slim
# The roots by which Postgres over TLS is trusted.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --home-dir /crawls --shell /usr/sbin/nologin huntsman
COPY --from=build /build/target/release/huntsman /usr/local/bin/huntsman
USER 10001:10001
# A crawl of one process keeps its file in ./crawls.
WORKDIR /crawls
# SIGTERM drains; a container is given 15 seconds for it in docker-compose.yml.
STOPSIGNAL SIGTERM
ENTRYPOINT ["huntsman"]
CMD ["--help"]
