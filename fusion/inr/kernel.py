"""One fit as one compiled call: forward, gradient and update of a network, all steps, without a host round trip.

Rows are units and columns are coordinates, so that a bias is one number for a row, and sine and cosine of a row are
one loop over contiguous memory. Coordinates pass in chunks, whose activations stay in a core's second-level cache;
gradients add up over them. Widths and frequencies are data: one compiled function serves every architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fusion.inr import tiles
from fusion.inr.compiling import kept, part
from fusion.inr.settings import BETA_1, BETA_2, EPSILON
from fusion.inr.tiles import LANES, add_outer, product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Matrix = NDArray[np.float32]
    Integers = NDArray[np.int64]

_F = np.float32
_I = np.int32

# Neither nnan nor ninf: a fit that diverges must come out as NaN. Only sums may be reordered, sines may not: the
# rounding trick below is (x + c) - c.
_EXACT = {"nsz", "contract", "arcp"}
_SUMS = {"nsz", "contract", "arcp", "reassoc"}

# Adding 1.5 * 2**23 rounds to a whole number and leaves it in the lowest bits.
_ROUND = _F(12582912.0)
_INVERSE_PI = _F(0.31830988618379067)
_PI_1, _PI_2, _PI_3 = _F(3.140625), _F(9.67502593994140625e-4), _F(1.509957990978376432e-7)
_S1, _S2, _S3, _S4 = _F(-0.16666659712791443), _F(8.333078585565090e-3), _F(-1.981069071916863e-4), _F(2.608315980e-6)
_C1, _C2, _C3, _C4, _C5 = _F(-0.5), _F(0.041666638), _F(-1.3888378e-3), _F(2.4760495e-5), _F(-2.6051615e-7)
_LOG2_E, _LN2_1, _LN2_2 = _F(1.4426950408889634), _F(0.693359375), _F(-2.12194440e-4)
_E2, _E3, _E4 = _F(0.5), _F(0.16666665), _F(0.041665795)
_E5, _E6, _E7 = _F(8.3334519e-3), _F(1.3981999e-3), _F(1.9875691e-4)
_ONE, _LIMIT = _F(1.0), _F(87.0)
_B1, _B2, _1_B1, _1_B2, _EPS = _F(BETA_1), _F(BETA_2), _F(1.0 - BETA_1), _F(1.0 - BETA_2), _F(EPSILON)


class Network(NamedTuple):
    """An architecture as compiled code reads it.

    Parameters
    ----------
    widths : NDArray of int64, shape=(layers + 1,)
        Input and output included.
    omegas : NDArray of float32, shape=(layers - 1,)
    sigmoid : bool
        Whether the output is a sigmoid, or linear.
    """

    widths: Integers
    omegas: Floats
    sigmoid: bool


class Workspace(NamedTuple):
    """Scratch memory of a fit, float32; nothing needs to be cleared.

    Parameters
    ----------
    chunk : int
        Coordinates that pass at once, a multiple of `LANES`. Rows of the matrices are as long or longer.
    gradient, moment_1, moment_2 : shape=(k,)
    sines, slopes : sum of hidden widths rows
        Activations, and their derivatives, which then become the gradients of the angles.
    back : largest hidden width rows
    output : d_out rows
    inputs, targets : d_in and d_out rows for each chunk
        Coordinates and values of a step.
    """

    chunk: int
    gradient: Floats
    moment_1: Floats
    moment_2: Floats
    sines: Matrix
    slopes: Matrix
    back: Matrix
    output: Matrix
    inputs: Matrix
    targets: Matrix


@part(_EXACT)
def sine_and_slope(angles: Floats, slopes: Floats, bias: np.float32, omega: np.float32) -> None:
    """Replace z by sin(omega * (z + bias)) and write omega * cos(omega * (z + bias)), with errors of about 1e-7.

    Exact to the rounding of the angle up to about 1e5; angles beyond 1e7 have no phase left in float32 and may give
    anything, NaN included.
    """
    for i in range(angles.size):
        x = (angles[i] + bias) * omega
        shifted = x * _INVERSE_PI + _ROUND
        turns = shifted - _ROUND
        sign = _I(_F(shifted).view(_I) << 31)
        r = ((x - turns * _PI_1) - turns * _PI_2) - turns * _PI_3
        r2 = r * r
        sine = (((_S4 * r2 + _S3) * r2 + _S2) * r2 + _S1) * (r2 * r) + r
        cosine = ((((_C5 * r2 + _C4) * r2 + _C3) * r2 + _C2) * r2 + _C1) * r2 + _ONE
        angles[i] = _I(_F(sine).view(_I) ^ sign).view(_F)
        slopes[i] = _I(_F(cosine * omega).view(_I) ^ sign).view(_F)


@part(_EXACT)
def _activate(values: Floats, bias: np.float32, sigmoid: bool) -> None:  # noqa: FBT001
    """Replace z by z + bias, or by 1 / (1 + exp(-z - bias)) with relative errors of about 1e-7; NaN stays NaN."""
    if not sigmoid:
        for i in range(values.size):
            values[i] += bias
        return
    for i in range(values.size):
        x = -(values[i] + bias)
        x = _LIMIT if x > _LIMIT else x
        x = -_LIMIT if x < -_LIMIT else x
        shifted = x * _LOG2_E + _ROUND
        whole = shifted - _ROUND
        r = (x - whole * _LN2_1) - whole * _LN2_2
        power = _I((_F(shifted).view(_I) << 23) + 0x3F800000).view(_F)
        series = ((((((_E7 * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2) * (r * r) + r) + _ONE
        values[i] = _ONE / (_ONE + power * series)


@part(_SUMS)
def _multiply(a: Floats, b: Floats) -> np.float32:
    """Replace a by a * b and give its sum."""
    total = _F(0.0)
    for i in range(a.size):
        product = a[i] * b[i]
        a[i] = product
        total += product
    return total


@part(_EXACT)
def _adam(theta: Floats, work: Workspace, rate: np.float32) -> None:
    gradient, m, v = work.gradient, work.moment_1, work.moment_2
    for i in range(theta.size):
        slope = gradient[i]
        m[i] = _B1 * m[i] + _1_B1 * slope
        v[i] = _B2 * v[i] + _1_B2 * (slope * slope)
        theta[i] -= rate * m[i] / (np.sqrt(v[i]) + _EPS)


@part(_EXACT)
def _descend(theta: Floats, work: Workspace, step_sizes: Floats, factor: np.float32) -> None:
    for i in range(theta.size):
        theta[i] -= factor * step_sizes[i] * work.gradient[i]


@part(_EXACT)
def _gather(table: Matrix, rows: Integers, chunk: int, out: Matrix) -> None:
    """Copy rows of a table (n, d) into blocks of d rows and up to `chunk` columns, zeros after the last."""
    d = table.shape[1]
    for block in range(-(-rows.size // chunk)):
        begin = block * chunk
        n = min(chunk, rows.size - begin)
        for j in range(d):
            line = out[block * d + j]
            for i in range(n):
                line[i] = table[rows[begin + i], j]
            line[n:chunk] = _F(0.0)


@part(_EXACT)
def _forward(theta: Floats, net: Network, work: Workspace, inputs: Matrix) -> None:
    """Fill the sines and slopes of the hidden layers and the output for one block of coordinates (d_in, n)."""
    offset, unit, n, last = 0, 0, inputs.shape[1], net.widths.size - 2
    before = inputs
    for layer in range(last + 1):
        fan_in, fan_out = net.widths[layer], net.widths[layer + 1]
        bias = offset + fan_in * fan_out
        kernel = theta[offset:bias].reshape(fan_in, fan_out)
        if layer == last:
            product(kernel.T, before, work.output[:, :n])
            for i in range(fan_out):
                _activate(work.output[i][:n], theta[bias + i], net.sigmoid)
            return
        after = work.sines[unit : unit + fan_out, :n]
        product(kernel.T, before, after)
        for i in range(unit, unit + fan_out):
            sine_and_slope(work.sines[i][:n], work.slopes[i][:n], theta[bias + i - unit], net.omegas[layer])
        before = after
        unit += fan_out
        offset = bias + fan_out


@part(_SUMS)
def _error(output: Floats, targets: Floats, n: int, sigmoid: bool, scale: np.float32) -> tuple[np.float32, np.float32]:  # noqa: FBT001
    """Turn an output row into the gradient before its activation; give the sum of squared errors and of gradients."""
    squares, total = _F(0.0), _F(0.0)
    for i in range(n):
        error = output[i] - targets[i]
        slope = output[i] * (_ONE - output[i]) if sigmoid else _ONE
        output[i] = error * slope * scale
        squares += error * error
        total += output[i]
    output[n:] = _F(0.0)
    return squares, total


@part(_EXACT)
def _backward(theta: Floats, net: Network, work: Workspace, inputs: Matrix) -> None:
    """Add the gradient of one block to that of the step; the output holds its own, biases' included."""
    offset, unit, n, last = theta.size, 0, inputs.shape[1], net.widths.size - 2
    for width in net.widths[1:-1]:
        unit += width
    delta = work.output[:, :n]
    for layer in range(last, -1, -1):
        fan_in, fan_out = net.widths[layer], net.widths[layer + 1]
        offset -= (fan_in + 1) * fan_out
        unit -= fan_in
        kernel = slice(offset, offset + fan_in * fan_out)
        gradient = work.gradient[kernel].reshape(fan_in, fan_out)
        if layer == 0:
            add_outer(inputs, delta, gradient)
            return
        add_outer(work.sines[unit : unit + fan_in, :n], delta, gradient)
        back = work.back[:fan_in, :n]
        product(theta[kernel].reshape(fan_in, fan_out), delta, back)
        delta = work.slopes[unit : unit + fan_in, :n]
        for i in range(fan_in):
            work.gradient[offset - fan_in + i] += _multiply(work.slopes[unit + i][:n], work.back[i][:n])


