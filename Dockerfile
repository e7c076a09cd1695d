# Dependencies change seldom and the code often: they are separate layers.
FROM python:3.13-slim AS build
WORKDIR /bobbin
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.13-slim
RUN useradd --create-home --uid 1000 bobbin && mkdir /data && chown bobbin /data
COPY --from=build /venv /venv
WORKDIR /bobbin
COPY core core
COPY bots bots
COPY migrations migrations
COPY sandbox sandbox
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    BOBBIN_DATABASE__URL=sqlite:////data/bobbin.db BOBBIN_LOG__FORMAT=json
USER bobbin
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["python", "-m", "bots"]
CMD ["run"]
