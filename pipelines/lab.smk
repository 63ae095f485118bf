# The jobs of a plan by Snakemake, on this machine or on a cluster that shares the folder:
#   mes-lab walk-forward --plan --out runs/walk features.parquet > jobs.jsonl
#   snakemake -s pipelines/lab.smk --profile pipelines/profiles/slurm --config jobs=jobs.jsonl out=runs/walk
# Needs pipelines/snakemake.txt (pip install -r). How far it is: mes-lab status jobs.jsonl
import json

PLAN, OUT = config["jobs"], config["out"]
JOBS = {str(job["job"]): job for job in map(json.loads, open(PLAN))}
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
        if [ {resources.attempt} -gt 1 ] && [ -e {params.never} ]; then exit 1; fi
        rm -f {params.never}
        code=0
        mes-lab job -q --line {wildcards.job} --threads {threads} {input} || code=$?
        case $code in 2 | 3 | 4) touch {params.never} ;; esac
        exit $code
        """


rule collect:
    input:
        expand(MARKS + "/{job}.done", job=JOBS),
    output:
        touch(MARKS + "/collected"),
    shell:
        "mes-lab collect -q --out {OUT} {PLAN} > /dev/null"
