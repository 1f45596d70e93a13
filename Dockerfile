# l3embed with its pipeline, for clusters. On CPUs:
#   docker build -t l3embed .
# On NVIDIA GPUs (the driver is the host's; PyTorch brings CUDA along):
#   docker build -t l3embed:cuda --build-arg EXTRAS=pipeline,slurm,torch .
# A folder of files, with cache and store kept in a volume:
#   docker run --rm -v "$PWD:/work" -v l3embed-cache:/cache l3embed l3embed audio --recursive sounds -o embeddings
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

ARG EXTRAS=pipeline,slurm
ENV L3EMBED_CACHE=/cache \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1

# DVC looks for git, even where a project is no repository; any version will do.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*

# The packages in a layer of their own: a change of the source does not fetch them again.
WORKDIR /opt/l3embed
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src/l3embed/version.py src/l3embed/version.py
RUN pip install -c constraints.txt ".[${EXTRAS}]" && pip uninstall -y l3embed
COPY . .
RUN pip install --no-deps -c constraints.txt . \
    && l3embed --version \
    && mkdir /cache \
    && chmod 1777 /cache

# Whoever runs it: clusters start containers as the user who submits the job.
USER 1000:1000
WORKDIR /work
CMD ["l3embed", "--help"]
