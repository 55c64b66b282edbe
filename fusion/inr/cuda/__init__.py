"""Fits on a CUDA device: a kernel written for one architecture, compiled, kept on disk and run, one network per block.

`tiling` and `plan` lay an architecture out over threads, registers and memory, `source` writes the kernel as Python for
Numba, `compiling` makes machine code of it, and `device` runs that. No module here needs a device to be imported.
"""
