#!/usr/bin/env bash
# Writes what a release consists of (SBOM, CycloneDX 1.6 as JSON), with versions, origins and licences: of exactly the
# packages that uv.lock names, without those for tests and documents. Goes beside the release's other files.
#   installers/parts-list.sh [sbom.json]
# Needs uv (https://docs.astral.sh/uv/); everything else is fetched into a folder that is deleted again.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "${1:-sbom.json}")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$here"
uv lock --check # the list would be of another program
UV_PROJECT_ENVIRONMENT="$place/venv" uv sync --quiet --locked --no-dev --no-editable
uvx --from "cyclonedx-bom>=7,<8" cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
  --output-reproducible --of JSON -o "$out" "$place/venv/bin/python"
echo "$out"
