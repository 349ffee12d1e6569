# syntax=docker/dockerfile:1
# The CLI with every package that its commands need. How to build and deploy it: docs/kubernetes.md.
# Debian, because Temporal's SDK has no binary for the C library of Alpine. Each digest is that of an index for amd64 and arm64.

FROM node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66 AS dependencies
WORKDIR /opt/temporal-incode
COPY package.json package-lock.json scripts/image.js ./
RUN node image.js

FROM node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66 AS build
WORKDIR /opt/temporal-incode
COPY package.json package-lock.json ./
# The build needs no install script of a package.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.js scripts/
COPY src src
RUN npm run build

# Without a shell and without npm. Google rebuilds this image for security fixes and gives it no version, so the digest is the version.
FROM gcr.io/distroless/nodejs24-debian13:nonroot@sha256:9eeb7f5887d0e239e78264b06f7f11d2e14be534050481803a9e4728fcdd278e
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="temporal-incode" \
      org.opencontainers.image.description="Completes Incode identity-onboarding sessions durably on Temporal" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Returns freed memory to the system, about a quarter of the total.
ENV NODE_ENV=production \
    MALLOC_TRIM_THRESHOLD_=131072
WORKDIR /opt/temporal-incode
COPY --from=dependencies /opt/temporal-incode/node_modules node_modules
COPY --from=dependencies /opt/temporal-incode/package.json /opt/temporal-incode/sbom.cdx.json ./
COPY --from=build /opt/temporal-incode/dist dist
COPY LICENSE ./
# The gateway serves its description.
COPY schema/openapi.json schema/
# The user "nonroot" of the base image. Kubernetes needs a number to see that it is not root.
USER 65532:65532
# Worker: 9464 metrics and health. Receiver: 8088, 9465 metrics. Codec server: 8089. Gateway: 8090, 9466 metrics.
EXPOSE 8088 8089 8090 9464 9465 9466
# No shell between, because SIGTERM has to reach the process.
ENTRYPOINT ["/nodejs/bin/node", "/opt/temporal-incode/dist/cli/main.js"]
CMD ["--help"]
