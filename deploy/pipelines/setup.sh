#!/usr/bin/env bash
# Makes a pipeline's job ready and prints the folders for its PATH, one a line: the Python environment, uv, and Pulumi
# in the version of uv.lock where the machine has none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

.ci/uv sync --quiet --frozen --no-dev >&2
if ! command -v pulumi >/dev/null; then
    version=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("pulumi"))')
    curl --fail --silent --show-error --location https://get.pulumi.com | bash -s -- --version "$version" >&2
    echo "$HOME/.pulumi/bin"
fi
if [ -d .tools/bin ]; then
    echo "$PWD/.tools/bin"
fi
echo "$PWD/.venv/bin"
