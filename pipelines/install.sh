#!/usr/bin/env bash
# Install the tools that lie in FOLDER under PREFIX: install.sh FOLDER PREFIX. One program called mes, a link for each tool, man pages, completions for bash, zsh and fish; rules, costs, days, model, pipelines.
set -euo pipefail
from=${1:?install.sh FOLDER PREFIX}
to=${2:?install.sh FOLDER PREFIX}
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$to"
to=$(cd "$to" && pwd) from=$(cd "$from" && pwd)
bin=$to/bin man=$to/share/man/man1 data=$to/share/mes doc=$to/share/doc/mes
bash=$to/share/bash-completion/completions zsh=$to/share/zsh/site-functions fish=$to/share/fish/vendor_completions.d
mkdir -p "$bin" "$man" "$bash" "$zsh" "$fish" "$data"/{rules,costs,models,data,pipelines} "$doc"

# A program that is running cannot be written over, but another can take its name.
put() { install -m 755 "$1" "$2.part" && strip "$2.part" && mv -f "$2.part" "$2"; }
put "$from/mes" "$bin/mes"
for tool in mes $("$bin/mes" --list); do
    [ "$tool" = mes ] || ln -sfn mes "$bin/$tool"
    "$bin/$tool" --man > "$man/$tool.1"
    "$bin/$tool" --completions bash > "$bash/$tool"
    "$bin/$tool" --completions zsh > "$zsh/_$tool"
    "$bin/$tool" --completions fish > "$fish/$tool.fish"
done
"$bin/mes" --verbs "$man"
# Trains nets; mes-train starts it.
if [ -f "$from/mes-nets" ]; then put "$from/mes-nets" "$bin/mes-nets"; fi

install -m 644 "$root"/pipelines/rules/*.toml "$data/rules"
install -m 644 "$root"/pipelines/costs/*.toml "$data/costs"
install -m 644 "$root"/models/demo.* "$data/models"
install -m 644 "$root"/data/{cme_calendar,price_ranges}.csv "$data/data"
# All of them, for they call one another; but this one, which wants what was built.
install -m 755 "$root"/pipelines/*.{sh,sbatch} "$data/pipelines"
rm "$data/pipelines/${0##*/}"
install -m 644 "$root"/pipelines/{alerts.toml,lab.smk,snakemake.txt} "$data/pipelines"
install -m 644 "$root"/{LICENSE-MIT,LICENSE-APACHE} "$doc"
# Pages keep their places, so that their links lead somewhere.
cd "$root"
for file in README.md CHANGELOG.md docs/*.md {data,models,pipelines/rules,tools}/README.md tools/*/README.md; do install -D -m 644 "$file" "$doc/$file"; done
for file in pipelines/profiles/*/*; do install -D -m 644 "$file" "$data/$file"; done
echo "installed: $(du -Lm "$bin/mes" | cut -f1) MB, $("$bin/mes" --list | wc -l) tools in $bin"