@part(_EXACT)
def _pass(theta: Floats, net: Network, work: Workspace, points: int, learn: bool) -> float:  # noqa: FBT001
    """Mean squared error over the gathered coordinates; with `learn`, its gradient too."""
    d_in, d_out = net.widths[0], net.widths[-1]
    scale, total = _F(2.0 / (points * d_out)), 0.0
    work.gradient[:] = _F(0.0)
    for block in range(-(-points // work.chunk)):
        n = min(work.chunk, points - block * work.chunk)
        padded = -(-n // LANES) * LANES
        inputs = work.inputs[block * d_in : (block + 1) * d_in, :padded]
        _forward(theta, net, work, inputs)
        for i in range(d_out):
            targets = work.targets[block * d_out + i]
            squares, slope = _error(work.output[i][:padded], targets, n, net.sigmoid, scale)
            work.gradient[theta.size - d_out + i] += slope
            total += squares
        if learn:
            _backward(theta, net, work, inputs)
    return float(total / (points * d_out))


@kept(_EXACT, tiles)
def fit_network(
    theta: Floats,
    net: Network,
    work: Workspace,
    grid: NDArray[Any],
    values: NDArray[Any],
    subsets: NDArray[Any],
    rates: Floats,
    step_sizes: Floats,
    target: float,
) -> tuple[float, int]:
    """Fit one network in place.

    Parameters
    ----------
    theta : NDArray of float32, shape=(k,)
        The start; afterwards the fitted weights.
    net : Network
    work : Workspace
    grid : NDArray of float32, shape=(n, d_in)
    values : NDArray of float32, shape=(n, d_out)
    subsets : NDArray of int64, shape=(steps or 1, points)
        Coordinates of each step; one row stands for all steps.
    rates : NDArray of float32, shape=(steps,)
    step_sizes : NDArray of float32, shape=(k,) or (0,)
        Plain gradient steps of ``rates[step] * step_sizes``; none: Adam.
    target : float
        Mean squared error to stop at; negative for none.

    Returns
    -------
    mse : float
        Over all coordinates.
    steps : int
    """
    work.moment_1[:] = _F(0.0)
    work.moment_2[:] = _F(0.0)
    every = np.arange(len(grid))
    steps, learn, gathered = 0, rates.size > 0, -1
    while True:
        wanted = min(steps, len(subsets) - 1) if learn or subsets.shape[1] == len(grid) else len(subsets)
        rows = subsets[wanted] if wanted < len(subsets) else every
        if wanted != gathered:
            _gather(grid, rows, work.chunk, work.inputs)
            _gather(values, rows, work.chunk, work.targets)
            gathered = wanted
        mse = _pass(theta, net, work, rows.size, learn)
        if not learn:
            return mse, steps
        if target >= 0.0 and not mse > target:
            learn = False
            continue
        if step_sizes.size:
            _descend(theta, work, step_sizes, rates[steps])
        else:
            _adam(theta, work, rates[steps])
        steps += 1
        learn = steps < rates.size


@kept(_EXACT, tiles)
def measure_gradient(
    theta: Floats, net: Network, work: Workspace, grid: NDArray[Any], values: NDArray[Any], rows: Integers
) -> float:
    """Leave the gradient of the mean squared error over some coordinates in the workspace, and give the error."""
    _gather(grid, rows, work.chunk, work.inputs)
    _gather(values, rows, work.chunk, work.targets)
    mse: float = _pass(theta, net, work, rows.size, True)  # noqa: FBT003
    return mse
