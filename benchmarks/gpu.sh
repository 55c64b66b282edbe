#!/usr/bin/env bash
# Everything that needs a CUDA device, in one table, in less than four minutes: bash benchmarks/gpu.sh [WORK_FOLDER]
# Each part runs by itself, so that one that fails does not take the others with it.
set -u
root="$(cd "$(dirname "$0")/.." && pwd)"
work="${1:-$(mktemp -d)}"
export PYTHONUNBUFFERED=1 PYTHONPATH="$root:$root/tests/support${PYTHONPATH:+:$PYTHONPATH}"
export XDG_CACHE_HOME="$work/cache" TMPDIR="$work"
mkdir -p "$work"
python="${PYTHON:-python3}"

part() {
    local name="$1" seconds="$2" begin=$SECONDS
    shift 2
    echo "== $name"
    timeout "$seconds" "$@" 2>&1 | tail -n 40
    local code=${PIPESTATUS[0]}
    [ "$code" -eq 0 ] || echo "$name ended with code $code"
    echo "($((SECONDS - begin)) s)"
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || exit 1
echo "$(nproc) cores"
part compile 90 "$python" "$root/benchmarks/gpu_fits.py" compile
part correctness 40 "$python" "$root/benchmarks/gpu_fits.py" correct
part throughput 40 "$python" "$root/benchmarks/gpu_fits.py" speed
part "beside JAX" 60 "$python" "$root/benchmarks/gpu_fits.py" jax
part "beside PyTorch" 60 "$python" "$root/benchmarks/gpu_fits.py" torch
part "encode, Zarr" 60 "$python" "$root/benchmarks/gpu_encode.py" cuda 60000 .zarr
part "local functas" 40 "$python" "$root/benchmarks/gpu_encode.py" cuda 20000 .zarr local
part "local functas, processor" 40 "$python" "$root/benchmarks/gpu_encode.py" cpu 4000 .zarr local
part XGBoost 40 "$python" "$root/benchmarks/gpu_trees.py"
if command -v compute-sanitizer >/dev/null; then
    part "race check" 30 compute-sanitizer --tool racecheck "$python" "$root/benchmarks/gpu_fits.py" race
fi
