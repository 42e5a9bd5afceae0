#!/bin/sh
# Functions in Python of the user's own (sums of factorials, π by
# Monte Carlo, a blur over pictures), here and under Python's multiprocessing.Pool,
# one after the other in the same run. The results must be the same.
#
# usage: scripts/own_functions.sh [PROCESSES]
set -eu
here=$(dirname "$0")
procs=${1:-2}
coordinator=${COORDINATOR:-$here/../target/release/coordinator}
[ -x "$coordinator" ] || { echo "build it first: cargo build --release" >&2; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

seconds() { # the middle one of three runs of a command, in seconds
    for _ in 1 2 3; do
        start=$(date +%s.%N)
        "$@"
        end=$(date +%s.%N)
        echo "$end $start" | awk '{ print $1 - $2 }'
    done | sort -n | sed -n 2p
}

ours() { "$coordinator" --quiet --log off --procs "$procs" --task python --input "$1" --output "$scratch/ours.tsv" --overwrite -- "$2"; }
pool() { python3 "$here/peer_pool.py" "$2" "$procs" < "$1" > "$scratch/pool.tsv" 2> "$scratch/pool.err"; }

compare() { # what it is called, its items, FILE.py:FUNCTION
    ours=$(seconds ours "$2" "$3")
    pool=$(seconds pool "$2" "$3")
    cmp -s "$scratch/ours.tsv" "$scratch/pool.tsv" && same=same || same=DIFFERENT
    printf '%-22s %8.3f s %8.3f s   %.2f   %s results\n' "$1" "$ours" "$pool" \
        "$(echo "$ours $pool" | awk '{ print $1 / $2 }')" "$same"
    [ "$same" = same ]
}

echo "$procs processes, the middle of three runs"
printf '%-22s %10s %10s   %s\n' '' procession Pool.map ratio
seq 100 100 4000 > "$scratch/factorials"
compare 'sums of factorials' "$scratch/factorials" "$here/examples/factorials.py:factorial_sum"
seq 1 60 > "$scratch/seeds"
compare 'π by Monte Carlo' "$scratch/seeds" "$here/examples/pi.py:estimate"
python3 "$here/examples/blur.py" "$scratch/pictures" 16
ls "$scratch"/pictures/*.ppm > "$scratch/names"
compare 'a blur over pictures' "$scratch/names" "$here/examples/blur.py:blur"
