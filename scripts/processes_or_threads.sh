#!/bin/sh
# The same primes in a loop, on threads and in processes: first in Python, where
# threads share one interpreter lock, then here, where they do not.
#
# usage: scripts/processes_or_threads.sh [WORKERS] [COUNT]
set -eu
here=$(dirname "$0")
workers=${1:-2}
count=${2:-4}
coordinator=${COORDINATOR:-$here/../target/release/coordinator}
[ -x "$coordinator" ] || { echo "build it first: cargo build --release" >&2; exit 2; }

echo "Python, $count primes of eight digits by the naive method:"
for how in loop threads processes; do
    printf '  %-10s %s s\n' "$how" "$(python3 "$here/peer_primes.py" "$how" "$workers" "$count")"
done

# A Rust loop is some forty times as fast: it gets that many more.
echo "procession, 40 times as many:"
list=15488801
for _ in $(seq 2 $((count * 40))); do list=$list,15488801; done
"$coordinator" --task prime --param method=naive --list "$list" --compare --procs "$workers" --repeat 3 --log off
