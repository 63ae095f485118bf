# The jobs of a plan by Snakemake, on this machine or on a cluster that shares the folder:
#   mes-lab walk-forward --plan --out runs/walk features.parquet > jobs.jsonl
#   snakemake -s pipelines/lab.smk --profile pipelines/profiles/slurm --config jobs=jobs.jsonl out=runs/walk
# Needs pipelines/snakemake.txt (pip install -r). How far it is: mes-lab status jobs.jsonl
import json

PLAN, OUT = str(config["jobs"]), str(config["out"])
# By the number of the line, as mes-lab job --line counts: a list may be put together from several plans.
JOBS = {str(n): json.loads(l) for n, l in enumerate(filter(str.strip, open(PLAN)), 1)}
MARKS = PLAN + ".d"


def cost(wildcards):
    return JOBS[wildcards.job]["cost"]


localrules: all, collect


rule all:
    input:
        MARKS + "/collected",


rule job:
    input:
        PLAN,
    output:
        touch(MARKS + "/{job}.done"),
    wildcard_constraints:
        job=r"\d+",
    retries: 2
    threads: 1
    resources:
        # Half as much again as planned, and twice that after each failure; minutes likewise.
        mem_mb=lambda wildcards, attempt: int(cost(wildcards)["memory_bytes"] / 1e6 * 1.5 * 2 ** (attempt - 1)) + 100,
        runtime=lambda wildcards, attempt: int(cost(wildcards)["cpu_s"] / 60 * 3 * 2 ** (attempt - 1)) + 10,
        attempt=lambda wildcards, attempt: attempt,
    params:
        never=MARKS + "/{job}.never",
    # What ended with 2, 3 or 4 would end so again: Snakemake's further tries of it do nothing.
    shell:
        """
        if [ {resources.attempt} -gt 1 ] && [ -e {params.never:q} ]; then exit 1; fi
        rm -f {params.never:q}
        code=0
        mes-lab job -q --line {wildcards.job} --threads {threads} {input:q} || code=$?
        case $code in 2 | 3 | 4) touch {params.never:q} ;; esac
        exit $code
        """


rule collect:
    input:
        expand(MARKS + "/{job}.done", job=JOBS),
    output:
        touch(MARKS + "/collected"),
    # A mark is no result: where one is missing or damaged, the next run looks at all jobs, and those that are done end at once.
    shell:
        "mes-lab collect -q --out {OUT:q} {PLAN:q} > /dev/null || {{ code=$?; rm -f {MARKS:q}/*.done; exit $code; }}"
