# Dependencies change seldom and the code often: they are separate layers.
FROM python:3.13-slim AS build
WORKDIR /bobbin
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.13-slim
# Any uid will do whose group is 0, as some platforms choose them.
RUN useradd --no-create-home --uid 1000 --gid 0 bobbin && mkdir --mode 0775 /data && chown 1000:0 /data
COPY --from=build /venv /venv
COPY LICENSE /bobbin/
COPY core /bobbin/core
COPY bots /bobbin/bots
COPY migrations /bobbin/migrations
COPY sandbox /bobbin/sandbox
COPY deploy/bobbin /venv/bin/bobbin
# Whoever runs it may not write there: without this, each start would compile all of it again.
RUN python -m compileall -q /bobbin
# No setting of Bobbin's belongs here: it would win over secrets in files and over bobbin.toml. By default the database
# and bobbin.toml are in the folder where Bobbin starts.
ENV PATH=/venv/bin:$PATH PYTHONPATH=/bobbin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
USER 1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["bobbin", "health"]
ENTRYPOINT ["bobbin"]
CMD ["run", "--no-sandbox"]
