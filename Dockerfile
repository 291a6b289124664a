# The page and the prediction service, for a user without rights; see docs/serving.md.

FROM python:3.12-slim AS build
RUN python -m venv /venv
WORKDIR /source
# First, so that a change of the source does not install them again.
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir -r requirements.txt
COPY . .
RUN /venv/bin/pip install --no-cache-dir '.[serve]'

FROM python:3.12-slim
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH
# Runs and corrections are saved in the current folder.
RUN useradd --uid 10001 --no-create-home --home-dir /data mnist \
    && install --directory --owner=mnist --group=mnist /data
WORKDIR /data
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "from http.client import HTTPConnection as To; to = To('127.0.0.1', 8000, timeout=4); to.request('GET', '/healthz'); raise SystemExit(to.getresponse().status != 200)"]
ENTRYPOINT ["mnist-graph", "--serve", "--host", "0.0.0.0", "--port", "8000"]
