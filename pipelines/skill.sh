#!/usr/bin/env bash
# Ask a family of models month by month whether it knows anything. Each month is judged by a model of all months before
# it; the verdict is over all that were judged: skill.sh FAMILY MONTH.parquet MONTH.parquet... (labelled features)
# What else mes-train should know goes into FLAGS; MODELS names a folder to keep the models in.
set -euo pipefail
family=${1:?usage: skill.sh FAMILY MONTH.parquet...} months=("${@:2}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
models=${MODELS:-$work}

for ((next = 1; next < ${#months[@]}; next++)); do
    model=$models/$family-$next.onnx
    # shellcheck disable=SC2086 # several flags
    mes-train "$family" ${FLAGS:-} --out "$model" "${months[@]:0:next}"
    mes-predict -q --model "$model" --to parquet "${months[next]}" > "$work/$next.parquet"
done
mes-predict eval "$work"/*.parquet
